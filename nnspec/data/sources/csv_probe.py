"""A quick look at a CSV file with the standard library: its columns, row count, gaps and labels."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

# What an empty cell may look like; `nnspec.data.tables` hands the same list to the reader that loads the values.
NULLS = ("", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "-NaN", "null", "NULL", "<NA>")
_NULL_SET = frozenset(NULLS)


class TableError(ValueError):
    """The file is no table; the message completes `FILE is damaged: …`."""


@dataclass
class ColumnScan:
    """What one column holds. Rows are counted from 1, the header left out; `values` only where they were asked for."""

    missing: list[int] = field(default_factory=list)
    text_row: int = 0  # the first row that holds neither a number nor nothing
    text: str = ""
    values: list[str] | None = None


@dataclass(frozen=True, slots=True)
class TableScan:
    rows: int
    columns: dict[str, ColumnScan]


def read_header(path: Path) -> list[str]:
    """The column names.

    Raises:
        TableError: where there are none, one stands twice, or the file is not UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
    except UnicodeDecodeError:
        raise TableError("it is not UTF-8 text") from None
    except csv.Error as error:
        raise TableError(str(error)) from None
    except OSError as error:
        raise TableError(f"it cannot be read ({error.strerror})") from None
    if not header:
        raise TableError("it is empty: its first line must name the columns")
    twice = next((name for i, name in enumerate(header) if name in header[:i]), None)
    if twice is not None:
        raise TableError(f"column `{twice}` stands twice in its first line")
    return header


def scan(path: Path, header: list[str], wanted: Iterable[str], keep: Iterable[str] = ()) -> TableScan:
    """Goes through the rows once, looking at the `wanted` columns and keeping the values of those in `keep`.

    A file that stays as it is is read once: an editor asks after each letter.

    Raises:
        TableError: where a row has more or fewer cells than the header.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise TableError(f"it cannot be read ({error.strerror})") from None
    stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return _scanned(path, stamp, tuple(header), tuple(wanted), tuple(sorted(set(keep))))


@lru_cache(maxsize=4)
def _scanned(
    path: Path, stamp: tuple[int, ...], header: tuple[str, ...], wanted: tuple[str, ...], kept: tuple[str, ...]
) -> TableScan:
    """What a file holds whose `stamp` says that it is the same."""
    columns = {name: ColumnScan(values=[] if name in kept else None) for name in dict.fromkeys([*wanted, *kept])}
    watched = [(header.index(name), column) for name, column in columns.items() if name in header]
    rows, width = 0, len(header)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            next(reader, None)
            for cells in reader:
                if not cells:
                    continue
                rows += 1
                if len(cells) != width:
                    raise TableError(f"row {rows} has {len(cells)} cells where the header has {width}")
                for index, column in watched:
                    _look(column, cells[index], rows)
    except UnicodeDecodeError:
        raise TableError("it is not UTF-8 text") from None
    except csv.Error as error:
        raise TableError(f"row {rows + 1}: {error}") from None
    except OSError as error:
        raise TableError(f"it cannot be read ({error.strerror})") from None
    return TableScan(rows, columns)


def _look(column: ColumnScan, cell: str, row: int) -> None:
    if column.values is not None:
        column.values.append(cell)
    if cell in _NULL_SET:
        column.missing.append(row)
    elif not column.text_row:
        try:
            float(cell)
        except ValueError:
            column.text_row, column.text = row, cell
