"""Tables of SQLite files, by Python's own module: read only, and without what a schema of somebody's may call."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import SourceError, ToldError
from nnspec.data.sources.sql_rows import CHUNK_ROWS, SECONDS, Cell, insert_rows, no_table
from nnspec.runtime.engine.types import quote_name, quote_text
from nnspec.runtime.rules.markers import NO_MARKERS, Markers

if TYPE_CHECKING:
    import duckdb

_BY_ROWID = " ORDER BY rowid"
_STEPS = 100_000  # of SQLite's machine, between two looks at the clock


def fill_from_sqlite(
    connection: duckdb.DuckDBPyConnection, name: str, file: Path, table: str, markers: Markers = NO_MARKERS
) -> None:
    """Makes the table `name` of a table or view of a SQLite file, rows in the order of its primary key or rowid.

    Integers are BIGINT, numbers DOUBLE, words VARCHAR; a column with both is text. What is no number or text is a BLOB.
    A text that is one of the markers does not make text of a column.

    Raises:
        SourceError: where it is no SQLite file, or is damaged.
        ToldError: NN567 where it has no such table, or takes too long.
    """
    try:
        file.open("rb").close()  # SQLite does not say why a file cannot be opened
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            _fill(connection, name, database, file.name, table, markers)
    except OSError as error:
        raise SourceError(f"it cannot be read ({error.strerror or error})") from None
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            message = f"table `{table}` of `{file.name}` takes longer than {SECONDS} s to read"
            raise ToldError("NN567", message, "read a table rather than a view, or prepare one") from None
        raise SourceError(str(error)) from None
    except sqlite3.Error as error:
        remedy = f"copy it again, or save what can be read: `sqlite3 {file.name} .recover`"
        raise SourceError(str(error), remedy) from None


def _fill(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    database: sqlite3.Connection,
    shown: str,
    table: str,
    markers: Markers,
) -> None:
    end = time.monotonic() + SECONDS
    database.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA query_only = ON")
    database.execute("BEGIN")
    kinds = dict(
        database.execute(
            "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        )
    )
    if table not in kinds:
        raise no_table(shown, table, sorted(kinds))
    columns = [str(row[1]) for row in database.execute(f"PRAGMA table_info({quote_name(table)})")]
    order = _order_of(database, table) if kinds[table] == "table" else ""
    origin = _without_texts(table, columns, markers, "rowid, " if order == _BY_ROWID else "")
    types = {column: _type_of(database, origin, column) for column in columns}
    cells = ", ".join(quote_name(c) if kind != "BLOB" else f"NULL AS {quote_name(c)}" for c, kind in types.items())
    insert_rows(
        connection, name, types, _chunks(database, f"SELECT {cells} FROM {origin}{order}", list(types.values()))
    )


def _type_of(database: sqlite3.Connection, origin: str, column: str) -> str:
    """DuckDB's type for the values that a column has: SQLite's columns hold anything, whatever they are declared as."""
    found = {str(row[0]) for row in database.execute(f"SELECT DISTINCT typeof({quote_name(column)}) FROM {origin}")}
    found.discard("null")
    if "blob" in found:
        return "BLOB"
    if "text" in found:
        return "VARCHAR"
    return "DOUBLE" if "real" in found else "BIGINT"


def _without_texts(table: str, columns: Sequence[str], markers: Markers, row: str) -> str:
    """What stands after FROM: the table, or it with NULL for texts that are markers, rowid and keys as they are."""
    cleared = []
    for column in columns:
        words = ", ".join(map(quote_text, sorted(markers.of(column))))
        cell = quote_name(column)
        is_marker = f"typeof({cell}) = 'text' AND trim({cell}) IN ({words})"
        cleared.append(f"CASE WHEN {is_marker} THEN NULL ELSE {cell} END AS {cell}" if words else cell)
    return f"(SELECT {row}{', '.join(cleared)} FROM {quote_name(table)})" if markers else quote_name(table)


def _order_of(database: sqlite3.Connection, table: str) -> str:
    info = list(database.execute(f"PRAGMA table_info({quote_name(table)})"))
    keys = [quote_name(str(row[1])) for row in sorted(info, key=lambda row: int(row[5])) if row[5]]
    return f" ORDER BY {', '.join(keys)}" if keys else _BY_ROWID


def _chunks(database: sqlite3.Connection, sql: str, types: Sequence[str]) -> Iterator[list[tuple[Cell, ...]]]:
    cursor = database.execute(sql)
    texts = [index for index, kind in enumerate(types) if kind == "VARCHAR"]
    while rows := cursor.fetchmany(CHUNK_ROWS):
        yield [_as_text(row, texts) for row in rows] if texts else rows


def _as_text(row: tuple[Cell, ...], texts: Sequence[int]) -> tuple[Cell, ...]:
    cells = list(row)
    for index in texts:
        cells[index] = None if cells[index] is None else str(cells[index])
    return tuple(cells)
