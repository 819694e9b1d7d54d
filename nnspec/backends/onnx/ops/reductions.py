"""Sums and means over dimensions, exact enough where positions are many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.backends.onnx.view import group_size
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group

MANY = 1024  # positions; a mean of fewer equal values is off by less than 2e-5 (relative), however it is summed


def has_many(groups: Sequence[Group]) -> bool:
    """Whether dimensions have many positions together, or may have: several of which one has an open size."""
    sizes = [factor.size for group in groups for factor in group]
    return (None in sizes and len(groups) > 1) or math.prod(size or 1 for size in sizes) > MANY


def reduce_over(
    lowering: Lowering, op: str, tensor: str, dims: Sequence[int], groups: Sequence[Group], keepdims: int
) -> str:
    """The op, ReduceMean or ReduceSum, over these dimensions of a float tensor: in parts where positions are many.

    Runtimes add float32 values one by one. Of 264 × 264 equal values ONNX Runtime's mean is off by 1e-4 (relative),
    its GlobalAveragePool by 9e-4; along one dimension after the other it is off by 1e-6, and takes no longer. A long
    dimension is added in rows of about its square root for the same reason: over 16,000 positions 1e-6 instead of
    2e-4, in a tenth of the time where there are 64 channels. One of an open size is added as it is.

    Args:
        groups: all dimensions of the tensor.
    """
    if not has_many([groups[dim] for dim in dims]):
        return lowering.node(op, tensor, _ints(lowering, dims, "axes"), keepdims=keepdims)
    left = list(groups)
    for dim in sorted(dims, reverse=True):
        tensor = _reduce_along(lowering, op, tensor, dim, left, keepdims)
        left[dim : dim + 1] = [()] if keepdims else []
    return tensor


def _reduce_along(lowering: Lowering, op: str, tensor: str, dim: int, groups: Sequence[Group], keepdims: int) -> str:
    """The op over one dimension: of many positions, over rows of it and then over what they come to."""
    size, behind = group_size(groups[dim]), [group_size(group) for group in groups[dim + 1 :]]
    if size is None or size <= MANY or behind.count(None) > 1:
        return lowering.node(op, tensor, _ints(lowering, [dim], "axes"), keepdims=keepdims)
    rows, length = cut(size)
    is_padded = rows * length > size
    if is_padded:  # by zeros, which no sum minds
        ends = np.zeros(2 * len(groups), np.int64)
        ends[len(groups) + dim] = rows * length - size
        tensor = lowering.node("Pad", tensor, lowering.constant(ends, "pads"))
    shape = [0] * dim + [rows, length] + [-1 if each is None else each for each in behind]
    inner = op if not is_padded else "ReduceSum"
    tensor = lowering.node("Reshape", tensor, _ints(lowering, shape, "rows"))
    tensor = lowering.node(inner, tensor, _ints(lowering, [dim + 1], "axes"), keepdims=0)
    tensor = lowering.node(inner, tensor, _ints(lowering, [dim], "axes"), keepdims=keepdims)
    if is_padded and op == "ReduceMean":
        tensor = lowering.node("Div", tensor, lowering.scalar(float(size)))
    return tensor


def cut(size: int) -> tuple[int, int]:
    """Rows, and positions in each, that hold so many positions: no more if the size divides well."""
    root = math.isqrt(size)
    for rows in range(root, max(1, root // 4), -1):
        if size % rows == 0:
            return rows, size // rows
    return root, -(-size // root)


def _ints(lowering: Lowering, values: Sequence[int], hint: str) -> str:
    return lowering.constant(np.asarray(values, np.int64), hint)
