"""Which positions of an input axis a value depends on, one by one: a field may have holes that its size does not tell.

Sets go forwards over the graph, a bit a position. What cannot be followed exactly counts as read whole, so that a
position that is said to be unseen is never seen; where only windows are met, the sets are exact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import reduce
from math import ceil, floor
from operator import or_

from nnspec.ir.causality import position_of
from nnspec.ir.graph import Graph, Node, Value, Window
from nnspec.lazy import dataclass

MOST_POSITIONS = 2048  # of an axis; longer ones are not followed
ONE = Window(1)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SeenPositions:
    """What a value sees of one input axis.

    Attributes:
        position: the value's axis whose positions follow it; None where it has lost the axis.
        count: how many sets there are: one for each position of that axis, or one for the value as a whole.
        packed: the sets end to end in one number, `width` bits each, that of position 0 lowest. So a tap of a kernel
            is read at all positions by one shift.
        width: the number of positions of the input axis.
    """

    position: int | None
    count: int
    packed: int
    width: int

    @classmethod
    def from_sets(cls, position: int | None, sets: Sequence[int], width: int) -> SeenPositions:
        bits = "".join([format(each, f"0{width}b") for each in reversed(sets)])
        return cls(position, len(sets), int(bits, 2) if bits else 0, width)

    @classmethod
    def alike(cls, position: int | None, count: int, seen: int, width: int) -> SeenPositions:
        """Every position sees the same."""
        return cls(position, count, seen * _ones(count, width), width)

    @property
    def sets(self) -> list[int]:
        """The positions that are seen, as bits, set by set."""
        bits, width = format(self.packed, f"0{self.count * self.width}b"), self.width
        return [int(bits[at : at + width], 2) for at in range((self.count - 1) * width, -1, -width)]

    @property
    def union(self) -> int:
        return reduce(or_, self.sets, 0)


def _ones(count: int, apart: int) -> int:
    """A number with `count` bits, `apart` from one to the next."""
    return ((1 << count * apart) - 1) // ((1 << apart) - 1)


def find_holes(graph: Graph, value: Value, axis: str) -> list[int]:
    """Positions of an input axis that a value leaves out between the first and the last that it sees.

    Of a value that runs along the axis, those of the position that sees farthest.
    """
    total = next((a.size for v in graph.inputs.values() for a in v.axes if a.name == axis), None)
    windows = (window for node in graph.nodes for window in node.windows.values())
    if not isinstance(total, int) or total > MOST_POSITIONS or not any(map(_skips, windows)):
        return []
    cover = _cover(graph, value, axis, total)
    if cover is None:
        return []
    widest = max(cover.sets, key=_extent)
    first = (widest & -widest).bit_length() - 1
    return [i for i in range(first, widest.bit_length()) if not widest >> i & 1] if widest else []


def list_positions(positions: list[int]) -> str:
    """The first of many positions, from 0."""
    return ", ".join(map(str, positions[:8])) + (", …" if len(positions) > 8 else "")


def _extent(seen: int) -> int:
    return seen.bit_length() - (seen & -seen).bit_length()


def skipping_nodes(graph: Graph) -> list[Node]:
    """The layers that leave positions out: their taps or their steps lie further apart than what they see."""
    return [node for node in graph.nodes if any(_skips(window) for window in node.windows.values())]


def _skips(window: Window) -> bool:
    return window.span is not None and (window.dilation > 1 or not -window.span <= window.stride <= window.span)


def _cover(graph: Graph, value: Value, axis: str, total: int) -> SeenPositions | None:
    found: dict[Key, SeenPositions] = {}
    for source in graph.inputs.values():
        position = next((i for i, own in enumerate(source.axes) if own.name == axis), None)
        if position is not None:
            found[source.node, source.port] = SeenPositions(position, total, _ones(total, total + 1), total)
    for node in graph.nodes:
        cover = _through(node, axis, found)
        if cover is not None:
            for made in node.outputs:
                found[made.node, made.port] = cover
    return found.get((value.node, value.port))


def _through(node: Node, axis: str, found: dict[Key, SeenPositions]) -> SeenPositions | None:
    """What a node's outputs see."""
    read = [(value, found[value.node, value.port]) for value in node.inputs if (value.node, value.port) in found]
    if not read or axis not in node.outputs[0].fields:
        return None
    made = node.outputs[0]
    first = read[0][1]
    width, position = first.width, position_of(made, axis)
    size = made.axes[position].size if position is not None else None
    is_alone = len(node.inputs) == 1 and position == first.position and size == first.count
    if is_alone and position not in node.windows and made.fields[axis].ahead is not None:
        return first  # as of most layers, position by position
    if position is None or not isinstance(size, int):
        value, cover = read[0]
        picked = node.layer.picked_position(node, cover.position) if cover.position is not None else None
        seen = _union(read) if picked is None or len(read) > 1 else cover.sets[picked]
        return SeenPositions(None, 1, seen, width)
    if made.fields[axis].ahead is None:  # it may read anything
        return SeenPositions.alike(position, size, _union(read), width)
    packed = 0
    for value, cover in read:
        window = ONE
        if cover.position is not None and value is node.inputs[0]:
            window = node.windows.get(cover.position, ONE)
        packed |= _slid(cover, window, size).packed
    return SeenPositions(position, size, packed, width)


