"""Which positions of an input axis a value depends on, one by one: a field may have holes that its size does not tell.

Sets go forwards over the graph, a bit a position. What cannot be followed exactly counts as read whole, so that a
position that is said to be unseen is never seen; where only windows are met, the sets are exact.
"""

from __future__ import annotations

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
        sets: the positions that are seen, as bits: of each position of that axis, or of the value as a whole.
    """

    position: int | None
    sets: Sequence[int]

    @property
    def union(self) -> int:
        return reduce(or_, self.sets, 0)


def find_holes(graph: Graph, value: Value, axis: str) -> list[int]:
    """Positions of an input axis that a value leaves out between the first and the last that it sees.

    Of a value that runs along the axis, those of the position that sees farthest.
    """
    total = next((a.size for v in graph.inputs.values() for a in v.axes if a.name == axis), None)
    if not isinstance(total, int) or total > MOST_POSITIONS or not skipping_nodes(graph):
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
            found[source.node, source.port] = SeenPositions(position, [1 << i for i in range(total)])
    for node in graph.nodes:
        cover = _through(node, axis, found)
        if cover is not None:
            found |= {(made.node, made.port): cover for made in node.outputs}
    return found.get((value.node, value.port))


def _through(node: Node, axis: str, found: dict[Key, SeenPositions]) -> SeenPositions | None:
    """What a node's outputs see."""
    read = [(value, found[value.node, value.port]) for value in node.inputs if (value.node, value.port) in found]
    if not read or axis not in node.outputs[0].fields:
        return None
    made = node.outputs[0]
    position = position_of(made, axis)
    size = made.axes[position].size if position is not None else None
    if position is None or not isinstance(size, int):
        value, cover = read[0]
        picked = node.layer.picked_position(node, cover.position) if cover.position is not None else None
        return SeenPositions(None, [_union(read) if picked is None or len(read) > 1 else cover.sets[picked]])
    if made.fields[axis].ahead is None:  # it may read anything
        return SeenPositions(position, [_union(read)] * size)
    slid = []
    for value, cover in read:
        window = ONE
        if cover.position is not None and value is node.inputs[0]:
            window = node.windows.get(cover.position, ONE)
        slid.append(_slid(cover, window, size))
    sets = slid[0] if len(slid) == 1 else [reduce(or_, seen) for seen in zip(*slid, strict=True)]
    return SeenPositions(position, sets)


def _union(read: list[tuple[Value, SeenPositions]]) -> int:
    return reduce(or_, (cover.union for _, cover in read), 0)


def _slid(cover: SeenPositions, window: Window, size: int) -> Sequence[int]:
    """The sets of `size` positions behind a window."""
    if cover.position is None or window.span is None or window.ahead is None or window.slack or window.stride < 0:
        return [cover.union] * size
    if window == ONE:
        return cover.sets if len(cover.sets) == size else [cover.union] * size  # else cut or put together
    found = [0] * size
    if isinstance(window.span, int) and isinstance(window.stride, int) and isinstance(window.ahead, int):
        oldest = window.ahead - window.span + 1
        for tap in range(0, window.span, window.dilation):  # all positions at once
            found = list(map(or_, found, _every(cover.sets, oldest + tap, window.stride, size)))
        return found
    for i in range(size):
        first = ceil(window.stride * i + window.ahead - window.span + 1)
        last = floor(window.stride * i + window.ahead)
        taps = range(first, last + 1, window.dilation)
        found[i] = reduce(or_, (cover.sets[j] for j in taps if 0 <= j < len(cover.sets)), 0)
    return found


def _every(sets: Sequence[int], first: int, stride: int, size: int) -> list[int]:
    """What is at `first`, `first + stride`, … of `sets`, `size` of them: nothing outside."""
    before = min(max(0, -(first // stride)), size)
    inside = sets[first + before * stride :: stride][: size - before]
    return [0] * before + list(inside) + [0] * (size - before - len(inside))
