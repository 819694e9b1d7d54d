"""A value as a spec writes it, for messages and for the edits of fixes."""

from __future__ import annotations

import math
import re

_NO_TEXT = re.compile(
    r"|~|null|true|false|[-+]?\.(inf|nan)|[-+.]?\d[\d._]*([eE][-+]?\d+)?|0[ox][\da-f]+", re.IGNORECASE
)
_MARKS = re.compile(r"^[\s\-:&*!|>%@`'\"]|[{}\[\],#?]|:(\s|$)|\s$")  # some parsers take `?` within a flow for a key


def as_yaml(value: object) -> str:
    """`true`, `null`, `[1, 2]`, `{a: 1}`; text in quotes where YAML would read something else.

    `value` is what a document holds: numbers, text, lists and mappings.
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
        case str():
            return _quoted(value) if _NO_TEXT.fullmatch(value) or _MARKS.search(value) else value
        case list() | tuple():
            return f"[{', '.join(map(as_yaml, value))}]"
        case dict():
            return "{" + ", ".join(f"{as_yaml(key)}: {as_yaml(inner)}" for key, inner in value.items()) + "}"
    return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
