"""Tables for a model: columns matched by the names in its metadata, gaps filled as in training."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.errors import InputError, listed
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.windows import Key, from_columns


def read_csv(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    keys = _table_columns(file, wanted)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        _require(file, keys, header)
        places = [(header.index(name), is_text) for name, is_text in keys]
        cells = []
        for number, row in enumerate((row for row in reader if row), 1):
            if len(row) != len(header):
                raise InputError(f"`{file.name}`: row {number} has {len(row)} cells where the header has {len(header)}")
            cells.append(
                [
                    row[place] if is_text else _number(file, row[place], header[place], number)
                    for place, is_text in places
                ]
            )
    columns = {
        key: np.array([row[i] for row in cells], dtype=object if key[1] else np.float64) for i, key in enumerate(keys)
    }
    return from_columns(file, _filled(file, columns, metadata), wanted, metadata)


def read_parquet(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            f"`{file.name}`: reading Parquet needs pyarrow, which is not installed; .csv needs nothing"
        ) from None
    keys = _table_columns(file, wanted)
    try:
        _require(file, keys, pyarrow.parquet.read_schema(file).names)
        table = pyarrow.parquet.read_table(file, columns=list(dict.fromkeys(name for name, _ in keys)))
        columns = {
            (name, is_text): np.array(table.column(name).cast(pyarrow.string()).to_pylist(), dtype=object)
            if is_text
            else table.column(name).cast(pyarrow.float64()).to_numpy()
            for name, is_text in keys
        }
    except pyarrow.ArrowException as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None
    return from_columns(file, _filled(file, columns, metadata), wanted, metadata)


def _number(file: Path, cell: str, column: str, row: int) -> float:
    """A cell's number; NaN where it is empty."""
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        raise InputError(f"`{file.name}`: column `{column}` has no number in row {row}: `{cell}`") from None


def _filled(file: Path, columns: dict[Key, Array], metadata: Metadata) -> dict[Key, Array]:
    """The columns without gaps: where the model was trained on forward-filled values, they are filled the same way.

    Raises:
        InputError: where a gap is left, or a value is infinite.
    """
    filled: dict[Key, Array] = {}
    for (name, is_text), values in columns.items():
        if is_text:
            empty = next((row for row, word in enumerate(values, 1) if not word), None)
            if empty is not None:
                raise InputError(f"`{file.name}`: column `{name}` has no text in row {empty}")
            filled[name, is_text] = values
            continue
        known = ~np.isnan(values)
        if metadata.get("missing") == "forward_fill" and len(values):
            latest = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
            values = values[latest]
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            raise InputError(f"`{file.name}`: column `{name}` has no number in row {row}")
        filled[name, is_text] = values
    return filled


def _table_columns(file: Path, wanted: Mapping[str, Any]) -> list[Key]:
    """The columns that the inputs take, each once as words and once as numbers at most."""
    keys: list[Key] = []
    for name, body in wanted.items():
        if not body.get("columns"):
            raise InputError(f"the model does not say which columns input `{name}` takes: give {file.stem}.npz instead")
        keys += [(column, body.get("dtype") == "string") for column in body["columns"]]
    return list(dict.fromkeys(keys))


def _require(file: Path, keys: list[Key], header: list[str]) -> None:
    missing = list(dict.fromkeys(name for name, _ in keys if name not in header))
    if missing:
        raise InputError(f"`{file.name}` has no column {listed(missing)}; it has: {', '.join(header[:20])}")
