"""What layers cannot do: of a failure, whether it is that of nnspec or of the package that provides the layer."""

from __future__ import annotations

from nnspec.diagnostics import CompilerBug, Span, SpecError
from nnspec.ir.graph import LayerKind, Node


class NoLowering(Exception):
    """A layer computes itself in Keras alone: the export converts it by other means, or refuses it by name."""


def failure(layer: LayerKind, inner: Node | None, span: Span, what: str) -> SpecError | CompilerBug:
    """What to raise where a layer fails at its work: the fault is its package's, or nnspec's own.

    Args:
        inner: the layer that it wraps.
        what: completes the sentence `` `Dense` … ``.
    """
    foreign = foreign_layer(layer, inner)
    if foreign is None:
        return CompilerBug(f"{span}: `{layer.kind}` {what}")
    return SpecError.single("NN217", f"`{foreign.kind}` of the package {foreign.package} {what}", span)


def foreign_layer(layer: LayerKind, inner: Node | None) -> LayerKind | None:
    """The layer of another package among a layer and those that it wraps: the innermost one."""
    found = layer if layer.package else None
    while inner is not None:
        found = inner.layer if inner.layer.package else found
        inner = inner.inner
    return found


def say(error: BaseException) -> str:
    """`TypeError: unsupported operand`."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
