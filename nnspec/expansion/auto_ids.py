"""`Embedding: {input_dim: auto}`: as many vectors as what it reads has ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnspec.document import Mapping, to_plain
from nnspec.expansion.auto_arguments import AutoArgument, Count
from nnspec.expansion.items import Expanded, Item
from nnspec.ir.graph import Node
from nnspec.layers.registry import REGISTRY


def _count(expanded: Expanded, item: Item, count: Callable[[str], Count]) -> Count:
    return _largest([_count_of(expanded, key, count) for key in _makers(expanded, item)])


def _looks_up_ids(item: Item) -> bool:
    layer = REGISTRY.get(item.kind)
    return layer is not None and layer.looks_up_ids


def _makers(expanded: Expanded, item: Item) -> Iterator[str]:
    """The inputs and layers whose integers an item reads; layers that only move values are looked through."""
    by_name = {each.name: each for each in expanded.items}
    waiting, seen = [read.key for read in item.reads if read is not None], set[str]()
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        maker = by_name.get(key)
        layer = REGISTRY.get(maker.kind) if maker is not None else None
        if maker is not None and layer is not None and layer.moves_values:
            waiting += [read.key for read in maker.reads if read is not None]
        else:
            yield key


def _count_of(expanded: Expanded, key: str, count: Callable[[str], Count]) -> Count:
    inputs = expanded.root.get("inputs")
    if isinstance(inputs, Mapping) and key in inputs.entries:
        return count(key)
    item = next((each for each in expanded.items if each.name == key), None)
    layer = REGISTRY.get(item.kind) if item is not None else None
    number = None
    if item is not None and layer is not None:
        given = to_plain(item.body) if item.body is not None else {}
        args = {name: arg.default for name, arg in layer.args.items()} | (given if isinstance(given, dict) else {})
        node = Node(name=item.name, layer=layer, args=args, inputs=(), outputs=(), weights=(), span=item.span)
        number = layer.index_count(node)
    return Count(number, f"the vocabulary of `{key}` is not known", "give it `max_tokens`, or set `input_dim`")


def _largest(counts: list[Count]) -> Count:
    unknown = next((count for count in counts if count.number is None), None)
    return unknown or Count(max(count.number or 0 for count in counts))


IDS = AutoArgument(name="input_dim", meaning="ids that it reads", code="NN619", is_taken_by=_looks_up_ids, count=_count)
