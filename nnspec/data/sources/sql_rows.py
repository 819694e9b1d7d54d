"""Puts rows that a database gives into a table of an engine, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.data.sources.base import ToldError
from nnspec.diagnostics import nearest
from nnspec.runtime.engine.types import quote_name

if TYPE_CHECKING:
    import duckdb

CHUNK_ROWS = 20_000
SECONDS = 120  # that a database may take
Cell = str | int | float | bool | None
_CARRIED = {"BIGINT": "BIGINT", "DOUBLE": "DOUBLE", "BOOLEAN": "BOOLEAN"}  # in lists; others as text


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    types: Mapping[str, str],
    chunks: Iterable[Sequence[Sequence[Cell]]],
) -> None:
    """Makes the table `name` of rows.

    Args:
        types: DuckDB's type of each column.
        chunks: some rows at a time, cells in the order of the columns.
    """
    target = quote_name(name)
    connection.execute(f"CREATE TABLE {target} ({', '.join(f'{quote_name(c)} {kind}' for c, kind in types.items())})")
    cells = ", ".join(
        f"CAST(unnest(CAST(? AS {_CARRIED.get(kind, 'VARCHAR')}[])) AS {kind})" for kind in types.values()
    )
    for rows in chunks:
        if rows:
            connection.execute(
                f"INSERT INTO {target} SELECT {cells}", [list(column) for column in zip(*rows, strict=True)]
            )


def no_table(shown: str, table: str, names: Sequence[str]) -> ToldError:
    """NN567 for a table that a database does not have."""
    close = nearest(table, names)
    fixes = [f"use `{name}`" for name in close] or ["name a table or view that the database has"]
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    notes = (f"it has: {listed}",) if names else ("it has no tables",)
    return ToldError("NN567", f"`{shown}` has no table `{table}`", *fixes, notes=notes)
