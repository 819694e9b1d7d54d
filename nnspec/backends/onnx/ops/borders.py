"""Zeros that a `Pad` put around a value: what slides along it may add them itself, without a copy and an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.builder import GraphBuilder
    from nnspec.backends.onnx.lowering import Lowering

NEVER_NEGATIVE = frozenset({"Abs", "Exp", "HardSigmoid", "Relu", "Sigmoid", "Softmax", "Softplus"})
KEEP_SIGNS = frozenset({"AveragePool", "MaxPool", "Reshape", "Transpose"})


@dataclass(frozen=True, slots=True)
class Border:
    """Zeros along the dimensions behind the first two, batch and channel.

    Attributes:
        source: what they were put around, whose dimensions are in another order where `perm` says which.
        before: how many, for each of these dimensions.
    """

    source: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    perm: list[int] | None = None

    def without(self, lowering: Lowering) -> str:
        """The value without them, batch and channel first."""
        return self.source if self.perm is None else lowering.node("Transpose", self.source, perm=self.perm)


def border_of(graph: GraphBuilder, tensor: str) -> Border | None:
    """The zeros around a value with batch and channel first; None where no node put any, or some among the channels."""
    found, perm = graph.maker(tensor), None
    if found is not None and found.op == "Transpose":
        order = found.attributes["perm"]
        assert isinstance(order, list)
        perm, found = order, graph.maker(found.inputs[0])
    if found is None or found.op != "Pad" or len(found.inputs) != 2 or found.attributes:
        return None
    before, after = np.reshape(graph.constants[found.inputs[1]], (2, -1))
    if perm is not None:
        before, after = before[perm], after[perm]
    if before[:2].any() or after[:2].any():
        return None
    return Border(found.inputs[0], tuple(before[2:].tolist()), tuple(after[2:].tolist()), perm)


def is_never_negative(graph: GraphBuilder, tensor: str) -> bool:
    """Whether no value is below 0, by the node that writes it."""
    found = graph.maker(tensor)
    while found is not None and found.op in KEEP_SIGNS:
        found = graph.maker(found.inputs[0])
    if found is None:
        return False
    if found.op in ("Clip", "Max") and len(found.inputs) > 1:
        least = graph.constants.get(found.inputs[1])
        return least is not None and bool(np.min(least) >= 0)
    return found.op in NEVER_NEGATIVE
