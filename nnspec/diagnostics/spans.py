"""Spans: a source text, a range of it, and the expansions that led there."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property

from nnspec.lazy import dataclass

# What YAML counts as a line break: `str.splitlines` knows more of them, and then places would be off.
LINE_BREAKS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")
MAX_VALUE = 40  # characters of a variable's value in a message
_BREAK = re.compile("|".join(LINE_BREAKS))


OVERRIDE = "--set"  # the name of a source that the user wrote on the command line, or passed to `nnspec.load`


@dataclass(frozen=True, eq=False)
class Source:
    """A text that spans point into: its name as the user gave it, and its lines."""

    name: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    @cached_property
    def _lines(self) -> list[str]:
        return _BREAK.split(self.text)

    def line(self, number: int) -> str:
        """The line with this number (from 1), without its line break; empty past the end."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def offset(self, line: int, column: int) -> int:
        """The position as a number of characters from the beginning, at most the end."""
        return min(self.starts[line - 1] + column - 1, len(self.text)) if line <= len(self.starts) else len(self.text)

    def character(self, offset: int) -> Span:
        """The span of the character at an offset."""
        line = bisect_right(self.starts, offset)
        column = offset - self.starts[line - 1] + 1
        return Span.between(self, line=line, column=column, end_line=line, end_column=column + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An expansion that led to a span.

    Attributes:
        what: `repeat`, `block residual` or `shared layer encoder`.
        used: where it is used, if that differs from where its body is written.
        values: the variables that it sets.
        round: of a repeat, the number of this one and of all.
    """

    what: str
    used: Span | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    round: tuple[int, int] | None = None

    def __str__(self) -> str:
        """`in repeat: dilation = 4 (round 3 of 4)`."""
        said = ", ".join(f"{name} = {shortened(value)}" for name, value in self.values.items())
        if self.round is not None:
            which = f"round {self.round[0]} of {self.round[1]}"
            return f"in {self.what}: {f'{said} ({which})' if said else which}"
        used = f", used on line {self.used.line}" if self.used is not None else ""
        return f"in {self.what}{f' ({said})' if said else ''}{used}"


def shortened(value: object) -> str:
    """The beginning of a value, for a message."""
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of a source.

    Attributes:
        bounds: line and column where it begins, line and column where it ends, from 1; the last is one past the last
            character. They are one value, since a document has thousands of spans and few are ever asked.
        trail: the expansions that led here, outermost first.
    """

    source: Source
    bounds: tuple[int, int, int, int] = (1, 1, 1, 1)
    trail: tuple[Step, ...] = ()

    @classmethod
    def between(
        cls,
        source: Source,
        *,
        line: int,
        column: int,
        end_line: int,
        end_column: int,
        trail: tuple[Step, ...] = (),
    ) -> Span:
        return cls(source, (line, column, end_line, end_column), trail)

    @property
    def line(self) -> int:
        return self.bounds[0]

    @property
    def column(self) -> int:
        return self.bounds[1]

    @property
    def end_line(self) -> int:
        return self.bounds[2]

    @property
    def end_column(self) -> int:
        return self.bounds[3]

    def moved(
        self,
        *,
        line: int | None = None,
        column: int | None = None,
        end_line: int | None = None,
        end_column: int | None = None,
    ) -> Span:
        """The span with other bounds where they are given."""
        given = zip((line, column, end_line, end_column), self.bounds, strict=True)
        first, left, last, right = (old if new is None else new for new, old in given)
        return Span(self.source, (first, left, last, right), self.trail)

    def within(self, trail: tuple[Step, ...]) -> Span:
        """The same span, reached through further expansions."""
        return Span(self.source, self.bounds, trail + self.trail) if trail else self

    @property
    def start(self) -> Span:
        """The empty span at the beginning of this one: where an insertion goes."""
        return self.moved(end_line=self.line, end_column=self.column)

    @property
    def text(self) -> str:
        """The text of the span."""
        source = self.source
        return source.text[source.offset(self.line, self.column) : source.offset(self.end_line, self.end_column)]

    def is_at(self, other: Span) -> bool:
        """Whether both are the same range, whatever the expansions."""
        return self.source is other.source and self.bounds[:2] == other.bounds[:2]

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"
