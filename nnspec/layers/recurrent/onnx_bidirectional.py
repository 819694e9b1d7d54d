"""Bidirectional in ONNX: one op where it can do both directions, whose results are joined along a dimension."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.view import Packing, group_size
from nnspec.ir.graph import Node
from nnspec.layers.merging.concatenation import concatenate
from nnspec.layers.recurrent.base import Recurrent, states_of_both, strip_prefix
from nnspec.layers.recurrent.cell_types import AnyCell, Cell
from nnspec.layers.recurrent.onnx_mask import last_of_data, show_zeros, unless_empty, unpack_steps
from nnspec.layers.recurrent.onnx_op import write_held_op, write_op, write_packed_op
from nnspec.layers.recurrent.onnx_run import (
    DirectionOutput,
    OutputOptions,
    as_run,
    keep_states,
    run_direction,
    step_mask,
)
from nnspec.layers.recurrent.onnx_states import starts_of
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, View

REDUCTIONS = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}


def run_both(lowering: Lowering, node: Node, inputs: list[View]) -> list[View]:
    """The joined output (or both), then the states if the layers return them."""
    forward = node.inner
    assert forward is not None
    backward = node.backward or forward
    specs = states_of_both(forward, backward)
    stateful = forward.args["stateful"]
    starts = starts_of(lowering, node, inputs, specs, stateful=stateful)
    half = len(specs) // 2
    cells = [_cells(lowering, forward, "forward"), _cells(lowering, backward, "backward")]
    both = [starts[:half], starts[half:]] if starts else [[], []]
    mode, every = node.args["merge_mode"], forward.args["return_sequences"]
    mask = step_mask(node, inputs[0])
    first, second = as_run(cells[0][0], inputs[0]), as_run(cells[1][0], inputs[0])
    if (
        len(cells[0]) == len(cells[1]) == 1
        and isinstance(first, Cell)
        and isinstance(second, Cell)
        and first.fits(second)
        and (mask is None or first.keeps_state or (first.op == "LSTM" and first.hold is not None and not starts))
    ):
        results, states = _by_one_op(lowering, inputs[0], mask, [first, second], both, every=every, mode=mode)
    else:
        wanted = OutputOptions(every, in_place=True, zero=every)
        made = [run_direction(lowering, inputs[0], mask, cells[i], both[i], wanted) for i in range(2)]
        results, states = _merge_directions(lowering, made, mode), [*made[0].states, *made[1].states]
    if stateful and len(inputs) == 1:
        states = list(keep_states(lowering, node, specs, states))
    return [*results, *(states if forward.args["return_state"] else ())]


def _cells(lowering: Lowering, layer: Node, direction: str) -> list[AnyCell]:
    assert isinstance(layer.layer, Recurrent)
    weights = strip_prefix(f"{direction}_", lowering.weights)
    return list(layer.layer.cells(layer, weights, is_backwards=direction == "backward"))


# ------------------------------------------------------------------------------------------------------ one op


def _by_one_op(
    lowering: Lowering,
    view: View,
    mask: Mask | None,
    cells: list[Cell],
    starts: list[list[View]],
    *,
    every: bool,
    mode: str | None,
) -> tuple[list[View], list[View]]:
    given = starts if starts[0] else []
    if mask is None:
        ran = write_op(lowering, view, cells, given)
    elif cells[0].keeps_state:
        ran = write_held_op(lowering, view, mask, cells, given)
    else:  # padding behind: the backward direction reads it first, its states zeros until data come
        ran = write_packed_op(lowering, view, mask, cells, given, Packing(is_reversed=False, pads_first=False))
    last = [[_last(lowering, state, direction) for state in ran.last] for direction in range(2)]
    if mask is None or ran.packing is None:
        results = merge(lowering, ran.steps if every else ran.last[0], mode)
        if mask is not None:
            results = [_apply_mask(lowering, view, mask, every=every, has_starts=bool(given)) for view in results]
    else:
        end = last_of_data(lowering, _steps_of(lowering, ran.steps, 0), mask)
        last[0][0] = unless_empty(lowering, mask, end, None)
        if every:
            results = [
                unpack_steps(lowering, view, mask, ran.packing, "zero") for view in merge(lowering, ran.steps, mode)
            ]
        else:
            made = [DirectionOutput(states[0], ()) for states in last]
            results = _merge_directions(lowering, made, mode)
    return results, [*last[0], *last[1]]


def _apply_mask(lowering: Lowering, view: View, mask: Mask, *, every: bool, has_starts: bool) -> View:
    """What Keras shows of an op that kept its state at masked steps: zeros there, and where there are no data."""
    if every:
        zeroed = show_zeros(lowering, view, mask, how="masked")
        lowering.harmless.add((zeroed.tensor, mask.view.tensor))
        return zeroed
    return unless_empty(lowering, mask, view, None) if has_starts else view


def _steps_of(lowering: Lowering, view: View, direction: int) -> View:
    """The steps of one direction: of (batch, step, direction, unit)."""
    batch, step, own, unit = view.axes
    dims = tuple(dim for dim in view.dims if dim != own)
    return replace(view, tensor=_take(lowering, view, direction), dims=dims, axes=(batch, step, unit))


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


def _last(lowering: Lowering, view: View, direction: int) -> View:
    batch, _, unit = view.axes
    return replace(view, tensor=_take(lowering, view, direction), dims=(batch, unit), axes=(batch, unit))


# ------------------------------------------------------------------------------------------------------ two runs


def _merge_directions(lowering: Lowering, made: list[DirectionOutput], mode: str | None) -> list[View]:
    """The outputs of the two directions, as `merge_mode` says."""
    views = [one.output for one in made]
    if mode is None:
        return views
    if mode != "concat":
        left, right = lowering.aligned(views)
        tensor = lowering.node("Mul" if mode == "mul" else "Add", left.tensor, right.tensor)
        if mode == "ave":
            tensor = lowering.node("Mul", tensor, lowering.scalar(0.5, left.dtype))
        return [replace(left, tensor=tensor, mask=None)]
    axis = len(views[0].axes) - 1
    return [concatenate(lowering, views, axis, "unit", 2 * (group_size(views[0].axes[axis]) or 1))]
