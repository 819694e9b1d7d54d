"""Tables for a model: columns matched by the names in its metadata, gaps filled as in training."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.errors import InputError, listed
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.windows import from_columns


def read_csv(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    names = _table_columns(file, wanted)
    texts = _text_columns(wanted)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        _require(file, names, header)
        places = [header.index(name) for name in names]
        cells = []
        for number, row in enumerate((row for row in reader if row), 1):
            if len(row) != len(header):
                raise InputError(f"`{file.name}`: row {number} has {len(row)} cells where the header has {len(header)}")
            cells.append(
                [
                    row[place] if header[place] in texts else _number(file, row[place], header[place], number)
                    for place in places
                ]
            )
    columns = {
        name: np.array([row[i] for row in cells], dtype=object if name in texts else np.float64)
        for i, name in enumerate(names)
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
    names = _table_columns(file, wanted)
    try:
        _require(file, names, pyarrow.parquet.read_schema(file).names)
        table = pyarrow.parquet.read_table(file, columns=names)
        texts = _text_columns(wanted)
        columns = {
            name: np.array(table.column(name).cast(pyarrow.string()).to_pylist(), dtype=object)
            if name in texts
            else table.column(name).cast(pyarrow.float64()).to_numpy()
            for name in names
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


def _filled(file: Path, columns: dict[str, Array], metadata: Metadata) -> dict[str, Array]:
    """The columns without gaps: where the model was trained on forward-filled values, they are filled the same way.

    Raises:
        InputError: where a gap is left, or a value is infinite.
    """
    filled = {}
    for name, values in columns.items():
        if values.dtype.kind == "O":
            empty = next((row for row, word in enumerate(values, 1) if not word), None)
            if empty is not None:
                raise InputError(f"`{file.name}`: column `{name}` has no text in row {empty}")
            filled[name] = values
            continue
        known = ~np.isnan(values)
        if metadata.get("missing") == "forward_fill" and len(values):
            latest = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
            values = values[latest]
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            raise InputError(f"`{file.name}`: column `{name}` has no number in row {row}")
        filled[name] = values
    return filled


def _text_columns(wanted: Mapping[str, Any]) -> set[str]:
    """The columns that hold words."""
    return {name for body in wanted.values() if body.get("dtype") == "string" for name in body["columns"] or ()}


def _table_columns(file: Path, wanted: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, body in wanted.items():
        if not body.get("columns"):
            raise InputError(f"the model does not say which columns input `{name}` takes: give {file.stem}.npz instead")
        names += body["columns"]
    return list(dict.fromkeys(names))


def _require(file: Path, names: list[str], header: list[str]) -> None:
    missing = [name for name in names if name not in header]
    if missing:
        raise InputError(f"`{file.name}` has no column {listed(missing)}; it has: {', '.join(header[:20])}")
