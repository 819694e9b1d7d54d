"""Files of one table of which some have integers in a column and others numbers: all are read as DOUBLE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnspec.data.sources.typed import Part
from nnspec.runtime.engine.types import Kind, Table, kind_of, quote_name, quote_text

_ROW = "nnspec row"
_REAL = "DOUBLE"
_SAY = "write all files with one type"


def promote_integers(parts: Sequence[Part]) -> list[Part]:
    """The parts, of one type where they have integers and numbers in the same column.

    An integer that DOUBLE cannot represent is an error as it is read (`EngineError`), which names its row.
    """
    kinds: dict[str, set[Kind]] = {}
    for part in parts:
        for name, type_name in part.table.types.items():
            kinds.setdefault(name, set()).add(kind_of(type_name))
    mixed = [name for name, found in kinds.items() if found - {Kind.NOTHING} == {Kind.INTEGER, Kind.REAL}]
    return [_promote_types(part, mixed) for part in parts]


def _promote_types(part: Part, mixed: Sequence[str]) -> Part:
    types = part.table.types
    integers = [name for name in mixed if name in types and kind_of(types[name]) is Kind.INTEGER]
    return replace(part, table=_cast(part.table, integers, part.shown)) if integers else part


def _cast(table: Table, names: Sequence[str], shown: str) -> Table:
    """The table with some of its columns as DOUBLE, rows as they are."""
    columns = [
        f"{_double(table, name, shown)} AS {quote_name(name)}" if name in names else quote_name(name)
        for name in table.types
    ]
    origin = f"(SELECT {table.row} AS {quote_name(_ROW)}, {', '.join(columns)} FROM {table.origin})"
    types: Mapping[str, str] = {**table.types, **dict.fromkeys(names, _REAL)}
    return replace(table, origin=origin, row=quote_name(_ROW), types=types)


def _double(table: Table, name: str, shown: str) -> str:
    """A column of integers as DOUBLE; an error where that is another number."""
    column = quote_name(name)
    before, behind = f"column `{name}` has ", f" of `{shown}`, which {_REAL} cannot represent, its type in other files"
    value, row = f"CAST({column} AS VARCHAR)", f"CAST({table.row} + 1 AS VARCHAR)"
    told = " || ".join([quote_text(before), value, quote_text(" in row "), row, quote_text(f"{behind}: {_SAY}")])
    is_same = f"TRY_CAST(CAST({column} AS {_REAL}) AS HUGEINT) IS NOT DISTINCT FROM {column}"
    return f"CASE WHEN {is_same} THEN CAST({column} AS {_REAL}) ELSE CAST(error({told}) AS {_REAL}) END"
