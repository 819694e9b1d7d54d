"""`Embedding: {input_dim: auto}`: as many vectors as what it reads has ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Fix, Report
from nnspec.document import Mapping, Scalar, format_path, to_plain
from nnspec.expansion.auto_units import AUTO, Count, with_value
from nnspec.expansion.items import Expanded, Item
from nnspec.ir.graph import Node
from nnspec.layers.registry import REGISTRY

ARGUMENT = "input_dim"


def has_auto_ids(expanded: Expanded) -> bool:
    return any(_is_auto(item) for item in expanded.items)


def settle_ids(expanded: Expanded, count: Callable[[str], Count], report: Report) -> Expanded:
    """The document with every `input_dim: auto` replaced by the number of ids.

    Args:
        count: of an input, by its name.
    """
    root, items = expanded.root, list(expanded.items)
    for place, item in enumerate(items):
        if not _is_auto(item):
            continue
        assert item.body is not None
        size = item.body.entries[ARGUMENT]
        found = Count(None, "it is a shared layer", "set `input_dim` to a number")
        if item.shared is None:
            found = _largest([_count(expanded, key, count) for key in _makers(expanded, item)])
        path = (*item.path, item.kind, ARGUMENT)
        if found.number is None:
            message = f"`input_dim: auto` of `{item.name}` is the number of ids that it reads, but {found.why}"
            report.add(Diagnostic("NN619", message, size.span, path=format_path(path), fixes=(Fix(found.remedy),)))
            continue
        number = Scalar(found.number, size.span)
        items[place] = replace(item, body=with_value(item.body, (ARGUMENT,), number))
        root = with_value(root, path, number)
    return replace(expanded, root=root, items=tuple(items))


def _is_auto(item: Item) -> bool:
    layer, size = REGISTRY.get(item.kind), item.body.get(ARGUMENT) if item.body is not None else None
    return layer is not None and layer.looks_up_ids and isinstance(size, Scalar) and size.value == AUTO


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


def _count(expanded: Expanded, key: str, count: Callable[[str], Count]) -> Count:
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
