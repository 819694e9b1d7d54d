"""Shapes of what operators move, select, repeat or count."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nnspec.backends.onnx.targets.computing import broadcast
from nnspec.backends.onnx.targets.operands import Dim, Operands, Rule, Shape


def _concat(given: Operands) -> Sequence[Shape]:
    shapes = [shape for shape in given.shapes if shape is not None]
    if len(shapes) < len(given.shapes):
        return [None]
    axis = given.number("axis") % len(shapes[0])
    made: list[Dim] = []
    for place, sizes in enumerate(zip(*shapes, strict=True)):
        if place == axis:
            made.append(None if None in sizes else sum(size for size in sizes if size is not None))
        else:
            made.append(next((size for size in sizes if size is not None), None))
    return [tuple(made)]


def _split(given: Operands) -> Sequence[Shape]:
    shape, count = given.shape(), len(given.node.outputs)
    if shape is None or (given.has(1) and given.numbers(1) is None):
        return [None] * count
    axis = given.number("axis", 0) % len(shape)
    size = shape[axis]
    parts: Sequence[Dim] | None = given.numbers(1)
    if parts is None:
        if size is None:
            parts = [None] * count
        else:
            each = -(-size // count)
            parts = [min(each, size - i * each) for i in range(count)]
    return [(*shape[:axis], part, *shape[axis + 1 :]) for part in parts]


def _slice(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    starts, ends = given.numbers(1), given.numbers(2)
    if shape is None:
        return [None]
    axes = given.numbers(3) if given.has(3) else None
    if starts is None or ends is None or (axes is None and given.has(3)):
        return [(None,) * len(shape)]
    steps = given.numbers(4) or [1] * len(starts)
    made = list(shape)
    for start, end, axis, step in zip(starts, ends, axes or range(len(starts)), steps, strict=True):
        size = made[axis]
        made[axis] = None if size is None else len(range(size)[slice(start, end if abs(end) < 2**31 else None, step)])
        if size is not None and step < 0 and end < -size:
            made[axis] = len(range(size)[start::step])
    return [tuple(made)]


def _gather(given: Operands) -> Sequence[Shape]:
    shape, indices = given.shape(0), given.shape(1)
    if shape is None or indices is None:
        return [None]
    axis = given.number("axis", 0) % len(shape)
    return [shape[:axis] + indices + shape[axis + 1 :]]


def _gather_nd(given: Operands) -> Sequence[Shape]:
    shape, indices = given.shape(0), given.shape(1)
    if shape is None or indices is None or indices[-1] is None:
        return [None]
    return [indices[:-1] + shape[indices[-1] + given.number("batch_dims", 0) :]]


def _transpose(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    if shape is None:
        return [None]
    return [tuple(shape[place] for place in given.integers("perm") or reversed(range(len(shape))))]


def _reshape(given: Operands) -> Sequence[Shape]:
    shape, target = given.shape(), given.numbers(1)
    if target is None:
        return [_of_open_sizes(given.shape(1))]
    made: list[Dim] = []
    for place, size in enumerate(target):
        copied = shape[place] if shape is not None and place < len(shape) else None
        made.append(copied if size == 0 and not given.number("allowzero") else size)
    if -1 in target:
        place = target.index(-1)
        made[place] = None
        kept = [i for i, size in enumerate(target) if size == 0 and shape is not None and shape[i] is None]
        given_sizes = None if shape is None else [size for i, size in enumerate(shape) if i not in kept]
        rest = [size for i, size in enumerate(made) if i != place and i not in kept]
        if given_sizes is not None and None not in given_sizes and None not in rest:
            total = math.prod(size for size in given_sizes if size is not None)
            made[place] = total // max(1, math.prod(size for size in rest if size is not None))
    return [tuple(made)]


def _squeeze(given: Operands) -> Sequence[Shape]:
    shape, axes = given.shape(), given.numbers(1)
    if shape is None or (axes is None and given.has(1)):
        return [None]
    if axes is None:
        return [None if None in shape else tuple(size for size in shape if size != 1)]
    gone = {axis % len(shape) for axis in axes}
    return [tuple(size for place, size in enumerate(shape) if place not in gone)]


def _unsqueeze(given: Operands) -> Sequence[Shape]:
    shape, axes = given.shape(), given.numbers(1)
    if shape is None or axes is None:
        return [None]
    rank = len(shape) + len(axes)
    new = {axis % rank for axis in axes}
    rest = iter(shape)
    return [tuple(1 if place in new else next(rest) for place in range(rank))]


def _expand(given: Operands) -> Sequence[Shape]:
    target = given.numbers(1)
    return [_of_open_sizes(given.shape(1)) if target is None else broadcast([given.shape(), tuple(target)])]


def _of_open_sizes(sizes: Shape) -> Shape:
    """The shape that a computed vector of sizes stands for: as many open dimensions as it has numbers."""
    return None if sizes is None or len(sizes) != 1 or sizes[0] is None else (None,) * sizes[0]


def _tile(given: Operands) -> Sequence[Shape]:
    shape, times = given.shape(), given.numbers(1)
    if shape is None:
        return [None]
    if times is None:
        return [(None,) * len(shape)]
    return [tuple(None if size is None else size * count for size, count in zip(shape, times, strict=True))]


def _pad(given: Operands) -> Sequence[Shape]:
    shape, pads = given.shape(), given.numbers(1)
    if shape is None:
        return [None]
    axes = given.numbers(3) if given.has(3) else list(range(len(shape)))
    if pads is None or axes is None:
        return [(None,) * len(shape)]
    made = list(shape)
    for i, axis in enumerate(axes):
        size = made[axis]
        made[axis] = None if size is None else size + pads[i] + pads[len(axes) + i]
    return [tuple(made)]


def _one_hot(given: Operands) -> Sequence[Shape]:
    shape, depth = given.shape(), given.numbers(1)
    if shape is None:
        return [None]
    axis = given.number("axis", -1) % (len(shape) + 1)
    return [(*shape[:axis], None if depth is None else depth[0], *shape[axis:])]


def _top_k(given: Operands) -> Sequence[Shape]:
    shape, count = given.shape(), given.numbers(1)
    if shape is None:
        return [None, None]
    axis = given.number("axis", -1) % len(shape)
    made = (None,) * len(shape) if count is None else (*shape[:axis], count[0], *shape[axis + 1 :])
    return [made, made]


def _shape_of(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    if shape is None:
        return [(None,)]
    return [(len(range(len(shape))[given.number("start", 0) : given.number("end", len(shape))]),)]


def _range(given: Operands) -> Sequence[Shape]:
    bounds = [given.numbers(place) for place in range(3)]
    if any(bound is None for bound in bounds):
        return [(None,)]
    return [(len(range(*(bound[0] for bound in bounds if bound is not None))),)]


def _non_zero(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    return [(None if shape is None else len(shape), None)]


def _flatten(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    if shape is None:
        return [None]
    axis = given.number("axis", 1)
    sides = (shape[:axis], shape[axis:])
    return [tuple(None if None in side else math.prod(size for size in side if size) for side in sides)]


def _constant_of_shape(given: Operands) -> Sequence[Shape]:
    target = given.numbers(0)
    return [_of_open_sizes(given.shape()) if target is None else tuple(target)]


def _string_split(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    return [None if shape is None else (*shape, None), shape]


def _string_normalizer(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    return [None if shape is None else (*shape[:-1], None)]


MOVING: Mapping[str, Rule] = {
    "Concat": _concat,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "GatherElements": lambda given: [given.shape(1)],
    "GatherND": _gather_nd,
    "NonZero": _non_zero,
    "OneHot": _one_hot,
    "Pad": _pad,
    "Range": _range,
    "Reshape": _reshape,
    "Shape": _shape_of,
    "Size": lambda _: [()],
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "StringNormalizer": _string_normalizer,
    "StringSplit": _string_split,
    "Tile": _tile,
    "TopK": _top_k,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
