"""Writes the text of a proposed spec: lines, their comments in one column where they are short."""

from __future__ import annotations

import re
from collections.abc import Collection

_COMMENT_COLUMN = 60
_LONGEST_COMMENT = 70
_BREAKS = re.compile(r"[\r\n]+")  # of a name in the data: a comment ends with its line


class Lines:
    """The lines of a spec."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, *lines: str, why: str = "") -> None:
        """Appends lines; `why` becomes a comment behind the last."""
        self._lines += lines
        if why:
            one_line = re.sub(r"\s+", " ", why)
            short = one_line if len(one_line) <= _LONGEST_COMMENT else one_line[: _LONGEST_COMMENT - 1] + "…"
            self._lines[-1] = f"{self._lines[-1]:<{_COMMENT_COLUMN}}  # {short}"

    def comment(self, *lines: str) -> None:
        """Appends lines of comment."""
        self._lines += [("# " + _BREAKS.sub(" ", line)).rstrip() for line in lines]

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def identifier(name: str) -> str:
    """A name that a spec can give an input, output or itself: letters, digits and `_`, a letter first."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
    return plain if plain[:1].isalpha() else f"column_{plain}".rstrip("_")


def unused(name: str, taken: Collection[str]) -> str:
    """The name, with as many `_` behind it as make it one that is not taken."""
    while name in taken:
        name += "_"
    return name
