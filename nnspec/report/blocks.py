"""A network as nested blocks, as the names of its layers tell (`stage_2/conv_3`), repeated ones told once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from nnspec.ir.graph import Graph, Node

SMALL = 24  # layers that are told, and drawn, one by one
_LONG = 12  # items of a level that are told one by one in a larger network
_LONGER = 24  # items of a level beyond which repeats may also differ in sizes
_PERIOD = 16  # items that repeat together, at most


@dataclass(frozen=True, eq=False)
class Leaf:
    """One layer."""

    node: Node

    @property
    def name(self) -> str:
        return self.node.name

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return (self.node,)


@dataclass(frozen=True, eq=False)
class Block:
    """Layers under one name, in order of computation."""

    name: str
    items: tuple[Item, ...]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(node for item in self.items for node in item.nodes)


@dataclass(frozen=True, eq=False)
class Repeat:
    """The same items several times in a row.

    Attributes:
        times: each time's items.
        is_equal: whether each time's values have the same sizes.
    """

    times: tuple[tuple[Item, ...], ...]
    is_equal: bool

    @property
    def told(self) -> str:
        """What repeats how often."""
        first = self.times[0]
        if len(first) == 1 and isinstance(first[0], Leaf):
            return f"{len(self.times)} × {first[0].node.kind}"
        return f"{len(self.times)} × {layer_count(sum(len(item.nodes) for item in first))}"

    @property
    def name(self) -> str:
        return f"{self.times[0][0].name} … {self.times[-1][-1].name}"

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(node for items in self.times for item in items for node in item.nodes)


Item: TypeAlias = Leaf | Block | Repeat


def items_of(graph: Graph) -> tuple[Item, ...]:
    """The outermost items of a network."""
    readers: dict[str, set[str]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            readers.setdefault(value.node, set()).add(node.name)
    for output in graph.outputs.values():
        readers.setdefault(output.value.node, set()).add("")
    return _level(graph.nodes, 0, readers, most=len(graph.nodes) if len(graph.nodes) <= SMALL else _LONG)


def layer_count(count: int) -> str:
    return "1 layer" if count == 1 else f"{count} layers"


def _level(nodes: Sequence[Node], depth: int, readers: dict[str, set[str]], *, most: int) -> tuple[Item, ...]:
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        parts = node.name.split("/")
        groups.setdefault("/".join(parts[: depth + 1]), []).append(node)
    items: list[Item] = []
    for name, members in groups.items():
        if len(members) == 1 and members[0].name == name:
            items.append(Leaf(members[0]))
        else:
            items.append(Block(name, _level(members, depth + 1, readers, most=most)))
    if len(items) > most:
        folded = _fold_repeats(items, readers, is_equal=True)
        return folded if len(folded) <= _LONGER else _fold_repeats(items, readers, is_equal=False)
    return tuple(items)


def _fold_repeats(items: Sequence[Item], readers: dict[str, set[str]], *, is_equal: bool) -> tuple[Item, ...]:
    """Items of which those that repeat in a row stand together."""
    place = {node.name: i for i, item in enumerate(items) for node in item.nodes}
    forms = [_form(item, i, place, is_equal=is_equal) for i, item in enumerate(items)]
    result: list[Item] = []
    i = 0
    while i < len(items):
        period, count = _longest(forms, i)
        while count > 1 and not _is_closed(items[i : i + period * count], period, readers):
            count -= 1
        if count > 1:
            times = tuple(tuple(items[i + n * period : i + (n + 1) * period]) for n in range(count))
            result.append(Repeat(times, is_equal))
            i += period * count
        else:
            result.append(items[i])
            i += 1
    return tuple(result)


def _longest(forms: Sequence[object], start: int) -> tuple[int, int]:
    """The period, and how often it repeats from here on, that cover most; the shortest of those."""
    best = (1, 1)
    for period in range(1, min(_PERIOD, (len(forms) - start) // 2) + 1):
        count = 1
        first = forms[start : start + period]
        while forms[start + count * period : start + (count + 1) * period] == first:
            count += 1
        if count > 1 and period * count > best[0] * best[1]:
            best = (period, count)
    return best


def _is_closed(items: Sequence[Item], period: int, readers: dict[str, set[str]]) -> bool:
    """Whether only the last time's values are read outside: a skip connection should be seen."""
    inside = {node.name for item in items for node in item.nodes}
    early = [node.name for item in items[:-period] for node in item.nodes]
    return all(readers.get(name, set()) <= inside for name in early)


def _form(item: Item, index: int, place: dict[str, int], *, is_equal: bool) -> object:
    """What two items share that do the same at their places."""
    names = {node.name: i for i, node in enumerate(item.nodes)}
    return tuple(
        (
            node.kind,
            node.inner.kind if node.inner is not None else "",
            tuple(_read(value.node, names, index, place) for value in node.inputs),
            (node.parameters, tuple(str(a) for v in node.outputs for a in v.axes)) if is_equal else (),
        )
        for node in item.nodes
    )


def _read(name: str, names: dict[str, int], index: int, place: dict[str, int]) -> tuple[str, object]:
    if name in names:
        return "inside", names[name]
    return ("before", index - place[name]) if name in place else ("outside", name)


def blocks_in(items: Sequence[Item]) -> Iterator[Item]:
    """All blocks and repeats, the outer before the inner."""
    for item in items:
        if isinstance(item, Block):
            yield item
            yield from blocks_in(item.items)
        elif isinstance(item, Repeat):
            yield item
            for each in item.times:
                yield from blocks_in(each)
