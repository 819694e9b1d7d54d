"""The state of recurrent layers in ONNX: where it starts, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nnspec.graph import Node
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


@dataclass(frozen=True, eq=False)
class Starts:
    """Initial states: for each direction, for each state, a view of (batch, unit)."""

    views: Sequence[Sequence[View]] = field(default_factory=tuple)

    def __bool__(self) -> bool:
        return bool(self.views)


def starts_of(lowering: Lowering, node: Node, inputs: list[View], names: Sequence[Sequence[str]]) -> Starts:
    """The initial states: further inputs of the node, or, where it is stateful, of the graph."""
    if len(inputs) > 1:
        given = iter(inputs[1:])
        return Starts([[next(given) for _ in direction] for direction in names])
    if not is_stateful(node):
        return Starts()
    return Starts([[_declared(lowering, node, name, inputs[0]) for name in direction] for direction in names])


def is_stateful(node: Node) -> bool:
    layer = node.inner or node
    return bool(layer.args["stateful"]) and len(node.inputs) == 1


def _declared(lowering: Lowering, node: Node, name: str, view: View) -> View:
    units = (node.inner or node).args["units"]
    unit = lowering.factor("unit", units)
    return lowering.declare_input(f"{node.name}_{name}", view.dtype, [(view.axes[0], "batch"), (unit, units)])


def keep_state(lowering: Lowering, node: Node, name: str, view: View) -> View:
    """Makes a state, a view of (batch, unit), an output of the graph that the next call takes as input."""
    from nnspec.backends.onnx.lowering import State

    ready = lowering.canonical(view)
    if ready is view:
        ready = lowering.elementwise("Identity", view)
    target = f"{node.name}_{name}_next"
    lowering.graph.rename(ready.tensor, target)
    units = (node.inner or node).args["units"]
    lowering.states.append(State(f"{node.name}_{name}", target, ("batch", units), view.dtype))
    return replace(ready, tensor=target)


def kept(lowering: Lowering, lengths: str | None, state: View, start: View | None) -> View:
    """A state after the last step; a sequence that is masked throughout still has the one that it started with.

    The ops give zeros there. `state` and `start` are views of (batch, unit).
    """
    if start is None or lengths is None:
        return state
    zero = lowering.constant(np.asarray(0, np.int32), "zero")
    axes = lowering.constant(np.asarray([1], np.int64), "axes")
    empty = lowering.once(
        "empty", lengths, lambda: lowering.node("Unsqueeze", lowering.node("Equal", lengths, zero), axes)
    )
    dims = (state.axes[0], state.axes[1])
    before, after = lowering.arrange(start, start.axes), lowering.arrange(state, dims)
    return replace(after, tensor=lowering.node("Where", empty, before.tensor, after.tensor))
