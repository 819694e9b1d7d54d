"""Sums for which Keras gives wrong results at some sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras import ops

if TYPE_CHECKING:
    from nnspec.backends.types import KerasTensor


def add(left: KerasTensor, right: KerasTensor) -> KerasTensor:
    """The sum of two values, one of which may be repeated along axes where it has one position.

    On TensorFlow, `keras.ops.add` takes the second value for a bias where all its sizes but one are 1 and that one is
    the size of the first value's channels: a number for each sample is then added along the channels as soon as there
    are as many samples, and a column along the rows of a square. A difference is not looked at so.
    """
    if _is_safe(left, right):
        return ops.add(left, right)
    return ops.subtract(left, ops.negative(right))


def _is_safe(left: KerasTensor, right: KerasTensor) -> bool:
    """Whether what looks like a bias is one: both are alike, or the second has all positions of the last axis."""
    if not hasattr(left, "shape") or not hasattr(right, "shape"):
        return True
    if len(left.shape) == 0 or len(right.shape) == 0 or tuple(left.shape) == tuple(right.shape):
        return True
    return right.shape[-1] is not None and right.shape[-1] == left.shape[-1] != 1
