"""`Dense: {units: auto}`: the number of units is the number of classes of the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Fix, Report
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node, Scalar, Sequence, format_path
from nnspec.expansion.items import Expanded, Item
from nnspec.layers.registry import REGISTRY
from nnspec.lazy import dataclass

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Count:
    """How many values an output has for each sample: `number`, or why that is not known and what to do about it."""

    number: int | None
    why: str = ""
    remedy: str = ""


def has_auto_units(expanded: Expanded) -> bool:
    return any(_is_auto(item) for item in expanded.items)


def settle_units(expanded: Expanded, count: Callable[[str], Count], report: Report) -> Expanded:
    """The document with every `units: auto` replaced by the number of classes of its output.

    Args:
        count: of an output, by its name.
    """
    root, items = expanded.root, list(expanded.items)
    for place, item in enumerate(items):
        if not _is_auto(item):
            continue
        assert item.body is not None
        units = item.body.entries["units"]
        output = _output_of(expanded, item)
        if output is None or item.shared is not None:
            why = "is a shared layer" if item.shared is not None else "is not the head of one output"
            _refuse(report, item, f"but it {why}", "set `units` to a number")
            continue
        found = count(output)
        if found.number is None:
            _refuse(report, item, f"but {found.why}", found.remedy)
            continue
        number = Scalar(found.number, units.span)
        items[place] = replace(item, body=with_value(item.body, ("units",), number))
        root = with_value(root, (*item.path, item.kind, "units"), number)
    return replace(expanded, root=root, items=tuple(items))


def _is_auto(item: Item) -> bool:
    units = item.body.get("units") if item.body is not None else None
    return isinstance(units, Scalar) and units.value == AUTO


def _refuse(report: Report, item: Item, but: str, remedy: str) -> None:
    assert item.body is not None
    report.add(
        Diagnostic(
            "NN355",
            f"`units: auto` of `{item.name}` is the number of classes of its output, {but}",
            item.body.entries["units"].span,
            path=format_path((*item.path, item.kind, "units")),
            fixes=(Fix(remedy),),
        )
    )


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


def with_value(node: MappingNode, path: tuple[str | int, ...], value: Node) -> MappingNode:
    """The tree with another value at a path."""
    changed = _replaced(node, path, value)
    assert isinstance(changed, MappingNode)
    return changed


def _replaced(node: Node, path: tuple[str | int, ...], value: Node) -> Node:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(node, MappingNode) and isinstance(step, str) and step in node.entries:
        return replace(node, entries={**node.entries, step: _replaced(node.entries[step], rest, value)})
    if isinstance(node, Sequence) and isinstance(step, int):
        items = [_replaced(item, rest, value) if i == step else item for i, item in enumerate(node.items)]
        return replace(node, items=tuple(items))
    return node
