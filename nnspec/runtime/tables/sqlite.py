"""Tables of SQLite files as model input, by Python's own module and the rules of training.

They are only read, rows in the order of the primary key, else of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Key
from nnspec.runtime.rows.row_order import passed_columns
from nnspec.runtime.rules.markers import Markers, marker_key
from nnspec.runtime.tables.matching import options_of, require_columns, table_columns
from nnspec.runtime.tables.pieces import Piece, TableRows

Cell = int | float | str | bytes | None
SUFFIXES = (".sqlite", ".sqlite3", ".db")
_TABLES = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
_BY_ROWID = " ORDER BY rowid"


def read_sqlite(file: Path, wanted: Metadata, metadata: Metadata) -> TableRows:
    """The rows of the table that it was trained on; of another name, from the file's only one.

    Raises:
        InputError: where it is no SQLite file, has no such table, lacks a column, or has
            text where an input takes numbers.
    """
    keys = table_columns(file, wanted)
    named = next((str(body["table"]) for body in wanted.values() if body.get("table")), None)

    def asked_of(header: Sequence[str]) -> list[Key]:
        require_columns(file, keys, header)
        return list(dict.fromkeys([*keys, *((name, True) for name in passed_columns(metadata) if name in header)]))

    asked, rows = _rows(file, named, asked_of)
    markers = Markers.from_options(options_of(wanted))
    columns: dict[Key, Array] = {}
    for place, (name, is_text) in enumerate(asked):
        words = markers.of(name)
        cells = [row[place] for row in rows]
        if words:
            cells = [None if isinstance(c, str | int | float) and marker_key(c) in words else c for c in cells]
        columns[name, is_text] = _words(cells) if is_text else _numbers(file, name, cells)
    ordering = {name: columns[name, True].tolist() for name in passed_columns(metadata) if (name, True) in columns}
    return TableRows([Piece({key: columns[key] for key in keys}, ordering)], wanted)


def cells_of_sqlite(file: Path, table: str | None, markers: Markers) -> dict[str, list[Cell]]:
    """The columns of a table, as the table of a query: None where a cell is missing, or no number and no text.

    A column that has a text has texts alone.

    Args:
        table: by which it is called; None: the file's only one.

    Raises:
        InputError: where it is no SQLite file, or has no such table.
    """
    asked, rows = _rows(file, table, lambda header: [(name, True) for name in header])
    found: dict[str, list[Cell]] = {}
    for place, (name, _) in enumerate(asked):
        words = markers.of(name)
        cells = [None if isinstance(row[place], bytes) else row[place] for row in rows]
        cells = [None if isinstance(c, str) and marker_key(c) in words else c for c in cells] if words else cells
        has_text = any(isinstance(cell, str) for cell in cells)
        found[name] = [None if cell is None else str(cell) for cell in cells] if has_text else cells
    return found


def _rows(
    file: Path, named: str | None, asked_of: Callable[[Sequence[str]], list[Key]]
) -> tuple[list[Key], list[tuple[Cell, ...]]]:
    """The rows of a table, in the order of its primary key or rowid, and the columns that were asked of it."""
    import sqlite3  # which not every Python has

    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA query_only = ON")
            kinds = dict(database.execute(_TABLES))
            table = _table_of(file, sorted(kinds), named)
            info = list(database.execute(f"PRAGMA table_info({_quote(table)})"))
            asked = asked_of([str(row[1]) for row in info])
            names = ", ".join(_quote(name) for name, _ in asked) or "1"
            order = _order_of(info) if kinds[table] == "table" else ""
            return asked, database.execute(f"SELECT {names} FROM {_quote(table)}{order}").fetchall()
    except sqlite3.Error as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def _table_of(file: Path, tables: Sequence[str], named: str | None) -> str:
    if named in tables:
        return str(named)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise InputError(f"`{file.name}` has no tables")
    trained = f"no table `{named}`, which the model was trained on" if named else f"{len(tables)} tables"
    raise InputError(f"`{file.name}` has {trained}; it has {quote_names(list(tables))}")


def _order_of(info: Sequence[Sequence[Cell]]) -> str:
    keys = [_quote(str(row[1])) for row in sorted(info, key=lambda row: int(str(row[5]))) if row[5]]
    return f" ORDER BY {', '.join(keys)}" if keys else _BY_ROWID


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _numbers(file: Path, name: str, cells: Sequence[Cell]) -> Array:
    row = next((row for row, cell in enumerate(cells, 1) if isinstance(cell, str | bytes)), None)
    if row is not None:
        raise InputError(f"`{file.name}`: column `{name}` has no number in row {row}: `{cells[row - 1]!s}`")
    if all(type(cell) is int for cell in cells):
        return np.array(cells, np.int64)
    return np.array([np.nan if cell is None else cell for cell in cells], np.float64)


def _words(cells: Sequence[Cell]) -> Array:
    """Cells as words; numbers of a column with fractions are written as such, as in training."""
    has_text = any(isinstance(cell, str) for cell in cells)
    if not has_text and any(isinstance(cell, float) for cell in cells):
        cells = [None if cell is None else float(cell) for cell in cells]
    return np.array(["" if cell is None else str(cell) for cell in cells], dtype=object)
