"""What a typed table holds, found by DuckDB without loading its values into Python."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import MAXYEAR, MINYEAR

from nnspec.data.sources.base import ColumnFacts
from nnspec.runtime.engine.types import Kind, Record, Table, kind_of, number_sql, quote_name, word_sql
from nnspec.runtime.rows.kept import Coded, Moments, Times, Value, compact_values, concatenate_values
from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing

_TIMES = frozenset(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"))  # of at most microseconds, without a zone


def count_rows(table: Table) -> int:
    """The number of a table's rows."""
    return int(table.rows(f"SELECT count(*) FROM {table.origin}")[0][0])


def scan_table(table: Table, names: Sequence[str], kept: Sequence[str]) -> dict[str, ColumnFacts]:
    """Each column's facts, with the values of those in `kept`.

    Raises:
        EngineError: where the file cannot be read to its end.
    """
    if not names:
        return {}
    parts = [part for name in names for part in _extent(table, name)]
    rows, *found = table.rows(_select(table, ["count(*)", *parts]))[0]
    extents = {name: tuple(found[4 * index : 4 * index + 4]) for index, name in enumerate(names)}
    asked = {name: _places(table, name, int(rows), extents[name]) for name in names}
    places = table.rows(_select(table, [part for parts in asked.values() for part in parts]))[0]
    facts, done = {}, 0
    for name, parts in asked.items():
        told, done = places[done : done + len(parts)], done + len(parts)
        column = _facts(table, name, int(rows), extents[name], told)
        facts[name] = replace(column, values=_values(table, name, column)) if name in kept else column
    return facts


def _select(table: Table, parts: Sequence[str]) -> str:
    return f"SELECT {', '.join(parts)} FROM {table.origin}"


def _is_number(table: Table, name: str) -> bool:
    return kind_of(table.types[name]).is_number


def _value(table: Table, name: str) -> str:
    return (number_sql if _is_number(table, name) else word_sql)(name, table.types[name])


def _extent(table: Table, name: str) -> list[str]:
    """How many values a column has, its finite range, and how many are infinite or, of times, none that Python has."""
    value = _value(table, name)
    if not _is_number(table, name):
        column = quote_name(name)
        beyond = f"count(*) FILTER (WHERE isfinite({column}) AND year({column}) NOT BETWEEN {MINYEAR} AND {MAXYEAR})"
        is_time = kind_of(table.types[name]).is_time
        return [f"count({value})", "NULL", "NULL", beyond if is_time else "0"]
    if kind_of(table.types[name]) is not Kind.REAL:
        return [f"count({value})", f"min({value})", f"max({value})", "0"]
    finite = f"FILTER (WHERE isfinite({value}))"
    return [
        f"count({value})",
        f"min({value}) {finite}",
        f"max({value}) {finite}",
        f"count(*) FILTER (WHERE isinf({value}))",
    ]


def _places(table: Table, name: str, rows: int, extent: Sequence[Value]) -> list[str]:
    """What is asked of the rows in which something stands: those without a value, infinite ones, and first ones."""
    value, row = _value(table, name), f"{table.row} + 1"
    count, low, high, infinite = extent
    gaps = f"list({row} ORDER BY {row}) FILTER (WHERE ({value}) IS NULL)" if count != rows else "NULL"
    if not _is_number(table, name):
        return [gaps, f"arg_min({value}, {row})", f"min({row}) FILTER (WHERE ({value}) IS NOT NULL)"]
    places = [
        gaps,
        f"list({row} ORDER BY {row}) FILTER (WHERE isinf({value}))" if infinite else "NULL",
        *("NULL" if end is None else f"min({row}) FILTER (WHERE {value} = {_literal(end)})" for end in (low, high)),
    ]
    if kind_of(table.types[name]) is not Kind.REAL:
        return [*places, "NULL", "NULL"]
    fraction = f"isfinite({value}) AND {value} <> trunc({value})"
    return [*places, f"arg_min({value}, {row}) FILTER (WHERE {fraction})", f"min({row}) FILTER (WHERE {fraction})"]


