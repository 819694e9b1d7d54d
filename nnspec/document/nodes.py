"""The document as a tree: scalars, sequences and mappings, each with its span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnspec.diagnostics import Span
from nnspec.lazy import dataclass

MAX_DEPTH = 64
MAX_NODES = 200_000  # with aliases replaced


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    value: bool | int | float | str | None
    span: Span
    is_plain: bool = True

    @property
    def size(self) -> int:
        return 1


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    items: tuple[Node, ...]
    span: Span
    size: int = 1

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """`entries` keeps the source order; `keys` holds each key's own node."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    span: Span
    size: int = 1

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)

    def key_span(self, key: str) -> Span:
        return self.keys[key].span if key in self.keys else self.span

    @property
    def only_value(self) -> str | None:
        """The key that is not written, where the text has its value alone: `units` of `Dense: 10`."""
        for key, node in self.keys.items():
            mine, whole = node.span, self.span
            ends = (mine.end_line, mine.end_column) == (whole.end_line, whole.end_column)
            return key if mine.is_at(whole) and ends else None
        return None


Node = Scalar | Sequence | Mapping


def to_plain(node: Node) -> Any:
    """The node as dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {key: to_plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    return node.value


def locate(root: Node, path: tuple[str | int, ...]) -> Node:
    """The node at a path of keys and indices; the last one that exists where the path goes further."""
    node = root
    for step in path:
        child: Node | None = None
        if isinstance(node, Mapping) and isinstance(step, str):
            child = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            child = node.items[step]
        if child is None:
            break
        node = child
    return node


def format_path(path: tuple[str | int, ...]) -> str:
    """`("model", 3, "Reshape")` as `model[3].Reshape`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text
