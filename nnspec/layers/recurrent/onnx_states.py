"""The states of recurrent layers in ONNX: their initial and final values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.layers.recurrent.states import StateSpec


def starts_of(
    lowering: Lowering, node: Node, inputs: list[View], states: Sequence[StateSpec], *, stateful: bool
) -> list[View]:
    """The initial states: further inputs of the node, or, where it is stateful, of the graph. Empty: zeros."""
    if len(inputs) > 1:
        return inputs[1:]
    return [_declared(lowering, node, state, inputs[0]) for state in states] if stateful else []


def _declared(lowering: Lowering, node: Node, state: StateSpec, view: View) -> View:
    sizes = [(lowering.factor(axis.name, axis.size), int(str(axis.size))) for axis in state.axes]
    names = ["batch", *(axis.name for axis in state.axes)]
    return lowering.declare_input(state.port(node), view.dtype, [(view.axes[0], "batch"), *sizes], names)


def keep_state(lowering: Lowering, node: Node, state: StateSpec, view: View) -> View:
    """Makes a state, a view of (batch, …), an output of the graph that the next call takes as input."""
    from nnspec.backends.onnx.lowering import State

    ready = lowering.canonical(view)
    if ready is view:
        ready = lowering.elementwise("Identity", view)
    target = f"{state.port(node)}_next"
    lowering.graph.rename(ready.tensor, target)
    shape: tuple[int | str, ...] = ("batch", *(int(str(axis.size)) for axis in state.axes))
    lowering.states.append(State(state.port(node), target, shape, view.dtype))
    return replace(ready, tensor=target)
