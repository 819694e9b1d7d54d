"""`Dense: {units: auto}`: as many units as the output has classes, or values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nnspec.document import Mapping as MappingNode
from nnspec.document import Scalar
from nnspec.expansion.auto_arguments import AutoArgument, Count
from nnspec.expansion.items import Expanded, Item
from nnspec.layers.registry import REGISTRY


def _count(expanded: Expanded, item: Item, count: Callable[[str], Count]) -> Count:
    output = _output_of(expanded, item)
    if output is None:
        return Count(None, "it is not the head of one output", "set `units` to a number")
    return count(output)


def _output_of(expanded: Expanded, head: Item) -> str | None:
    """The one output that a layer is the head of: nothing behind it makes another axis of its last one."""
    sources = _sources(expanded)
    name, found = head.name, [output for output, source in sources.items() if source == head.name]
    while True:
        readers = [item for item in expanded.items if any(read is not None and read.key == name for read in item.reads)]
        if not readers:
            return found[0] if len(found) == 1 else None
        layer = REGISTRY.get(readers[0].kind)
        if len(readers) > 1 or layer is None or layer.arity != (1, 1) or layer.makes is not None:
            return None
        name = readers[0].name
        found += [output for output, source in sources.items() if source == name]


def _sources(expanded: Expanded) -> Mapping[str, str | None]:
    """What each output comes from."""
    outputs = expanded.root.get("outputs")
    result: dict[str, str | None] = {}
    for name, body in outputs.entries.items() if isinstance(outputs, MappingNode) else ():
        if isinstance(body, MappingNode) and "of" in body.entries:
            continue  # the error of another output
        source = body.get("from") if isinstance(body, MappingNode) else None
        final = expanded.final.key if expanded.final is not None else None
        written = str(source.value).partition(".")[0] if isinstance(source, Scalar) else None
        result[name] = final if written is None else expanded.known.get(written) or written
    return result


UNITS = AutoArgument(
    name="units", meaning="classes or values of its output", code="NN355", is_taken_by=lambda item: True, count=_count
)
