"""Operators that take a part of an axis, or make it longer."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.ir.axes import Axis, Size, Symbolic, multiply
from nnspec.onnx_axes.call import Call, Rule, position_of
from nnspec.onnx_axes.rules.elementwise import broadcast_axes
from nnspec.onnx_axes.tensors import UNKNOWN, Number, Tensor, unnamed_axis


def gather(call: Call) -> Sequence[Tensor]:
    data, indices = call[0], call[1]
    if data.axes is None or indices.axes is None:
        return [UNKNOWN]
    position = position_of(call.integer("axis", 0), len(data.axes))
    if position is None:
        return [UNKNOWN]
    if data.numbers is not None and len(data.axes) == 1 and indices.numbers is not None:
        picked = [
            data.numbers[i] if isinstance(i, int) and -len(data.numbers) <= i < len(data.numbers) else None
            for i in indices.numbers
        ]
        return [call.tensor(indices.axes, tuple(picked))]
    inside: list[Axis] = list(indices.axes)
    if indices.is_constant and len(indices.axes) == 1:
        inside = [call.resized(data.axes[position], indices.axes[0].size)]
    before, behind = data.axes[:position], data.axes[position + 1 :]
    if data.is_constant and not indices.is_constant:  # a table of embeddings
        behind = tuple(call.units(axis.size, "embedding") for axis in behind)
    return [call.tensor([*before, *inside, *behind])]


def cut(call: Call) -> Sequence[Tensor]:
    """Slice."""
    axes = call[0].axes
    if axes is None:
        return [UNKNOWN]
    starts, ends, given = call.ints(1, "starts"), call.ints(2, "ends"), call.ints(3, "axes")
    if given is not None and (starts is None or ends is None):
        starts = ends = (None,) * len(given)
    if starts is None or ends is None:
        return [call.tensor([call.resized(axis, None) for axis in axes])]
    which = positions_of_or_all(given, len(starts), len(axes))
    steps = call.ints(4) or (1,) * len(starts)
    if which is None:
        return [call.tensor([call.resized(axis, None) for axis in axes])]
    found = list(axes)
    numbers = call[0].numbers
    for position, start, end, step in zip(which, starts, ends, steps, strict=False):
        size, is_whole = _length(axes[position].size, start, end, step)
        if not is_whole:
            found[position] = call.resized(axes[position], size)
        if numbers is not None and len(axes) == 1:
            bounds = [number for number in (start, end, step) if isinstance(number, int)]
            numbers = numbers[slice(*bounds)] if len(bounds) == 3 else None
    return [call.tensor(found, numbers if len(axes) == 1 else None)]


def positions_of_or_all(given: Sequence[Number] | None, count: int, rank: int) -> list[int] | None:
    if given is None:
        return list(range(count))
    found = [position_of(axis, rank) for axis in given]
    return None if any(axis is None for axis in found) else [axis for axis in found if axis is not None]


def _length(size: Size, start: Number, end: Number, step: Number) -> tuple[Size | None, bool]:
    """How many positions a slice takes, and whether it takes all of them in their order."""
    if start == 0 and step == 1 and (end == size or (isinstance(end, int) and end >= 2**31 - 1)):
        return size, True
    if isinstance(size, int) and isinstance(start, int) and isinstance(end, int) and isinstance(step, int) and step:
        return len(range(*slice(start, end, step).indices(size))), False
    if step == -1 and start == -1 and isinstance(end, int) and end <= -(2**31) + 1:
        return size, False
    return None, False


def split(call: Call) -> Sequence[Tensor]:
    axes, count = call[0].axes, len(call.node.outputs)
    if axes is None:
        return [UNKNOWN] * count
    position = position_of(call.integer("axis", 0), len(axes))
    if position is None:
        return [UNKNOWN] * count
    lengths: Sequence[Number] | None = call.ints(1, "split")
    whole = axes[position].size
    if lengths is None:
        each = -(-whole // count) if isinstance(whole, int) else None
        lengths = [each] * count
        if isinstance(whole, int) and each is not None:
            lengths = [min(each, whole - i * each) for i in range(count)]
    parts = []
    for length in lengths:
        parts.append(call.tensor([*axes[:position], call.resized(axes[position], length), *axes[position + 1 :]]))
    return parts


def pad(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        return [UNKNOWN]
    pads = call.ints(1, "pads")
    chosen = positions_of_or_all(call.ints(3), len(axes), len(axes))
    if pads is None or chosen is None or len(pads) != 2 * len(chosen):
        return [call.tensor([call.resized(axis, None) for axis in axes])]
    found = list(axes)
    for i, position in enumerate(chosen):
        before, behind, size = pads[i], pads[i + len(chosen)], axes[position].size
        if before == 0 and behind == 0:
            continue
        known = isinstance(before, int) and isinstance(behind, int)
        found[position] = call.resized(axes[position], _longer(size, before, behind) if known else None)
    return [call.tensor(found)]


def _longer(size: Size, before: Number, behind: Number) -> Size | None:
    if not isinstance(before, int) or not isinstance(behind, int):
        return None
    if isinstance(size, int):
        return size + before + behind
    return Symbolic.symbol(f"({size} + {before + behind})")


def expand(call: Call) -> Sequence[Tensor]:
    shape = call.ints(1)
    if call[0].axes is None or shape is None:
        return [UNKNOWN]
    sizes = [call.unknown_size(f"axis {i}") if size is None or size == -1 else size for i, size in enumerate(shape)]
    wanted = Tensor(axes=tuple(unnamed_axis(size, call.owner, i) for i, size in enumerate(sizes)), is_constant=True)
    return [call.tensor(broadcast_axes(call, [call[0], wanted]))]


def tile(call: Call) -> Sequence[Tensor]:
    axes, repeats = call[0].axes, call.ints(1)
    if axes is None:
        return [UNKNOWN]
    if repeats is None or len(repeats) != len(axes):
        return [call.tensor([call.resized(axis, None) for axis in axes])]
    found = []
    for axis, times in zip(axes, repeats, strict=True):
        size = None if times is None else multiply((axis.size, times))
        found.append(axis if times == 1 else call.resized(axis, size))
    return [call.tensor(found)]


def gather_elements(call: Call) -> Sequence[Tensor]:
    data, indices = call[0].axes, call[1].axes
    if data is None or indices is None or len(data) != len(indices):
        return [UNKNOWN]
    return [
        call.tensor([d if d.size == i.size else call.resized(d, i.size) for d, i in zip(data, indices, strict=True)])
    ]


def top_k(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    position = None if axes is None else position_of(call.integer("axis", -1), len(axes))
    if axes is None or position is None:
        return [UNKNOWN, UNKNOWN]
    count = call.ints(1, "k")
    found = list(axes)
    found[position] = call.resized(axes[position], count[0] if count else None)
    return [call.tensor(found), call.tensor(found)]


def one_hot(call: Call) -> Sequence[Tensor]:
    axes, depth = call[0].axes, call.ints(1)
    if axes is None:
        return [UNKNOWN]
    position = position_of(call.integer("axis", -1), len(axes) + 1)
    if position is None:
        return [UNKNOWN]
    size = depth[0] if depth and depth[0] is not None else call.unknown_size("class")
    return [call.tensor([*axes[:position], call.units(size, "class"), *axes[position:]])]


RULES: dict[str, Rule] = {
    "Expand": expand,
    "Gather": gather,
    "GatherElements": gather_elements,
    "OneHot": one_hot,
    "Pad": pad,
    "Slice": cut,
    "Split": split,
    "Tile": tile,
    "TopK": top_k,
}
