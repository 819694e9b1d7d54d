"""Linear maps of an axis in whatever order memory has it: the rows of a kernel move, the data stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering
    from nnspec.backends.onnx.view import Group, View


def rows_in_memory_order(view: View, axis: int, kernel: Array) -> Array:
    """A kernel whose rows are the positions of an axis, with its rows in the order in which memory has them."""
    features = view.in_memory_order(axis)
    if features == view.axes[axis]:
        return kernel
    order = [view.axes[axis].index(factor) for factor in features]
    spread = kernel.reshape([*(factor.size or 1 for factor in view.axes[axis]), -1])
    return spread.transpose([*order, len(order)]).reshape(kernel.shape)


def move_axis_last(lowering: Lowering, view: View, axis: int) -> View:
    """The view with an axis as its last dimension, in memory's order; the others stay as they are."""
    features = view.in_memory_order(axis)
    inside = set(features)
    lead = [tuple(factor for factor in dim if factor not in inside) for dim in view.dims]
    lead = [dim for dim, old in zip(lead, view.dims, strict=True) if dim or not old]
    return lowering.arrange(view, (*lead, features))


def write_dense_product(
    lowering: Lowering, view: View, kernel: Array, bias: Array | None, made: Group, hint: str
) -> View:
    """The last axis times a kernel (position, column), plus a bias: `made` takes the axis' place, in memory too."""
    from nnspec.backends.onnx.view import View

    axis = len(view.axes) - 1
    ready = move_axis_last(lowering, view, axis)
    weight = lowering.constant(rows_in_memory_order(view, axis, kernel), f"{hint}_kernel")
    tensor = lowering.node("MatMul", ready.tensor, weight)
    if bias is not None:
        tensor = lowering.node("Add", tensor, lowering.constant(bias, f"{hint}_bias"))
    return View(tensor, (*ready.dims[:-1], made), (*view.axes[:-1], made), view.dtype)
