"""Keras' sums, means and moments taken in parts, which is more exact than its own float32 sums of many values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nnspec.backends.keras.engine import uncompiled_predictions
from nnspec.backends.types import Tensor

MANY = 1024  # positions of one axis; fewer are added as Keras does
LENGTH = 256  # positions that are added at a time, of an axis of many

Reduction = Callable[..., Tensor]


@contextmanager
def sums_in_parts() -> Iterator[list[str]]:
    """Within it, Keras takes sums and means along one axis after another, and along a long axis in parts.

    Gives the names of the functions that were asked for what has many positions, or may have.
    """
    from keras.src import backend

    asked: list[str] = []
    numpy, nn = backend.numpy, backend.nn
    exact = {"sum": numpy.sum, "mean": numpy.mean, "var": numpy.var, "std": numpy.std}
    moments = nn.moments

    def mean(x: Tensor, axes: Sequence[int], *, keepdims: bool) -> Tensor:
        return _reduce(exact["sum"], x, axes, keepdims=keepdims) / _count(x, axes)

    def variance(x: Tensor, axes: Sequence[int], *, keepdims: bool) -> Tensor:
        apart = x - mean(x, axes, keepdims=True)
        return mean(apart * apart, axes, keepdims=keepdims)

    made: dict[str, Reduction] = {
        "sum": lambda x, axes, keepdims: _reduce(exact["sum"], x, axes, keepdims=keepdims),
        "mean": lambda x, axes, keepdims: mean(x, axes, keepdims=keepdims),
        "var": lambda x, axes, keepdims: variance(x, axes, keepdims=keepdims),
        "std": lambda x, axes, keepdims: variance(x, axes, keepdims=keepdims) ** 0.5,
    }

    def replaced(name: str) -> Reduction:
        def over(x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
            axes = _axes(x, axis)
            if not _may_be_inexact(x, axes):
                return exact[name](x, axis=axis, keepdims=keepdims)
            asked.append(name)
            return made[name](x, axes, keepdims)

        return over

    def moments_in_parts(
        x: Tensor, axes: int | Sequence[int], keepdims: bool = False, synchronized: bool = False
    ) -> Tensor:
        places = _axes(x, axes)
        if synchronized or not _may_be_inexact(x, places):
            return moments(x, axes, keepdims=keepdims, synchronized=synchronized)
        asked.append("moments")
        return mean(x, places, keepdims=keepdims), variance(x, places, keepdims=keepdims)

    try:
        for name in exact:
            setattr(numpy, name, replaced(name))
        nn.moments = moments_in_parts
        with uncompiled_predictions():
            yield asked
    finally:
        for name, function in exact.items():
            setattr(numpy, name, function)
        nn.moments = moments


def _axes(x: Tensor, axis: int | Sequence[int] | None) -> list[int]:
    rank = len(x.shape)
    if axis is None:
        return list(range(rank))
    return [place % rank for place in ([axis] if isinstance(axis, int) else axis)]


def _may_be_inexact(x: Tensor, axes: Sequence[int]) -> bool:
    """Whether these are float32 values of several axes, or of one that is long or may be."""
    from keras.src.backend import standardize_dtype

    if standardize_dtype(getattr(x, "dtype", "int32")) != "float32":
        return False
    return len(axes) > 1 or any(x.shape[axis] is None or x.shape[axis] > MANY for axis in axes)


def _count(x: Tensor, axes: Sequence[int]) -> Tensor:
    """How many values of x are reduced to one."""
    from keras import ops

    count = 1.0
    for axis in axes:
        count = count * ops.cast(ops.shape(x)[axis], x.dtype)
    return count


def _reduce(add: Reduction, x: Tensor, axes: Sequence[int], *, keepdims: bool) -> Tensor:
    """The sum along one axis after another, from the last to the first."""
    from keras import ops

    for axis in sorted(axes, reverse=True):
        size = x.shape[axis]
        if size is None or size > MANY:
            shape = list(ops.shape(x))
            missing = -shape[axis] % LENGTH
            x = ops.pad(x, [(0, missing if place == axis else 0) for place in range(len(shape))])
            x = ops.reshape(x, [*shape[:axis], (shape[axis] + missing) // LENGTH, LENGTH, *shape[axis + 1 :]])
            x = add(x, axis=axis + 1)
        x = add(x, axis=axis, keepdims=keepdims)
    return x
