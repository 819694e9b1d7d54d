"""Markers of missing values in typed tables: NULL in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.runtime.engine.types import Kind, Table, kind_of, quote_name, quote_text, word_sql
from nnspec.runtime.rules.markers import Keys, Markers, numbers_in

if TYPE_CHECKING:
    import duckdb

_ROW = "nnspec row"


def with_markers(table: Table, markers: Markers) -> Table:
    """The table with NULL where a marker is, rows and types as they are."""
    conditions = {name: _condition(name, kind, markers.of(name)) for name, kind in table.types.items()}
    if not any(conditions.values()):
        return table
    columns = [
        f"CASE WHEN {condition} THEN NULL ELSE {quote_name(name)} END AS {quote_name(name)}"
        if condition
        else quote_name(name)
        for name, condition in conditions.items()
    ]
    origin = f"(SELECT {table.row} AS {quote_name(_ROW)}, {', '.join(columns)} FROM {table.origin})"
    return replace(table, origin=origin, row=quote_name(_ROW))


def clear_markers(connection: duckdb.DuckDBPyConnection, name: str, types: Mapping[str, str], markers: Markers) -> None:
    """Makes NULL of the markers in a table that an engine holds."""
    for column, kind in types.items():
        condition = _condition(column, kind, markers.of(column))
        if condition:
            connection.execute(f"UPDATE {quote_name(name)} SET {quote_name(column)} = NULL WHERE {condition}")


def _condition(name: str, type_name: str, keys: Keys) -> str:
    """Whether a value is one of the markers, in SQL; empty where none can be."""
    kind = kind_of(type_name)
    if kind in (Kind.BOOLEAN, Kind.OTHER, Kind.NOTHING):
        return ""
    if kind.is_number:
        numbers = ", ".join(f"CAST('{number!r}' AS DOUBLE)" for number in numbers_in(keys))
        return f"CAST({quote_name(name)} AS DOUBLE) IN ({numbers})" if numbers else ""
    words = ", ".join(map(quote_text, sorted(keys)))
    return f"trim({word_sql(name, type_name)}) IN ({words})" if words else ""
