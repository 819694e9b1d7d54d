"""How a CSV file is written: what separates and quotes its cells, its encoding, and the marks within its numbers.

A spec names a dialect beside the path, and a deployed model's metadata carry it, so that training and serving read
alike. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nnspec.runtime.rules.markers import NO_MARKERS, Markers, blank_markers, number_of

NO_QUOTE = "none"
_NO_NUMBER = "\0"  # before a cell that would be a number by the rules of plain ones alone, as `1.5` with a comma


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The rules of a file.

    Attributes:
        delimiter: what stands between cells.
        decimal: what stands before the fraction of a number: `.` or `,`.
        quote: what stands around cells that hold a delimiter; `none` where no cell is quoted.
        encoding: of the text; `utf-8` with or without a byte order mark.
        thousands: what may stand between groups of three digits; empty where nothing does.
        markers: what stands for a missing value.
    """

    delimiter: str = ","
    decimal: str = "."
    quote: str = '"'
    encoding: str = "utf-8"
    thousands: str = ""
    markers: Markers = NO_MARKERS

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> Dialect:
        """The dialect of a spec's keys; what they leave out is as usual."""
        given = {key: str(options[key]) for key in _KEYS if key in options}
        return cls(**given, markers=Markers.from_options(options))

    def without_markers(self, names: Sequence[str], rows: list[list[str]]) -> list[list[str]]:
        """Rows, of which cells that are markers hold nothing."""
        if not self.markers:
            return rows
        columns = [
            self.without_markers_of(name, cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)
        ]
        return [list(row) for row in zip(*columns, strict=True)]

    def without_markers_of(self, name: str, cells: Sequence[str]) -> Sequence[str]:
        """The cells of a column, of which those that are markers hold nothing."""
        keys = self.markers.of(name)
        if self.is_plain or not keys:
            return blank_markers(cells, keys)
        words = frozenset(key for key in keys if number_of(key) is None)  # which stand as they are: `n.a.`
        made = zip(blank_markers(self.plain_cells(cells), keys), blank_markers(cells, words), strict=True)
        return ["" if "" in pair else cell for cell, pair in zip(cells, made, strict=True)]

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as Python writes them."""
        return self.decimal == "." and not self.thousands

    @cached_property
    def _number(self) -> re.Pattern[str]:
        mark, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
        return re.compile(rf"[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?")

    def plain_cells(self, cells: Sequence[str]) -> Sequence[str]:
        """The cells, numbers among them as Python writes them; what is none is none afterwards either."""
        if self.is_plain:
            return cells
        if not self.thousands and not any("." in cell for cell in cells):
            return [cell.replace(self.decimal, ".") for cell in cells]  # with two marks it is no number either way
        return [self._plain_cell(cell) for cell in cells]

    def _plain_cell(self, cell: str) -> str:
        text = cell.strip(" \t")
        if self._number.fullmatch(text):
            return (text.replace(self.thousands, "") if self.thousands else text).replace(self.decimal, ".")
        return _NO_NUMBER + cell if "." in cell and self.decimal != "." else cell

    def order_cells(self, cells: Sequence[str]) -> list[str]:
        """Cells that rows are sorted by: numbers as Python writes them, all else as it stands."""
        if self.is_plain:
            return list(cells)
        plain = map(self._plain_cell, cells)
        return [cell if made.startswith(_NO_NUMBER) else made for cell, made in zip(cells, plain, strict=True)]


PLAIN = Dialect()
_KEYS = ("delimiter", "decimal", "quote", "encoding", "thousands")
