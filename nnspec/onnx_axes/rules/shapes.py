"""Operators that speak of shapes, and constants."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.ir.axes import multiply
from nnspec.onnx_axes.call import Call, Rule
from nnspec.onnx_axes.reading import array_of
from nnspec.onnx_axes.tensors import UNKNOWN, Number, Tensor, scalar, vector


def shape(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        return [Tensor(axes=(call.new(call.unknown_size("rank"), 0),))]
    sizes = [axis.size for axis in axes][slice(call.integer("start", 0), call.integer("end", len(axes)))]
    return [vector(sizes, call.owner)]


def size(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    return [scalar(None if axes is None else multiply(axis.size for axis in axes))]


def constant_of_shape(call: Call) -> Sequence[Tensor]:
    given = call.ints(0)
    if given is None:
        return [Tensor(axes=None, is_constant=True)]
    sizes = [call.unknown_size(f"axis {i}") if number is None else number for i, number in enumerate(given)]
    value = None
    if len(given) == 1 and isinstance(given[0], int) and given[0] <= 64:
        value = _fill_number(call) * given[0] or None
    axes = tuple(call.new(number, i) for i, number in enumerate(sizes))
    return [Tensor(axes=axes, numbers=value, is_constant=True)]


def _fill_number(call: Call) -> tuple[int, ...]:
    """What a `ConstantOfShape` is filled with, if that is a whole number: the attribute is a tensor of one number."""
    array = None if call.node.array is None else array_of(call.node.array)
    if array is None or array.size != 1 or array.dtype.kind not in "iub":
        return ()
    return (int(array.reshape(-1)[0]),)


def count(call: Call) -> Sequence[Tensor]:
    """Range."""
    bounds = [numbers[0] if numbers else None for numbers in (call.ints(i) for i in range(3))]
    known = [number for number in bounds if isinstance(number, int)]
    length: Number = None
    if len(known) == 3 and known[2]:
        length = len(range(*known))
    elif bounds[0] == 0 and bounds[2] == 1:
        length = bounds[1]
    return [Tensor(axes=(call.new(call.unknown_size("length") if length is None else length, 0),), is_constant=True)]


def random(call: Call) -> Sequence[Tensor]:
    if "shape" not in call.node.attributes:
        return [UNKNOWN]
    return [Tensor(axes=tuple(call.new(size, i) for i, size in enumerate(call.integers("shape"))))]


RULES: dict[str, Rule] = {
    "ConstantOfShape": constant_of_shape,
    "RandomNormal": random,
    "RandomUniform": random,
    "Range": count,
    "Shape": shape,
    "Size": size,
}