def _union(read: list[tuple[Value, SeenPositions]]) -> int:
    return reduce(or_, (cover.union for _, cover in read), 0)


def _slid(cover: SeenPositions, window: Window, size: int) -> SeenPositions:
    """The sets of `size` positions behind a window."""
    width = cover.width
    if cover.position is None or window.span is None or window.ahead is None or window.slack or window.stride < 0:
        return SeenPositions.alike(cover.position, size, cover.union, width)
    if window is ONE or window == ONE:  # else cut or put together
        return cover if cover.count == size else SeenPositions.alike(cover.position, size, cover.union, width)
    if isinstance(window.span, int) and isinstance(window.stride, int) and isinstance(window.ahead, int):
        oldest = window.ahead - window.span + 1
        taps = _between(range(oldest, window.ahead + 1, window.dilation), -size * window.stride, cover.count)
        if window.stride == 1:
            return SeenPositions(cover.position, size, _shifted(cover, taps, size), width)
        found = [0] * size
        sets = cover.sets
        for tap in taps:  # all positions at once
            found = list(map(or_, found, _every(sets, tap, window.stride, size)))
        return SeenPositions.from_sets(cover.position, found, width)
    found = [0] * size
    sets = cover.sets
    for i in range(size):
        first = ceil(window.stride * i + window.ahead - window.span + 1)
        last = floor(window.stride * i + window.ahead)
        inside = _between(range(first, last + 1, window.dilation), -1, len(sets))
        found[i] = reduce(or_, (sets[j] for j in inside), 0)
    return SeenPositions.from_sets(cover.position, found, width)


def _between(taps: range, after: int, before: int) -> range:
    """The taps that may see more than padding, of kernels that may be millions wide."""
    return taps[bisect_right(taps, after) : bisect_left(taps, before)]


def _shifted(cover: SeenPositions, taps: range, size: int) -> int:
    """The sets of `size` positions, packed, each of which sees what the positions before and behind it do."""
    found = 0
    for tap in taps:
        found |= cover.packed >> tap * cover.width if tap >= 0 else cover.packed << -tap * cover.width
    return found & ((1 << size * cover.width) - 1)


def _every(sets: Sequence[int], first: int, stride: int, size: int) -> list[int]:
    """What is at `first`, `first + stride`, … of `sets`, `size` of them: nothing outside."""
    before = min(max(0, -(first // stride)), size)
    inside = sets[first + before * stride :: stride][: size - before]
    return [0] * before + list(inside) + [0] * (size - before - len(inside))
