"""Columns of lists in typed tables, as rows of JSON hold them: the values that `json_arrays` makes arrays of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nnspec.runtime.engine.types import Kind, Table, kind_of, quote_name
from nnspec.runtime.rules.json import Record

_LIST = re.compile(r"(\[\d*\])+$")
_EXACT = frozenset({"BOOLEAN", "VARCHAR", "FLOAT", "DOUBLE"})


def is_list(type_name: str) -> bool:
    """Whether a type is that of lists or of arrays of one length."""
    return bool(_LIST.search(type_name))


def why_no_list(type_name: str) -> str | None:
    """Why no array is made of a column of this type; None where one is."""
    if not is_list(type_name):
        return f"has type {type_name}, not lists: name it under `columns`"
    element = _LIST.sub("", type_name)
    kind = kind_of(element)
    if kind.is_number or kind is Kind.TEXT or element == "BOOLEAN":
        return None
    return f"has type {type_name}, whose values are neither numbers nor text"


def list_records(table: Table, column: str) -> Iterator[Record]:
    """The rows, in their order, with one column.

    Raises:
        EngineError: where they cannot be read.
    """
    shown, type_name = quote_name(column), table.types[column]
    element = _LIST.sub("", type_name)
    if kind_of(element).is_number and element not in _EXACT and "INT" not in element:  # decimals
        shown = f"CAST({shown} AS DOUBLE{type_name[len(element) :]})"
    for (value,) in table.stream(f"SELECT {shown} FROM {table.origin}"):
        yield {column: _plain(value)}


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
