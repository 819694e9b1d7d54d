"""Constants of a model as weights that the spec declares: with their numbers, or, where those are many, with a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import Constant, ImportFault
from nnspec.importers.keras.operations.tables import flatten, shortest
from nnspec.ir.axes import Axes

if TYPE_CHECKING:
    from nnspec.importers.keras.operations.operation import Operation


def scalar(constant: Constant) -> float | None:
    """The number of a constant that is one, None for others."""
    numbers = flatten(constant.value) if math.prod(constant.shape) == 1 else []
    return shortest(numbers[0]) if numbers else None


def axes_of(op: Operation, constant: Constant, axes: Axes) -> dict[str, int]:
    """The axes of a constant that meets values of these axes from the right, as Python's arrays do; units are left out.

    Raises:
        ImportFault: where it has a batch of its own.
    """
    shape = constant.shape
    if len(shape) == len(axes) + 1 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) > len(axes):
        raise ImportFault(
            f"{op.description} computes with a constant of the shape {constant.shape}, whose first axis is a "
            f"separate batch",
            help="leave its first axis out, so that every sample meets the same numbers",
        )
    met = axes[len(axes) - len(shape) :]
    return {axis.name: size for axis, size in zip(met, shape, strict=True) if size != 1}


def bias_axes(constant: Constant, axes: Axes) -> dict[str, int] | None:
    """The axis along which Keras adds a constant that it takes for a bias on TensorFlow, whatever place it has.

    That is one whose sizes are 1 but for one, the size of the value's last axis or of its first; None for others.
    """
    sizes = [size for size in constant.shape if size != 1]
    if len(sizes) != 1 or not axes:
        return None
    return next(({axis.name: sizes[0]} for axis in (axes[-1], axes[0]) if axis.size == sizes[0]), None)


def as_value(op: Operation, constant: Constant, like: Read, names: Sequence[str]) -> Read:
    """A constant as a value that is the same for every sample, with these names for all its axes."""
    axes = dict(zip(names, constant.shape, strict=True))
    return op.add("weight", op.tables.body(constant, axes, op.call.name), [like])
