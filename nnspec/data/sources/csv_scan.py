"""What the columns of CSV files hold, found in one pass through the rows. Standard library only."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

from nnspec.data.sources.base import ColumnFacts
from nnspec.data.sources.stamps import Stamps
from nnspec.runtime.rows.kept import TextKeeper
from nnspec.runtime.rules.csv import (
    CellError,
    CsvError,
    Number,
    NumberColumn,
    missing_among,
    read_columns,
    read_header,
)
from nnspec.runtime.rules.csv_dialect import PLAIN, Dialect

Cell = TypeVar("Cell", contravariant=True)


class FileError(Exception):
    """One of several files is no table."""

    def __init__(self, path: Path, cause: CsvError) -> None:
        super().__init__(str(cause))
        self.path, self.cause = path, cause


@lru_cache(maxsize=4)
def scan_columns(
    paths: tuple[Path, ...],
    stamps: Stamps,
    header: tuple[str, ...],
    wanted: tuple[str, ...],
    kept: tuple[str, ...],
    dialect: Dialect = PLAIN,
) -> dict[str, ColumnFacts]:
    """What the columns of files hold whose `stamps` say that they are the same: an editor asks after each letter.

    Goes through the rows once, looking at the `wanted` columns and keeping the values of those in `kept`.

    Args:
        header: of the first file; that of others may have another order.

    Raises:
        FileError: where a row has more or fewer cells than the header, or there is none.
    """
    scans = {
        name: ColumnScan(NumberColumn(dialect), missing_among, keeps=name in kept)
        for name in dict.fromkeys([*wanted, *kept])
        if name in header
    }
    rows = 0
    for path in paths:
        own = 0
        try:
            columns = read_header(path, dialect)
            for chunk in read_columns(path, columns, list(scans) or columns[:1], dialect):
                for scan, cells in zip(scans.values(), chunk, strict=False):
                    scan.add(cells, rows)
                rows += len(chunk[0])
                own += len(chunk[0])
            if own == 0:
                raise CsvError("it has no rows below its header")
        except CsvError as error:
            raise FileError(path, error) from None
    facts = {name: ColumnFacts(rows=rows) for name in header}
    return facts | {name: scan.facts(rows) for name, scan in scans.items()}


class NumberReader(Protocol[Cell]):
    """Reads cells, or values, as numbers."""

    def read(self, cells: Sequence[Cell], /) -> list[Number | None]: ...


class ColumnScan(Generic[Cell]):
    """Gathers what is known of a column.

    Args:
        missing: the indices of cells that hold nothing, of those that are not read as numbers.
        spell: what `ColumnFacts.values` has for a cell.
        keeps: whether these are wanted.
    """

    def __init__(
        self,
        reader: NumberReader[Cell],
        missing: Callable[[Sequence[Cell]], list[int]],
        spell: Callable[[Cell], str] = str,
        *,
        keeps: bool,
    ) -> None:
        self.reader, self.missing_among, self.spell = reader, missing, spell
        self.missing = array("q")
        self.infinite: list[int] = []
        self.text: tuple[str, int] | None = None
        self.lowest: tuple[float, int] | None = None
        self.highest: tuple[float, int] | None = None
        self.fraction: tuple[float, int] | None = None
        self.values = TextKeeper() if keeps else None

    def add(self, cells: Sequence[Cell], done: int) -> None:
        """Looks at the cells of the rows after `done`."""
        if self.values is not None:
            self.values.add(list(map(self.spell, cells)))
        if self.text is None:
            try:
                self._add_numbers(self.reader.read(cells), done)
                return
            except CellError as error:
                self.text = (error.cell, done + error.index + 1)
        self.missing.extend([done + index + 1 for index in self.missing_among(cells)])

    def _add_numbers(self, values: Sequence[Number | None], done: int) -> None:
        numbers = cast("Sequence[Number]", values) if None not in values else [n for n in values if n is not None]
        if numbers and not math.isinf(low := min(numbers)) and not math.isinf(high := max(numbers)):
            last = done + len(values) - values[::-1].index(high)  # as in most columns: little is done value by value
            self._widen((low, done + 1 + values.index(low)), (high, last))
            if len(numbers) < len(values):
                self.missing.extend([row for row, value in enumerate(values, done + 1) if value is None])
            if self.fraction is None and set(map(type, numbers)) != {int}:
                self.fraction = next(
                    ((n, row) for row, n in enumerate(values, done + 1) if n is not None and n % 1), None
                )
            return
        finite: list[tuple[Number, int]] = []
        for row, value in enumerate(values, done + 1):
            if value is None:
                self.missing.append(row)
            elif math.isinf(value):
                self.infinite.append(row)
            else:
                finite.append((value, row))
        if finite:
            self._widen(min(finite), max(finite))
        if self.fraction is None:
            self.fraction = next((pair for pair in finite if pair[0] % 1), None)

    def _widen(self, low: tuple[Number, int], high: tuple[Number, int]) -> None:
        """Takes the range of some rows into that of the column; each end with its row."""
        self.lowest = low if self.lowest is None else min(self.lowest, low)
        self.highest = high if self.highest is None else max(self.highest, high)

    def facts(self, rows: int) -> ColumnFacts:
        text, text_row = self.text or ("", 0)
        return ColumnFacts(
            rows=rows,
            missing=self.missing,
            is_text=text_row > 0,
            text_row=text_row,
            text=text,
            infinite=tuple(self.infinite),
            lowest=self.lowest,
            highest=self.highest,
            fraction=self.fraction,
            values=None if self.values is None else self.values.finish(),
        )
