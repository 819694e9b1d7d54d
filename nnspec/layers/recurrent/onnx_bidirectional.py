"""Bidirectional in ONNX: one op where it can do both directions, whose results are joined along a dimension."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.view import group_size
from nnspec.ir.graph import Node
from nnspec.layers.merging.concatenation import concatenate
from nnspec.layers.recurrent.base import Recurrent, states_of_both, strip_prefix
from nnspec.layers.recurrent.cell_types import AnyCell, Cell
from nnspec.layers.recurrent.onnx_mask import unpack_steps
from nnspec.layers.recurrent.onnx_op import write_op
from nnspec.layers.recurrent.onnx_run import (
    DirectionOutput,
    OutputOptions,
    as_run,
    keep_states,
    run_direction,
    step_mask,
)
from nnspec.layers.recurrent.onnx_states import keep_if_masked, starts_of
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
    ):
        results, states = _by_one_op(lowering, inputs[0], mask, [first, second], both, every, mode)
    else:
        wanted = OutputOptions(every, in_place=True, zero=every)
        made = [run_direction(lowering, inputs[0], mask, cells[i], both[i], wanted) for i in range(2)]
        results, states = _joined(lowering, made, mode), [*made[0].states, *made[1].states]
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
    every: bool,
    mode: str | None,
) -> tuple[list[View], list[View]]:
    ran = write_op(lowering, view, mask, cells, starts if starts[0] else [])
    results = merge(lowering, ran.steps if every else ran.last[0], mode)
    if every and mask is not None and not mask.is_right_padded:
        results = [unpack_steps(lowering, view, mask, ran.lengths, "zero") for view in results]
    states = []
    for direction in range(2):
        for i in range(cells[0].count):
            start = starts[direction][i] if starts[direction] else None
            states.append(keep_if_masked(lowering, ran.lengths, _last(lowering, ran.last[i], direction), start))
    return results, states


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


def _joined(lowering: Lowering, made: list[DirectionOutput], mode: str | None) -> list[View]:
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
