"""Bidirectional in ONNX: one op for both directions, whose results are joined along its direction dimension."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.graph import Node
from nnspec.layers.recurrent_base import Recurrent
from nnspec.layers.recurrent_mask import hold
from nnspec.layers.recurrent_onnx import Cell, Ran, run
from nnspec.layers.recurrent_states import is_stateful, keep_state, kept, starts_of
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View

REDUCTIONS = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


def run_both(lowering: Lowering, node: Node, inputs: list[View]) -> list[View]:
    """The joined output (or both), then the states if the layers return them."""
    from nnspec.layers.bidirectional import state_names

    forward = node.inner
    assert forward is not None
    backward = node.backward or forward
    names = state_names(forward, backward)
    cells = [_cell(lowering, forward, "forward"), _cell(lowering, backward, "backward")]
    starts = starts_of(lowering, node, inputs, names)
    ran = run(lowering, node, inputs[0], cells, starts)
    is_sequence = forward.args["return_sequences"]
    results = merge(lowering, ran.steps if is_sequence else ran.last[0], node.args["merge_mode"])
    if is_sequence and ran.mask is not None and not ran.mask.is_right_padded:
        results = [hold(lowering, view, ran.mask, ran.lengths, "zero") for view in results]
    if not (forward.args["return_state"] or is_stateful(node)):
        return results
    for direction, states in enumerate(names):
        for i, name in enumerate(states):
            start = starts.views[direction][i] if starts else None
            state = kept(lowering, ran.lengths, _last(lowering, ran, direction, i), start)
            if is_stateful(node):
                state = keep_state(lowering, node, name, state)
            if forward.args["return_state"]:
                results.append(state)
    return results


def _cell(lowering: Lowering, layer: Node, direction: str) -> Cell:
    assert isinstance(layer.layer, Recurrent)
    prefix = f"{direction}_"
    weights = {name.removeprefix(prefix): w for name, w in lowering.weights.items() if name.startswith(prefix)}
    return layer.layer.cell(layer, weights, is_backwards=direction == "backward")


def merge(lowering: Lowering, view: View, mode: str | None) -> list[View]:
    """A view of (batch, …, direction, unit) as (batch, …, unit); without a mode, one for each direction."""
    *rest, direction, unit = view.axes
    if mode == "concat":
        return [view.with_axes((*rest, (*direction, *unit)))]
    place = view.dims.index(direction)
    dims = tuple(dim for i, dim in enumerate(view.dims) if i != place)
    if mode is None:
        return [replace(view, tensor=_take(lowering, view, i), dims=dims, axes=(*rest, unit)) for i in range(2)]
    axes = lowering.constant(np.asarray([place], np.int64), "axes")
    tensor = lowering.node(REDUCTIONS[mode], view.tensor, axes, keepdims=0)
    return [replace(view, tensor=tensor, dims=dims, axes=(*rest, unit))]


def _take(lowering: Lowering, view: View, direction: int) -> str:
    place = view.dims.index(view.axes[-2])
    index = lowering.constant(np.asarray(direction, np.int64), "direction")
    return lowering.node("Gather", view.tensor, index, axis=place)


def _last(lowering: Lowering, ran: Ran, direction: int, state: int) -> View:
    view = ran.last[state]
    batch, _, unit = view.axes
    return replace(view, tensor=_take(lowering, view, direction), dims=(batch, unit), axes=(batch, unit))
