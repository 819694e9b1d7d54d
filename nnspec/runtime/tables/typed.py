"""Parquet and Arrow files as model input, read by DuckDB by the rules of training (`engine.types`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from nnspec.runtime.engine.arrow import open_arrow
from nnspec.runtime.engine.types import EngineError, Table, Wanted, kind_of, open_parquet, read_columns, why_unreadable
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Key
from nnspec.runtime.rows.row_order import passed_columns
from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing
from nnspec.runtime.rules.markers import Markers
from nnspec.runtime.rules.partitions import partition_of
from nnspec.runtime.tables.json_arrays import list_column
from nnspec.runtime.tables.json_tables import is_array, padded_lists
from nnspec.runtime.tables.matching import options_of, require_columns, table_columns
from nnspec.runtime.tables.pieces import Piece, TableRows
from nnspec.runtime.tables.typed_lists import list_records, why_no_list
from nnspec.runtime.tables.typed_markers import with_markers

_ROW_GROUP = 122_880  # rows that Parquet files and DuckDB's tables keep together
_CELLS = 1 << 21  # that are read at a time


def read_typed(file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> TableRows:
    """The rows of a Parquet or Arrow file; folders such as `year=2024` above it add a column.

    Raises:
        InputError: where it is damaged, lacks a column, or a column is not what an input takes.
    """
    try:
        table = open_parquet(file) if file.suffix.lower() == ".parquet" else open_arrow(file)
        constants = partition_of(file.absolute().parent.parts, table.types)
        return rows_of_typed(file, table, wanted, metadata, constants, "`{}` cannot be read: {}")
    except EngineError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def rows_of_typed(
    file: Path,
    table: Table,
    wanted: Mapping[str, Metadata],
    metadata: Metadata,
    constants: Mapping[str, str],
    fault: str,
) -> TableRows:
    """The rows of a table that is open.

    Args:
        constants: columns that the table lacks and that hold one cell in every row.
        fault: what is said where its rows cannot be read, of the file and the reason.

    Raises:
        EngineError: where the table cannot be read.
        InputError: where it lacks a column, or a column is not what an input takes.
    """
    table = with_markers(table, Markers.from_options(options_of(wanted)))
    arrays = {name: _array(file, name, body, table) for name, body in wanted.items() if is_array(body)}
    wanted = {name: body for name, body in wanted.items() if name not in arrays}
    if not wanted:
        return TableRows((), wanted, arrays)
    keys = table_columns(file, wanted)
    header = [*table.types, *constants]
    require_columns(file, keys, header)
    ordering = [(name, True) for name in passed_columns(metadata) if name in header]
    asked = list(dict.fromkeys([*keys, *ordering]))
    for name, is_text in asked:
        if name in table.types:
            _check_type(file, name, table.types[name], is_text=is_text)

    def pieces() -> Iterator[Piece]:
        try:
            for columns in _stretches(file, table, asked, constants):
                cells = {name: columns[name, True].tolist() for name, _ in ordering}
                yield Piece({key: columns[key] for key in keys}, cells)
        except EngineError as error:
            raise InputError(fault.format(file.name, error)) from None

    return TableRows(pieces(), wanted, arrays)


def _stretches(
    file: Path, table: Table, asked: Sequence[Key], constants: Mapping[str, str]
) -> Iterator[dict[Key, Array]]:
    """The columns, some rows at a time."""
    own = [(name, is_text) for name, is_text in asked if name in table.types]
    total = int(table.rows(f"SELECT count(*) FROM {table.origin}")[0][0])
    size = min(_ROW_GROUP, max(1, _CELLS // max(1, len(own))))
    for start in range(0, total, size):
        rows = range(start, min(start + size, total)) if total > size else None
        found = read_columns(table, [(name, Wanted.WORD if is_text else Wanted.NUMBER) for name, is_text in own], rows)
        columns = {key: _wide(values) for key, (values, _) in zip(own, found, strict=True)}
        count = len(found[0][0]) if found else min(size, total - start)
        for name, is_text in asked:
            if name not in table.types:
                columns[name, is_text] = _constant(file, name, constants[name], count, is_text=is_text)
        yield columns


def _wide(values: Array) -> Array:
    """What comes in four bytes of a part of a table, as of all of it."""
    return values.astype(np.float64) if values.dtype == np.float32 else values


def _array(file: Path, name: str, body: Metadata, table: Table) -> Array:
    """An input's array, from a column of lists."""
    column = list_column(str(body["array"]), table.types)
    why = f"has no column `{body['array']}`" if column is None else why_no_list(table.types[column])
    if column is None or why is not None:
        raise InputError(f"`{file.name}` {why}" if column is None else f"`{file.name}`: column `{column}` {why}")
    return padded_lists(file, name, body, list(list_records(table, column)))


def _check_type(file: Path, name: str, type_name: str, *, is_text: bool) -> None:
    why = why_unreadable(type_name)
    if why is None and not is_text and not kind_of(type_name).is_number:
        why = f"has type {type_name}, but the model takes numbers"
    if why is not None:
        raise InputError(f"`{file.name}`: column `{name}` {why}")


def _constant(file: Path, name: str, cell: str, count: int, *, is_text: bool) -> Array:
    if is_text:
        return np.full(count, "" if is_missing(cell) else cell, dtype=object)
    try:
        (number,) = NumberColumn().read([cell])
    except CellError:
        raise InputError(f"`{file.name}`: folder `{name}={cell}` has no number") from None
    return np.full(count, np.nan if number is None else number)
