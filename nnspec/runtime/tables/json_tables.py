"""Rows of JSON files as model input, as training read them (`rules.json`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
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
from nnspec.runtime.tables.matching import options_of, require_columns, samples_of_table, table_columns

_AT_ONCE = 1 << 16  # values of lists


def samples_of_records(file: Path, records: Sequence[Record], wanted: Metadata, metadata: Metadata) -> Samples:
    """A model's samples from rows.

    Raises:
        InputError: where a row lacks what an input takes.
    """
    arrays = {name: padded_lists(file, name, body, records) for name, body in wanted.items() if is_array(body)}
    rows = {name: body for name, body in wanted.items() if name not in arrays}
    if not rows:
        return samples_of_arrays(arrays, metadata)
    keys = table_columns(file, rows)
    header = list(dict.fromkeys(name for record in records for name in names_of(record)))
    require_columns(file, keys, header)
    markers = Markers.from_options(options_of(rows))
    columns = {
        (name, is_text): _column(file, values_of(records, name, markers.of(name)), name, is_text=is_text)
        for name, is_text in keys
    }
    cells = {
        name: [word_of(value) for value in values_of(records, name, markers.of(name))]
        for name in passed_columns(metadata)
        if name in header
    }
    return with_arrays(file, samples_of_table(file, columns, rows, metadata, cells), arrays, metadata)


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


def _column(file: Path, values: Sequence[object], name: str, *, is_text: bool) -> Array:
    nested = next((row for row, value in enumerate(values, 1) if is_nested(value)), None)
    if nested is not None:
        advice = "; write an object for each row" if len(values) == 1 else ""
        raise InputError(f"`{file.name}`: `{name}` of row {nested} is a list or an object, not a single value{advice}")
    if is_text:
        return np.array([word_of(value) for value in values], dtype=object)
    try:
        return numbers_of(values, JsonNumbers())
    except CellError as error:
        row = error.index + 1
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
