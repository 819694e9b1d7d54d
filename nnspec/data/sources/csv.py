"""CSV tables, by the rules of `nnspec.runtime.csv_rules`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nnspec.data.sources.base import (
    Column,
    ColumnFacts,
    MisfitError,
    Reading,
    SourceError,
    SourceFacts,
    SourcePlan,
    TableFacts,
    TableSource,
)
from nnspec.runtime.csv_rules import (
    CellError,
    CsvError,
    Number,
    NumberColumn,
    is_missing,
    read_chunks,
    read_header,
)
from nnspec.runtime.time_rules import parse_times

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CsvSource(TableSource):
    kind = "csv"
    noun = "CSV files"
    description = "A comma-separated table with a header line; the path is relative to the spec's folder."
    suffixes = (".csv",)

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        try:
            header = read_header(plan.path)
            stat = plan.path.stat()
            stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            columns = scan_columns(plan.path, stamp, tuple(header), tuple(wanted), tuple(sorted(set(kept))))
        except CsvError as error:
            raise SourceError(str(error)) from None
        except OSError as error:
            raise SourceError(f"it cannot be read ({error.strerror})") from None
        notes: tuple[str, ...] = ()
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            notes = ("its header is a single cell: are the cells separated by something other than a comma?",)
        return TableFacts(columns, header, notes)

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        try:
            header = read_header(plan.path)
            positions = [header.index(name) for name in names]
            if reading is Reading.ORDER:
                yield [_order_keys(plan.path, header, position) for position in positions]
                return
            readers = [NumberColumn() for _ in names]
            done = 0
            for rows in read_chunks(plan.path, header):
                chunk = []
                for name, position, reader in zip(names, positions, readers, strict=True):
                    cells = [row[position] for row in rows]
                    try:
                        chunk.append(_numbers(cells, reader) if reading is Reading.NUMBER else _words(cells, reading))
                    except CellError as error:
                        row = done + error.index + 1
                        raise MisfitError(
                            f"column `{name}` of `{plan.shown}` contains text (`{error.cell}` in row "
                            f"{row}), not numbers"
                        ) from None
                done += len(rows)
                yield chunk
        except CsvError as error:
            raise SourceError(str(error)) from None
        except ValueError as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(str(error)) from None

    def read_inputs(
        self, file: Path, wanted: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> dict[str, NDArray[Any]]:
        from nnspec.runtime.tables import read_csv

        return read_csv(file, wanted, metadata).inputs


def _order_keys(path: Path, header: Sequence[str], position: int) -> Column:
    """What rows are sorted by: numbers where all cells are, moments where all are ISO 8601, else text."""
    import numpy as np

    cells = [row[position] for rows in read_chunks(path, header) for row in rows]
    try:
        return _numbers(cells, NumberColumn())
    except CellError:
        times = parse_times(cells)
        if times is None:
            return _words(cells, Reading.ORDER)
        return Column(np.array(times, dtype="datetime64[us]"), np.zeros(len(cells), dtype=bool))


def _numbers(cells: Sequence[str], reader: NumberColumn) -> Column:
    import numpy as np

    from nnspec.runtime.tables import numbers_of

    values = numbers_of(cells, reader)
    return Column(values, np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool))


def _words(cells: Sequence[str], reading: Reading) -> Column:
    import numpy as np

    from nnspec.data.sources.label_keys import label_key

    missing = [is_missing(cell) for cell in cells]
    spelt = [label_key(cell) for cell in cells] if reading is Reading.LABEL else cells
    words = ["" if gap else cell for cell, gap in zip(spelt, missing, strict=True)]
    return Column(np.array(words, dtype=str), np.array(missing, dtype=bool))


@lru_cache(maxsize=4)
def scan_columns(
    path: Path, stamp: tuple[int, ...], header: tuple[str, ...], wanted: tuple[str, ...], kept: tuple[str, ...]
) -> dict[str, ColumnFacts]:
    """What the columns of a file hold whose `stamp` says that it is the same: an editor asks after each letter.

    Goes through the rows once, looking at the `wanted` columns and keeping the values of those in `kept`.

    Raises:
        CsvError: where a row has more or fewer cells than the header, or there is none.
    """
    scans = {
        name: (header.index(name), _ColumnScan(keeps=name in kept))
        for name in dict.fromkeys([*wanted, *kept])
        if name in header
    }
    rows = 0
    for chunk in read_chunks(path, header):
        for position, scan in scans.values():
            scan.add([row[position] for row in chunk], rows)
        rows += len(chunk)
    if rows == 0:
        raise CsvError("it has no rows below its header")
    facts = {name: ColumnFacts(rows=rows) for name in header}
    return facts | {name: scan.facts(rows) for name, (_, scan) in scans.items()}


class _ColumnScan:
    """Gathers what is known of a column."""

    def __init__(self, *, keeps: bool) -> None:
        self.reader = NumberColumn()
        self.missing: list[int] = []
        self.infinite: list[int] = []
        self.text: tuple[str, int] | None = None
        self.lowest: tuple[float, int] | None = None
        self.highest: tuple[float, int] | None = None
        self.fraction: tuple[float, int] | None = None
        self.values: list[str] | None = [] if keeps else None

    def add(self, cells: Sequence[str], done: int) -> None:
        """Looks at the cells of the rows after `done`."""
        if self.values is not None:
            self.values += cells
        if self.text is None:
            try:
                self._add_numbers(self.reader.read(cells), done)
                return
            except CellError as error:
                self.text = (error.cell, done + error.index + 1)
        self.missing += [done + i for i, cell in enumerate(cells, 1) if is_missing(cell)]

    def _add_numbers(self, values: Sequence[Number | None], done: int) -> None:
        if None not in values:
            numbers = cast("Sequence[Number]", values)
            low, high = min(numbers), max(numbers)
            if not math.isinf(low) and not math.isinf(high):  # as in most columns: nothing is done value by value
                last = done + len(numbers) - numbers[::-1].index(high)
                self._widen((low, done + 1 + numbers.index(low)), (high, last))
                if self.fraction is None and set(map(type, numbers)) != {int}:
                    self.fraction = next(((n, row) for row, n in enumerate(numbers, done + 1) if n % 1), None)
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
            values=self.values,
        )


SOURCE = CsvSource()
