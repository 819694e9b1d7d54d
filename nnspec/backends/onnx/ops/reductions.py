"""Sums and means over several dimensions, exact enough where positions are many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
    """The op, ReduceMean or ReduceSum, over these dimensions of a tensor: one after another where positions are many.

    Runtimes add float32 values one by one. Of 264 × 264 equal values ONNX Runtime's mean is off by 1e-4 (relative),
    its GlobalAveragePool by 9e-4; along one dimension after the other it is off by 1e-6, and takes no longer.

    Args:
        groups: all dimensions of the tensor.
    """
    steps = [[dim] for dim in sorted(dims, reverse=True)] if has_many([groups[dim] for dim in dims]) else [list(dims)]
    for step in steps:
        tensor = lowering.node(op, tensor, lowering.constant(np.asarray(step, np.int64), "axes"), keepdims=keepdims)
    return tensor
