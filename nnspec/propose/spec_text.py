"""Writes the text of a proposed spec: lines, their comments in one column where they are short."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

from nnspec.diagnostics.values import as_comment, as_yaml
from nnspec.ir.names import NAME_PATTERN

_COMMENT_COLUMN = 60
_LONGEST_COMMENT = 70
_LETTERS = str.maketrans(  # those that are no other letter with a mark
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
)


class Lines:
    """The lines of a spec."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, *lines: str, why: str = "") -> None:
        """Appends lines; `why` becomes a comment behind the last."""
        self._lines += lines
        if why:
            one_line = as_comment(re.sub(r"\s+", " ", why))
            short = one_line if len(one_line) <= _LONGEST_COMMENT else one_line[: _LONGEST_COMMENT - 1] + "…"
            self._lines[-1] = f"{self._lines[-1]:<{_COMMENT_COLUMN}}  # {short}"

    def comment(self, *lines: str) -> None:
        """Appends lines of comment."""
        self._lines += [("# " + as_comment(line)).rstrip() for line in lines]

    def remark(self, indent: int, text: str) -> None:
        """Appends a line of comment within a section."""
        self._lines.append(" " * indent + "# " + as_comment(text))

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def identifier(name: str) -> str:
    """A name that a spec can give an input, output or itself: the name where it is one, else the nearest.

    identifier("Gekündigt (ja/nein)")  ->  "gekundigt_ja_nein"
    """
    if re.match(NAME_PATTERN, name) and name[-1].isalnum() and as_yaml(name) == name:
        return name
    letters = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    plain = re.sub(r"\W+", "_", letters, flags=re.ASCII).strip("_").lower()
    return plain if plain[:1].isalpha() and as_yaml(plain) == plain else f"column_{plain}".rstrip("_")


def unused(name: str, taken: Collection[str]) -> str:
    """The name, with as many `_` behind it as make it one that is not taken."""
    while name in taken:
        name += "_"
    return name


def as_spec(value: object) -> str:
    """A value as a spec writes it, in which `$` begins no variable: names of columns may have one."""
    return as_yaml(_escape(value))


def as_key(name: str) -> str:
    """A key as a spec writes it; only at its beginning would `$` begin a variable."""
    return as_yaml(name.replace("$", "$$") if name.startswith("$") else name)


def _escape(value: object) -> object:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key.replace("$", "$$") if key.startswith("$") else key: _escape(part) for key, part in value.items()}
    return [_escape(part) for part in value] if isinstance(value, list | tuple) else value
