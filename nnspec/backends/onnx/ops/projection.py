"""Linear maps along an axis in any memory layout: the rows of the kernel are reordered, not the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import without_factors

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering
    from nnspec.backends.onnx.view import Group, View


def rows_in_memory_order(view: View, axis: int, kernel: Array) -> Array:
    """A kernel whose rows are the positions of an axis, with its rows in the order in which memory has them."""
    return reorder_rows(kernel, 0, view.axes[axis], view.in_memory_order(axis))


def reorder_rows(kernel: Array, dim: int, factors: Group, wanted: Group) -> Array:
    """A kernel that has the positions of `factors` along `dim` (slow to fast), in the order of `wanted`."""
    if factors == wanted:
        return kernel
    order = [dim + factors.index(factor) for factor in wanted]
    spread = kernel.reshape([*kernel.shape[:dim], *(factor.size or 1 for factor in factors), *kernel.shape[dim + 1 :]])
    moved = spread.transpose([*range(dim), *order, *range(dim + len(factors), spread.ndim)])
    return moved.reshape(kernel.shape)


def move_axis_last(lowering: Lowering, view: View, axis: int) -> View:
    """The view with an axis as its last dimension, in memory's order; the others stay as they are."""
    features = view.in_memory_order(axis)
    return lowering.arrange(view, (*without_factors(view.dims, features), features))


def write_product(
    lowering: Lowering, view: View, weight: str, bias: str | None, made: Group, *, is_gemm: bool = False
) -> View:
    """The last dimension of a view times a matrix (position, column), plus a bias; `made` stands in its place.

    Args:
        weight: a constant, which may have a dimension of its own for each of the view's before the last two.
        is_gemm: whether one Gemm is to do it, of two dimensions, rather than MatMul and Add.
    """
    added = [] if bias is None else [bias]
    if is_gemm:
        tensor = lowering.node("Gemm", view.tensor, weight, *added)
    else:
        tensor = lowering.node("MatMul", view.tensor, weight)
        tensor = lowering.node("Add", tensor, *added) if added else tensor
    return replace(view, tensor=tensor, dims=(*view.dims[:-1], made))


def write_dense_product(
    lowering: Lowering, view: View, kernel: Array, bias: Array | None, made: Group, hint: str
) -> View:
    """The last axis times a kernel (position, column), plus a bias: `made` takes the axis' place, in memory too."""
    axis = len(view.axes) - 1
    ready = move_axis_last(lowering, view, axis)
    weight = lowering.constant(rows_in_memory_order(view, axis, kernel), f"{hint}_kernel")
    added = None if bias is None else lowering.constant(bias, f"{hint}_bias")
    product = write_product(lowering, ready, weight, added, made)
    return replace(product, axes=(*view.axes[:-1], made), mask=None)
