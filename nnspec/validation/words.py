"""Values, types and lists of names in words."""

from __future__ import annotations

from typing import Any

from nnspec.document import Mapping, Node, Sequence

MAX_SHOWN = 24


def listed(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words[:MAX_SHOWN]) + (", …" if len(words) > MAX_SHOWN else "")


def show(value: Any) -> str:
    """A value as YAML writes it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


_TYPE_WORDS = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def type_words(types: list[str]) -> str:
    words = [_TYPE_WORDS[t] for t in types if t != "null" or len(types) == 1]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def kind_of(node: Node) -> str:
    """What a node is, in words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "empty"
    if isinstance(node.value, str):
        return f"the string `{node.value[:60]}`"
    return f"`{show(node.value)}`"
