"""Makes one table of an engine from several that are open in it, with the types that hold all their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.data.sources.typed import Part, check_alike
from nnspec.runtime.csv_rules import CellError, NumberColumn, is_missing
from nnspec.runtime.engine import Kind, kind_of, quote_name, quote_text

if TYPE_CHECKING:
    import duckdb


def fill_from_parts(connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[Part]) -> None:
    """Makes the table `name` of the parts' rows, one after the other.

    Raises:
        SourceError: where a column changes its type, or is not in all of them.
    """
    first, target = parts[0], quote_name(name)
    for part in parts[1:]:
        check_alike(first, part, first.names)
    types = {column: _common_type([part.table.types[column] for part in parts]) for column in first.table.types}
    constants = {column: _cells_type([part.constants[column] for part in parts]) for column in first.constants}
    declared = ", ".join(f"{quote_name(column)} {kind}" for column, kind in (types | constants).items())
    connection.execute(f"CREATE TABLE {target} ({declared})")
    for part in parts:
        cells = [_cell_sql(part.constants[column], kind) for column, kind in constants.items()]
        values = ", ".join([*map(quote_name, types), *cells])
        connection.execute(f"INSERT INTO {target} SELECT {values} FROM {part.table.origin}")


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
