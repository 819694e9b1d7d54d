"""Converts positions: spans count lines and columns from 1, the protocol lines and code units from 0.

The checker breaks lines where YAML does (U+2028 too), the protocol at `\\n`, `\\r\\n` and `\\r` alone, so both go by
way of the offset in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from lsprotocol import types as lsp

from nnspec.diagnostics import Source, Span

_BREAK = re.compile(r"\r\n|\n|\r")
_UNITS = {
    lsp.PositionEncodingKind.Utf8: ("utf-8", 1),
    lsp.PositionEncodingKind.Utf16: ("utf-16-le", 2),
    lsp.PositionEncodingKind.Utf32: ("utf-32-le", 4),
}


@dataclass(frozen=True, eq=False)
class Positions:
    """Converts between a text's offsets and the protocol's positions.

    Attributes:
        encoding: how client and server agreed to count within a line.
    """

    source: Source
    encoding: lsp.PositionEncodingKind | str = lsp.PositionEncodingKind.Utf16

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.source.text))]

    def _units(self, text: str) -> int:
        name, size = _UNITS[lsp.PositionEncodingKind(self.encoding)]
        return len(text) if text.isascii() else len(text.encode(name, "surrogatepass")) // size

    def at(self, offset: int) -> lsp.Position:
        """The position of an offset."""
        line = bisect_right(self._starts, offset) - 1
        return lsp.Position(line, self._units(self.source.text[self._starts[line] : offset]))

    def offset(self, position: lsp.Position) -> int:
        """The offset of a position; past the end of a line or of the text, that end."""
        if position.line >= len(self._starts):
            return len(self.source.text)
        start = self._starts[position.line]
        end = self._starts[position.line + 1] if position.line + 1 < len(self._starts) else len(self.source.text)
        line = self.source.text[start:end].rstrip("\r\n")
        if line.isascii():
            return start + min(position.character, len(line))
        units = 0
        for index, character in enumerate(line):
            if units >= position.character:
                return start + index
            units += self._units(character)
        return start + len(line)

    def range(self, span: Span) -> lsp.Range:
        """The range of a span. One of another source, such as a `--set`, is the beginning of the text."""
        start, end = self.offsets(span)
        return lsp.Range(self.at(start), self.at(end))

    def offsets(self, span: Span) -> tuple[int, int]:
        if span.source is not self.source:
            return 0, 0
        start = self.source.offset(span.line, span.column)
        return start, max(start, self.source.offset(span.end_line, span.end_column))

    def holds(self, span: Span, offset: int) -> bool:
        """Whether the place is inside of a span, its end included: there a cursor stands after a word."""
        start, end = self.offsets(span)
        return start <= offset <= end and span.source is self.source
