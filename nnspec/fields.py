"""Receptive fields: which positions of an input axis an output position depends on.

Forwards over the graph: a window of `k` positions `s` apart on a value whose neighbours lie `j` input positions apart
adds `(k - 1)·j` to the field and makes the stride `s·j` (Araujo, Norris, Sim: Computing Receptive Fields of
Convolutional Neural Networks, Distill 2019).
"""

from __future__ import annotations

from fractions import Fraction

from nnspec.axes import Axes, Axis, Size, multiply
from nnspec.diagnostics import Fix
from nnspec.graph import Field, Value
from nnspec.layers.base import Call, Inferred, Window


def initial_fields(axes: Axes) -> dict[str, Field]:
    return {axis.name: Field() for axis in axes}


def origins(axis: Axis) -> dict[str, Size]:
    """The input axes that this axis runs through, each with the number of its positions here."""
    result: dict[str, Size] = {}
    for atom in axis.atoms:
        if atom.origin is not None:
            result[atom.origin] = multiply((result.get(atom.origin, 1), atom.size))
    if not result and axis.origin is not None:
        result[axis.origin] = axis.size
    return result


def propagate(call: Call, inferred: Inferred) -> dict[str, Field]:
    """The fields of a node's outputs."""
    merged = merge_fields(call)
    for position, window in inferred.windows.items():
        for origin, count in origins(call.axes[position]).items():
            if origin in merged:
                merged[origin] = slide(merged[origin], window, count)
    return merged


def slide(field: Field, window: Window, positions: Size) -> Field:
    """The field after a window over `positions` positions slides along it."""
    stride = _plain(field.stride * window.stride)
    if window.span is None:
        if not isinstance(positions, int) or field.size is None:
            return Field(None, stride, window.ahead)
        size = _plain(field.size + (positions - 1) * field.stride)
        return Field(size, stride, None if window.ahead is None else field.ahead)
    span = None if field.size is None else _plain(field.size + (window.span - 1) * field.stride)
    if field.ahead is None or window.ahead is None:
        return Field(span, stride, None)
    return Field(span, stride, _plain(field.ahead + window.ahead * field.stride))


def _plain(number: int | Fraction) -> int | Fraction:
    """A whole number as an int."""
    return int(number) if number == int(number) else number


def merge_fields(call: Call) -> dict[str, Field]:
    """At a join: the larger field along each axis. Branches whose strides differ are not aligned, which is said."""
    result: dict[str, Field] = {}
    for value in call.inputs:
        for name, field in value.fields.items():
            other = result.get(name)
            if other is None:
                result[name] = field
                continue
            if other.stride != field.stride and _follows(value, name):
                call.warn(
                    "NN318",
                    f"the branches that `{call.kind}` joins are not aligned along `{name}`: "
                    f"one moves {other.stride} input positions a step, the other {field.stride}",
                    fixes=[Fix("give both branches the same strides")],
                )
            result[name] = _larger(other, field)
    return result


def _follows(value: Value, origin: str) -> bool:
    return any(axis.origin == origin and axis.size != 1 for axis in value.axes)


def _larger(left: Field, right: Field) -> Field:
    size = None if left.size is None or right.size is None else max(left.size, right.size)
    ahead = None if left.ahead is None or right.ahead is None else max(left.ahead, right.ahead)
    return Field(size, max(left.stride, right.stride), ahead)
