"""Names of types and values in messages."""

from __future__ import annotations

from nnspec.diagnostics.lists import joined
from nnspec.diagnostics.values import as_yaml
from nnspec.document import Mapping, Node, Sequence

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
    return joined(words, "or")


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
    return f"`{as_yaml(node.value)}`"
