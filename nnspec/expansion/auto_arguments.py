"""Arguments that a spec leaves to its data: `auto`, which becomes a number before anything else looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Fix, Report
from nnspec.document import Mapping, Node, Scalar, Sequence, format_path
from nnspec.expansion.items import Expanded, Item
from nnspec.lazy import dataclass

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are: `number`, or why that is not known (`but …`) and what to do about it."""

    number: int | None
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoArgument:
    """An argument of layers that may be `auto`.

    Attributes:
        name: as the spec writes it.
        meaning: what it then is, for messages.
        code: of the diagnostic where that is not known.
        is_taken_by: whether an item's layer has it.
        count: what it is of an item that no other one shares.
    """

    name: str
    meaning: str
    code: str
    is_taken_by: Callable[[Item], bool]
    count: Callable[[Expanded, Item, Callable[[str], Count]], Count]

    def is_in(self, expanded: Expanded) -> bool:
        return any(self._is_auto(item) for item in expanded.items)

    def settle(self, expanded: Expanded, count: Callable[[str], Count], report: Report) -> Expanded:
        """The document with a number wherever the argument is `auto`; a diagnostic where none is known.

        Args:
            count: of an input or output, by its name.
        """
        root, items = expanded.root, list(expanded.items)
        for place, item in enumerate(items):
            if not self._is_auto(item):
                continue
            assert item.body is not None
            value, path = item.body.entries[self.name], (*item.path, item.kind, self.name)
            found = Count(None, "it is a shared layer", f"set `{self.name}` to a number")
            if item.shared is None:
                found = self.count(expanded, item, count)
            if found.number is None:
                message = f"`{self.name}: auto` of `{item.name}` is the number of {self.meaning}, but {found.why}"
                fixes = (Fix(found.remedy),)
                report.add(Diagnostic(self.code, message, value.span, path=format_path(path), fixes=fixes))
                continue
            number = Scalar(found.number, value.span)
            items[place] = replace(item, body=with_value(item.body, (self.name,), number))
            root = with_value(root, path, number)
        return replace(expanded, root=root, items=tuple(items))

    def _is_auto(self, item: Item) -> bool:
        value = item.body.get(self.name) if item.body is not None else None
        return isinstance(value, Scalar) and value.value == AUTO and self.is_taken_by(item)


def with_value(node: Mapping, path: tuple[str | int, ...], value: Node) -> Mapping:
    """The tree with another value at a path."""
    changed = _replace_argument(node, path, value)
    assert isinstance(changed, Mapping)
    return changed


def _replace_argument(node: Node, path: tuple[str | int, ...], value: Node) -> Node:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
        return replace(node, entries={**node.entries, step: _replace_argument(node.entries[step], rest, value)})
    if isinstance(node, Sequence) and isinstance(step, int):
        items = [_replace_argument(item, rest, value) if i == step else item for i, item in enumerate(node.items)]
        return replace(node, items=tuple(items))
    return node