def _literal(end: Value) -> str:
    """A number that is compared with itself: DuckDB reads one with a point as a decimal, which rounds."""
    return f"CAST('{end!r}' AS DOUBLE)" if isinstance(end, float) else str(end)


def _facts(table: Table, name: str, rows: int, extent: Record, places: Record) -> ColumnFacts:
    column = ColumnFacts(rows=rows, missing=places[0] or [])
    if not _is_number(table, name):
        is_time = kind_of(table.types[name]).is_time and not extent[3]
        return replace(column, is_text=True, is_time=is_time, text=str(places[1] or ""), text_row=int(places[2] or 0))
    _, low, high, _ = extent
    _, infinite, low_row, high_row, fraction, fraction_row = places
    return replace(
        column,
        infinite=tuple(infinite or ()),
        lowest=None if low is None else (low, int(low_row)),
        highest=None if high is None else (high, int(high_row)),
        fraction=None if fraction_row is None else (fraction, int(fraction_row)),
    )


def _values(table: Table, name: str, column: ColumnFacts) -> Sequence[Value]:
    """A column's values; one that has none is an empty text, as in a CSV file."""
    if column.is_time and not column.missing and table.types[name] in _TIMES:
        found = table.stream(f"SELECT epoch_us({quote_name(name)}) FROM {table.origin}")
        return Times(Moments(array("q", (row[0] for row in found))), is_date=table.types[name] == "DATE")
    return compact_values(row[0] for row in table.stream(f"SELECT {_value(table, name)} FROM {table.origin}"))


def constant_facts(cell: str, rows: int, *, keeps: bool) -> ColumnFacts:
    """The facts of a column that holds one cell in every row."""
    everywhere = list(range(1, rows + 1))
    values = Coded([cell], array("I", bytes(4 * rows))) if keeps else None
    if is_missing(cell):
        return ColumnFacts(rows=rows, missing=everywhere, values=values)
    try:
        (number,) = NumberColumn().read([cell])
    except CellError:
        return ColumnFacts(rows=rows, missing=[], is_text=True, text=cell, text_row=1, values=values)
    assert number is not None
    if number in (float("inf"), float("-inf")):
        return ColumnFacts(rows=rows, missing=[], infinite=tuple(everywhere), values=values)
    fraction = (float(number), 1) if number % 1 else None
    return ColumnFacts(rows=rows, missing=[], lowest=(number, 1), highest=(number, 1), fraction=fraction, values=values)


def concatenate_facts(parts: Iterable[Mapping[str, ColumnFacts]]) -> dict[str, ColumnFacts]:
    """The facts of tables whose rows follow one another."""
    result: dict[str, ColumnFacts] = {}
    for part in parts:
        for name, column in part.items():
            result[name] = _combine_facts(result[name], column) if name in result else column
    return result


def _combine_facts(first: ColumnFacts, then: ColumnFacts) -> ColumnFacts:
    rows = first.rows
    lows = [pair for pair in (first.lowest, _shift_row(then.lowest, rows)) if pair]
    highs = [pair for pair in (first.highest, _shift_row(then.highest, rows)) if pair]
    values = None if first.values is None or then.values is None else concatenate_values(first.values, then.values)
    told, shift = (first, 0) if first.text_row else (then, rows if then.text_row else 0)
    return ColumnFacts(
        rows=rows + then.rows,
        missing=[*(first.missing or ()), *(rows + row for row in then.missing or ())],
        is_text=first.is_text or then.is_text,
        is_time=first.is_time and then.is_time,
        text_row=told.text_row + shift,
        text=told.text,
        infinite=(*first.infinite, *(rows + row for row in then.infinite)),
        lowest=min(lows, default=None),
        highest=max(highs, default=None),
        fraction=first.fraction or _shift_row(then.fraction, rows),
        values=values,
    )


def _shift_row(pair: tuple[float, int] | None, rows: int) -> tuple[float, int] | None:
    return None if pair is None else (pair[0], pair[1] + rows)
