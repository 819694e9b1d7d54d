"""Rows of JSON files as model input, as training read them (`rules.json`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Key
from nnspec.runtime.rows.row_order import passed_columns
from nnspec.runtime.rules.csv import CellError
from nnspec.runtime.rules.json import (
    JsonError,
    JsonNumbers,
    Record,
    is_nested,
    names_of,
    values_of,
    word_of,
)
from nnspec.runtime.rules.markers import Markers
from nnspec.runtime.samples import Samples, samples_of_arrays
from nnspec.runtime.sequences import pad_sequences
from nnspec.runtime.tables.json_arrays import array_form, values_of_array
from nnspec.runtime.tables.matching import options_of, require_columns, table_columns
from nnspec.runtime.tables.pieces import Piece, TableRows

_AT_ONCE = 1 << 16  # values of lists
_ROWS = 1 << 12  # records that are kept at a time
Read = Callable[[], Iterable[Record]]


def rows_of_records(file: Path, read: Read, wanted: Metadata, metadata: Metadata) -> TableRows:
    """A table of records.

    Args:
        read: the records, each time anew.

    Raises:
        InputError: where a row lacks what an input takes.
    """
    named = [name for name, body in wanted.items() if is_array(body)]
    listed = list(read()) if named else []
    arrays = {name: padded_lists(file, name, wanted[name], listed) for name in named}
    rows = {name: body for name, body in wanted.items() if name not in arrays}
    return TableRows(_pieces(file, (lambda: listed) if named else read, rows, metadata), rows, arrays)


def _pieces(file: Path, read: Read, wanted: Metadata, metadata: Metadata) -> Iterator[Piece]:
    keys = table_columns(file, wanted)
    passed = passed_columns(metadata)
    header = _header_of(read(), {*(name for name, _ in keys), *passed})
    require_columns(file, keys, list(header))
    markers = Markers.from_options(options_of(wanted))
    readers, done = {key: JsonNumbers() for key in keys}, 0
    records = iter(read())
    while chunk := list(islice(records, _ROWS)):
        columns = {
            key: _column(file, values_of(chunk, key[0], markers.of(key[0])), key, readers[key], done) for key in keys
        }
        cells = {
            name: [word_of(value) for value in values_of(chunk, name, markers.of(name))]
            for name in passed
            if name in header
        }
        done += len(chunk)
        yield Piece(columns, cells)


def _header_of(records: Iterable[Record], wanted: Collection[str]) -> dict[str, None]:
    """The columns of records, up to the row by which all that are wanted have been there."""
    header: dict[str, None] = {}
    left = set(wanted)
    for record in records:
        for name in names_of(record):
            header[name] = None
        left.difference_update(header)
        if not left:
            break
    return header


def is_array(body: Metadata) -> bool:
    """Whether an input is an array in each row, rather than columns."""
    return bool(body.get("array")) and not body.get("columns")


def padded_lists(file: Path, name: str, body: Metadata, records: Sequence[Record]) -> Array:
    """An input's array in rows: lists of one shape, or of unlike length, which are padded as in training.

    Raises:
        InputError: where a row holds none, or not what the input takes.
    """
    key = str(body["array"])
    try:
        lengths = {level: array_of(records, level) for level in body.get("lengths") or ()}
        return pad_sequences(file, name, body, array_of(records, key), lengths)
    except JsonError as error:
        raise InputError(f"`{file.name}` cannot be read: {error.advised}") from None


def with_arrays(file: Path, found: Samples, arrays: Mapping[str, Array], metadata: Metadata) -> Samples:
    """Samples of a table's columns, and beside them arrays of the same rows.

    Raises:
        InputError: where samples are windows.
    """
    if not arrays:
        return found
    if metadata.get("window"):
        raise InputError(f"`{file.name}`: windows of arrays are not read from rows: use an .npz file")
    rest = samples_of_arrays(dict(arrays), metadata)
    return replace(found, take=lambda part: found.take(part) | rest.take(part))


def _column(file: Path, values: Sequence[object], key: Key, reader: JsonNumbers, done: int) -> Array:
    """The values of some rows of a column, which `done` rows come before."""
    name, is_text = key
    nested = next((row for row, value in enumerate(values, done + 1) if is_nested(value)), None)
    if nested is not None:
        advice = "; write an object for each row" if done + len(values) == 1 else ""
        raise InputError(f"`{file.name}`: `{name}` of row {nested} is a list or an object, not a single value{advice}")
    if is_text:
        return np.array([word_of(value) for value in values], dtype=object)
    try:
        return numbers_of(values, reader)
    except CellError as error:
        row = done + error.index + 1
        raise InputError(f"`{file.name}`: column `{name}` has no number in row {row}: `{error.cell}`") from None


def numbers_of(values: Sequence[object], reader: JsonNumbers) -> Array:
    """Values as int64 where all are integers, else as float64; NaN where one is missing. Axes `row`.

    Raises:
        CellError: where one is not a number.
    """
    found = reader.read(values)
    if all(type(number) is int for number in found):
        return np.array(found, np.int64)
    return np.array([np.nan if number is None else number for number in found], np.float64)


def array_of(records: Iterable[Record], name: str) -> Array:
    """What rows hold under a name as an array: axes `row …`, or of steps or lengths as `json_arrays` calls them.

    Args:
        records: the rows, which are gone through twice: where a file is read anew each time, no list is kept.

    Raises:
        JsonError: where they are not of one shape and kind.
    """
    count, shape, kind = array_form(values_of_array(records, name), name)
    dtype = {"b": np.dtype(bool), "i": np.dtype(np.int64), "f": np.dtype(np.float64)}.get(kind)
    values = (value for _, value in values_of_array(records, name))
    parts = iter(lambda: list(islice(values, _AT_ONCE)), [])
    if dtype is None:  # text, whose width all of it decides
        return np.concatenate([np.array(part, np.dtype(str)) for part in parts])
    found = np.empty((count, *shape), dtype)
    for index, part in enumerate(parts):
        start = index * _AT_ONCE
        found[start : start + len(part)] = np.array(part, dtype)
    return found
