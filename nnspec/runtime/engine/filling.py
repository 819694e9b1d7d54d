"""Makes one table of an engine from several that are open in it, with the types that hold all their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.runtime.engine.types import EngineError, Kind, Table, kind_of, quote_name, quote_text
from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing

if TYPE_CHECKING:
    import duckdb


def fill_from_tables(
    connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[tuple[Table, Mapping[str, str]]]
) -> None:
    """Makes the table `name` of the parts' rows, one after the other.

    Args:
        parts: tables with the same columns, each with the columns that its folders' names add, a cell each.

    Raises:
        EngineError: where one lacks a column of the first.
    """
    (first, added), target = parts[0], quote_name(name)
    for table, cells in parts:
        lacks = next((c for c in (*first.types, *added) if c not in table.types and c not in cells), None)
        if lacks is not None:
            raise EngineError(f"a file has no column `{lacks}`, which the first has")
    types = {column: _common_type([table.types[column] for table, _ in parts]) for column in first.types}
    constants = {column: _cells_type([cells[column] for _, cells in parts]) for column in added}
    declared = ", ".join(f"{quote_name(column)} {kind}" for column, kind in (types | constants).items())
    connection.execute(f"CREATE TABLE {target} ({declared})")
    for table, cells in parts:
        filled = [_cell_sql(cells[column], kind) for column, kind in constants.items()]
        connection.execute(
            f"INSERT INTO {target} SELECT {', '.join([*map(quote_name, types), *filled])} FROM {table.origin}"
        )


def _common_type(types: Sequence[str]) -> str:
    """A type that holds the values of all, which are of one kind."""
    distinct = list(dict.fromkeys(kind for kind in types if kind_of(kind) is not Kind.NOTHING))
    if len(distinct) <= 1:
        return distinct[0] if distinct else "VARCHAR"
    kind = kind_of(distinct[0])
    if kind is Kind.INTEGER:
        return "HUGEINT" if any(name in ("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM") for name in distinct) else "BIGINT"
    return {Kind.REAL: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.MOMENT: "TIMESTAMP"}.get(kind, distinct[0])


def _cells_type(cells: Sequence[str]) -> str:
    """The type of what folders' names say: numbers where all are."""
    try:
        numbers = NumberColumn().read(list(cells))
    except CellError:
        return "VARCHAR"
    return "BIGINT" if all(number is None or isinstance(number, int) for number in numbers) else "DOUBLE"


def _cell_sql(cell: str, kind: str) -> str:
    return "NULL" if is_missing(cell) else f"CAST({quote_text(cell)} AS {kind})"
