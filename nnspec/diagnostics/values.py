"""A value as a spec writes it, for messages and for the edits of fixes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

_NO_TEXT = r"|~|null|true|false|<<|=|[-+]?\.(inf|nan)|[-+.]?\d[\d._]*([eE][-+]?\d+)?|[-+]?0[box][\da-f_]*"
# Some parsers take `?` within a flow for a key.
_MARKS = r"\t|^[\s\-:&*!|>%@`'\"]|[{}\[\],#?]|:(\s|$)|\s$"


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
            return _quote(value) if _needs_quotes(value) else value
        case list() | tuple():
            return f"[{', '.join(map(as_yaml, value))}]"
        case dict():
            return "{" + ", ".join(f"{as_yaml(key)}: {as_yaml(inner)}" for key, inner in value.items()) + "}"
    return str(value)


def as_comment(text: str) -> str:
    """Text as a line of a comment: in one line, and without what YAML lets nobody write."""
    one_line = text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
    return _without_unprintable(one_line, lambda found: "·")


@cache
def _unprintable() -> re.Pattern[str]:
    """What YAML lets nobody write as it stands, and what it takes for the end of a line; it takes long to compile."""
    return re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _without_unprintable(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    return text if text.isascii() and text.isprintable() else _unprintable().sub(replace, text)


def _needs_quotes(text: str) -> bool:
    if re.fullmatch(_NO_TEXT, text, re.IGNORECASE) or re.search(_MARKS, text):
        return True
    return _without_unprintable(text, _escape) != text


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{_without_unprintable(escaped, _escape)}"'


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
