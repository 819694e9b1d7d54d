"""Parquet and Arrow files as model input, read by DuckDB by the rules of training (`engine.types`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnspec.runtime.engine.arrow import open_arrow
from nnspec.runtime.engine.types import EngineError, Table, Wanted, kind_of, open_parquet, read_columns, why_unreadable
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.row_order import passed_columns
from nnspec.runtime.rows.windows import Key
from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing
from nnspec.runtime.rules.markers import Markers
from nnspec.runtime.rules.partitions import partition_of
from nnspec.runtime.samples import Samples, samples_of_arrays
from nnspec.runtime.tables.json_arrays import list_column
from nnspec.runtime.tables.json_tables import is_array, padded_lists, with_arrays
from nnspec.runtime.tables.matching import options_of, require_columns, samples_of_table, table_columns
from nnspec.runtime.tables.typed_lists import list_records, why_no_list
from nnspec.runtime.tables.typed_markers import with_markers


def read_typed(file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> Samples:
    """A model's samples from a Parquet or Arrow file; folders such as `year=2024` above it add a column.

    Raises:
        InputError: where it is damaged, lacks a column, or a column is not what an input takes.
    """
    try:
        table = open_parquet(file) if file.suffix.lower() == ".parquet" else open_arrow(file)
        constants = partition_of(file.absolute().parent.parts, table.types)
        return samples_of_typed(file, table, wanted, metadata, constants)
    except EngineError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def samples_of_typed(
    file: Path, table: Table, wanted: Mapping[str, Metadata], metadata: Metadata, constants: Mapping[str, str]
) -> Samples:
    """A model's samples from a table that is open.

    Args:
        constants: columns that the table lacks and that hold one cell in every row.

    Raises:
        EngineError: where the table cannot be read.
        InputError: where it lacks a column, or a column is not what an input takes.
    """
    table = with_markers(table, Markers.from_options(options_of(wanted)))
    arrays = {name: _array(file, name, body, table) for name, body in wanted.items() if is_array(body)}
    wanted = {name: body for name, body in wanted.items() if name not in arrays}
    if not wanted:
        return samples_of_arrays(arrays, metadata)
    keys = table_columns(file, wanted)
    header = [*table.types, *constants]
    require_columns(file, keys, header)
    ordering = [(name, True) for name in passed_columns(metadata) if name in header]
    asked = list(dict.fromkeys([*keys, *ordering]))
    own = [(name, is_text) for name, is_text in asked if name in table.types]
    for name, is_text in own:
        _check_type(file, name, table.types[name], is_text=is_text)
    found = read_columns(table, [(name, Wanted.WORD if is_text else Wanted.NUMBER) for name, is_text in own])
    columns: dict[Key, Array] = {key: values for key, (values, _) in zip(own, found, strict=True)}
    count = len(found[0][0]) if found else int(table.rows(f"SELECT count(*) FROM {table.origin}")[0][0])
    for name, is_text in asked:
        if name not in table.types:
            columns[name, is_text] = _constant(file, name, constants[name], count, is_text=is_text)
    cells = {name: columns[name, True].tolist() for name, _ in ordering}
    made = samples_of_table(file, {key: columns[key] for key in keys}, wanted, metadata, cells)
    return with_arrays(file, made, arrays, metadata)


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
