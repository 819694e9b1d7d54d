"""Finds layers and inputs that do not contribute to any output."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nnspec.diagnostics import Diagnostic, Fix, NodeRef, Severity
from nnspec.document import Mapping, format_path
from nnspec.expansion.items import Expanded
from nnspec.expansion.naming import Reference


def check_unread(
    expanded: Expanded, sound: Collection[str], sources: Sequence[Reference | None]
) -> Iterator[Diagnostic]:
    """NN405 for what nothing reads, judged by names alone, so that faults elsewhere do not hide it.

    A warning where the layer stands in a block or repeat whose other uses are read: the last residual of a stack of
    which only the skips count.

    Args:
        sound: the names of the layers that could be inferred; the others have a fault already.
        sources: what the outputs read; where one reads nothing known, nothing can be judged.
    """
    reached = _reached(expanded, sources)
    if reached is None:
        return
    read_elsewhere = {item.path for item in expanded.items if item.name in reached}
    read = {reference.key for item in expanded.items for reference in item.reads if reference is not None}
    for item in expanded.items:
        if item.name not in sound or item.name in reached:
            continue
        is_spare = item.path in read_elsewhere
        if is_spare and item.name in read:  # what reads it leads nowhere either, which is said there
            continue
        yield Diagnostic(
            "NN405",
            f"nothing reads `{item.name}`, so it does not contribute to any output",
            item.span,
            path=format_path(item.path),
            notes=("other uses of it are read; this one is left out of the model",) if is_spare else (),
            fixes=() if is_spare else (Fix("read it with `from:`, make it an output, or remove it"),),
            severity=Severity.WARNING if is_spare else Severity.ERROR,
            about=(NodeRef(item.name),),
        )
    inputs = expanded.root.get("inputs")
    if not isinstance(inputs, Mapping):
        return
    for name in inputs.entries:
        if name not in reached:
            message = f"nothing reads input `{name}`, so it does not contribute to any output"
            yield Diagnostic("NN405", message, inputs.key_span(name), path=f"inputs.{name}", about=(NodeRef(name),))


def unused_layers(expanded: Expanded, sources: Sequence[Reference | None]) -> set[str]:
    """The layers that lead to no output: no model has them."""
    reached = _reached(expanded, sources)
    return set() if reached is None else {item.name for item in expanded.items} - reached


def _reached(expanded: Expanded, sources: Sequence[Reference | None]) -> set[str] | None:
    """What leads to an output; None where an output reads nothing known."""
    if not sources or any(source is None for source in sources):
        return None
    reached = {source.key for source in sources if source is not None}
    for item in reversed(expanded.items):
        if item.name in reached:
            reached.update(reference.key for reference in item.reads if reference is not None)
    return reached
