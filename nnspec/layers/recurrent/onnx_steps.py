"""Single steps of recurrent layers as plain ONNX nodes, for what the recurrent ops do not support.

A step reads a row of `x`, which is the input's product with the kernel, computed for all steps at once, and the states
(none before the first step, which then are zeros). Tensors have the dimensions (batch, unit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops import activations
from nnspec.backends.onnx.view import Group, View
from nnspec.ir.graph import Args
from nnspec.layers.recurrent.cell_types import States, SteppedCell
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering


def lstm_cell(args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
    """c' = f·c + i·g, h' = o·act(c')."""
    kernel, recurrent, bias = weights["kernel"], weights["recurrent_kernel"], weights.get("bias")
    gate, act = args["recurrent_activation"], args["activation"]

    def advance(lowering: Lowering, x: View, states: States) -> list[View]:
        total = gemm(lowering, states[0], recurrent, x) if states else x
        return lstm_states(lowering, split(lowering, total, args["units"], 4), states, gate, act)

    return SteppedCell(
        project=_projection(kernel, bias),
        advance=advance,
        shapes=_vectors(args["units"], 2),
        state_dims=_as_it_is,
        count=2,
        is_backwards=is_backwards,
    )


def lstm_states(
    lowering: Lowering, parts: Sequence[View], states: States, gate: str | None, act: str | None
) -> list[View]:
    """The new states from the sums of the gates i, f, g, o."""
    kept = activate(lowering, parts[1], gate) if states else None
    entering = binary(lowering, "Mul", activate(lowering, parts[0], gate), activate(lowering, parts[2], act))
    cell = entering
    if kept is not None:
        cell = binary(lowering, "Add", binary(lowering, "Mul", kept, states[1]), entering)
    shown = binary(lowering, "Mul", activate(lowering, parts[3], gate), activate(lowering, cell, act))
    return [shown, cell]


def gru_cell(args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
    """h' = z·h + (1 - z)·h~, written as h~ + z·(h - h~)."""
    units, gate, act = args["units"], args["recurrent_activation"], args["activation"]
    kernel, recurrent = weights["kernel"], weights["recurrent_kernel"]
    bias = weights.get("bias")
    own, ahead = (bias, None) if bias is None or bias.ndim == 1 else (bias[0], bias[1])

    def reset_after(lowering: Lowering, x: View, states: States) -> list[View]:
        z, r, proposed = split(lowering, x, units, 3)
        if states:
            product = gemm(lowering, states[0], recurrent, ahead)
            from_z, from_r, from_h = split(lowering, product, units, 3)
        elif ahead is not None:  # of a state of zeros only the biases are left
            rows = [lowering.constant(row, "bias") for row in np.split(ahead, 3)]
            from_z, from_r, from_h = (replace(z, tensor=row) for row in rows)
        else:
            return finish(lowering, activate(lowering, z, gate), activate(lowering, proposed, act), states)
        z = activate(lowering, binary(lowering, "Add", z, from_z), gate)
        r = activate(lowering, binary(lowering, "Add", r, from_r), gate)
        proposed = binary(lowering, "Add", proposed, binary(lowering, "Mul", r, from_h))
        return finish(lowering, z, activate(lowering, proposed, act), states)

    def reset_before(lowering: Lowering, x: View, states: States) -> list[View]:
        if not states:
            z, _, proposed = split(lowering, x, units, 3)
            return finish(lowering, activate(lowering, z, gate), activate(lowering, proposed, act), states)
        gates, proposed = split(lowering, x, units, (2, 1))
        z, r = split(lowering, gemm(lowering, states[0], recurrent[:, : 2 * units], gates), units, 2)
        z, r = activate(lowering, z, gate), activate(lowering, r, gate)
        left = binary(lowering, "Mul", r, states[0])
        proposed = gemm(lowering, left, recurrent[:, 2 * units :], proposed)
        return finish(lowering, z, activate(lowering, proposed, act), states)

    def finish(lowering: Lowering, z: View, proposed: View, states: States) -> list[View]:
        if not states:
            return [binary(lowering, "Sub", proposed, binary(lowering, "Mul", z, proposed))]
        moved = binary(lowering, "Mul", z, binary(lowering, "Sub", states[0], proposed))
        return [binary(lowering, "Add", proposed, moved)]

    advance = reset_after if args["reset_after"] else reset_before
    return SteppedCell(
        project=_projection(kernel, own),
        advance=advance,
        shapes=_vectors(units, 1),
        state_dims=_as_it_is,
        count=1,
        is_backwards=is_backwards,
    )


def simple_cell(args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
    """h' = act(x·W + h·U + b)."""
    recurrent = weights["recurrent_kernel"]

    def advance(lowering: Lowering, x: View, states: States) -> list[View]:
        total = gemm(lowering, states[0], recurrent, x) if states else x
        return [activate(lowering, total, args["activation"])]

    project = _projection(weights["kernel"], weights.get("bias"))
    return SteppedCell(
        project=project,
        advance=advance,
        shapes=_vectors(args["units"], 1),
        state_dims=_as_it_is,
        count=1,
        is_backwards=is_backwards,
    )


# ------------------------------------------------------------------------------------------------------ pieces


def _projection(kernel: np.ndarray, bias: np.ndarray | None) -> Callable[[Lowering, View], View]:
    """All steps' input times the kernel, in one product."""

    def project(lowering: Lowering, view: View) -> View:
        batch, step = view.axes[0], view.axes[1]
        ready = lowering.arrange(view, (step, batch, view.in_memory_order(2)))
        rows = lowering.constant(kernel[view.flat_order(2)], "kernel")
        tensor = lowering.node("MatMul", ready.tensor, rows)
        if bias is not None:
            tensor = lowering.node("Add", tensor, lowering.constant(bias, "bias"))
        columns = lowering.factor("unit", kernel.shape[1])
        return replace(view, tensor=tensor, dims=(step, batch, columns), axes=(batch, step, columns), mask=None)

    return project


def _vectors(units: int, count: int) -> Callable[[Lowering, View], list[View]]:
    def shapes(lowering: Lowering, row: View) -> list[View]:
        groups = (row.axes[0], lowering.factor("unit", units))
        return [replace(row, dims=groups, axes=groups)] * count

    return shapes


def _as_it_is(state: View) -> tuple[Group, ...]:
    return state.axes


def gemm(lowering: Lowering, state: View, matrix: np.ndarray, plus: View | np.ndarray | None) -> View:
    """state · matrix + plus."""
    more = []
    if plus is not None:
        more = [plus.tensor if isinstance(plus, View) else lowering.constant(plus, "bias")]
    tensor = lowering.node("Gemm", state.tensor, lowering.constant(matrix, "recurrent_kernel"), *more)
    columns = lowering.factor("unit", matrix.shape[1])
    groups = (state.axes[0], columns)
    return replace(state, tensor=tensor, dims=groups, axes=groups)


def split(lowering: Lowering, view: View, units: int, parts: int | tuple[int, ...], axis: int = 1) -> list[View]:
    """Blocks of `units` positions along a dimension that is an axis by itself; or blocks of several `units` each."""
    counts = (1,) * parts if isinstance(parts, int) else parts
    if len(counts) == 1:
        return [view]
    sizes = lowering.constant(np.asarray([count * units for count in counts], np.int64), "split")
    tensors = lowering.nodes("Split", view.tensor, sizes, outputs=len(counts), axis=axis)
    group = view.dims[axis]
    result = []
    for tensor, count in zip(tensors, counts, strict=True):
        own = lowering.factor("unit", count * units)
        dims = tuple(own if i == axis else dim for i, dim in enumerate(view.dims))
        axes = tuple(own if each == group else each for each in view.axes)
        result.append(replace(view, tensor=tensor, dims=dims, axes=axes))
    return result


def activate(lowering: Lowering, view: View, activation: str | None) -> View:
    """The view after an activation, its dimensions where they were (softmax wants its axis last)."""
    return lowering.arrange(activations.activate(lowering, view, activation), view.dims)


def binary(lowering: Lowering, op: str, left: View, right: View) -> View:
    """An op on two tensors of the same dimensions."""
    return replace(left, tensor=lowering.node(op, left.tensor, right.tensor))
