"""Inputs from JSON files: an array each by name, or rows, an object each (`json_tables`)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.arrays import only_input, require_arrays
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rules.csv import open_text
from nnspec.runtime.rules.json import JsonError, Record, parse_json, read_records, value_of
from nnspec.runtime.sequences import pad_sequences
from nnspec.runtime.tables.json_arrays import UnlikeError, array_form, sequence_names
from nnspec.runtime.tables.json_tables import array_of, rows_of_records
from nnspec.runtime.tables.pieces import TableRows


def read_json_lines(file: Path, wanted: Metadata, metadata: Metadata) -> TableRows:
    """The rows of JSON lines, or of a list of objects.

    Raises:
        InputError: where it is neither, or a row lacks what an input takes.
    """
    return rows_of_records(file, lambda: _records(file), wanted, metadata)


def _records(file: Path) -> Iterator[Record]:
    try:
        yield from read_records(file)
    except JsonError as error:
        raise InputError(f"`{file.name}` cannot be read: {error.advised}") from None


def read_json(file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, Array] | TableRows:
    """The same from a .json file, which may also hold one row, or an array for each input by its name."""
    if _begins_with_row(file):
        return read_json_lines(file, wanted, metadata)  # JSON lines by another name
    try:
        with open_text(file, "utf-8") as stream:
            body = parse_json(stream.read())
    except JsonError as error:
        raise InputError(f"`{file.name}` cannot be read: {error.advised}") from None
    except (ValueError, RecursionError) as error:
        try:
            for _ in read_records(file):
                pass
        except JsonError as lines:
            why = lines.advised if lines.remedy else f"it is not JSON: {error}"
            raise InputError(f"`{file.name}` cannot be read: {why}") from None
        return read_json_lines(file, wanted, metadata)
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return read_json_lines(file, wanted, metadata)
    if isinstance(body, dict) and _is_row(body, wanted):
        rows: list[Record] = [body]
        return rows_of_records(file, lambda: rows, wanted, metadata)
    return _by_name(file, body, wanted)


def _begins_with_row(file: Path) -> bool:
    """Whether the first line is an object, and more lines follow."""
    try:
        with open_text(file, "utf-8") as stream:
            line = stream.readline()
            return line.startswith("{") and isinstance(parse_json(line), dict) and any(map(str.strip, stream))
    except (ValueError, RecursionError, EOFError, OSError, zlib.error):
        return False  # which reading it says


def _is_row(record: Record, wanted: Metadata) -> bool:
    """Whether an object holds what the inputs read, rather than lists of it by the inputs' names."""
    if any(isinstance(record.get(name), list) for name in wanted):
        return False
    named = [name for body in wanted.values() for name in body.get("columns") or [body.get("array")] if name]
    return any(value_of(record, str(name)) is not None for name in named)


def _by_name(file: Path, body: object, wanted: Metadata) -> dict[str, Array]:
    if isinstance(body, list):
        body = {only_input(file, wanted): body}
    if not isinstance(body, dict):
        raise InputError(f"`{file.name}` must contain a mapping of inputs or a list")
    require_arrays(file, wanted, list(body))
    found = {}
    for name in wanted:
        if wanted[name].get("lengths") and isinstance(body[name], list):
            found[name] = _pad_rows(file, name, wanted[name], body[name])
            continue
        try:
            is_raw = bool(wanted[name].get("gaps") or wanted[name].get("encoding"))  # which may hold null
            found[name] = np.array(body[name], dtype=object if is_raw else None)
        except ValueError:
            raise InputError(f"`{file.name}`: {_why_uneven(name, body[name])}") from None
        if found[name].dtype.kind not in ("biufUO" if is_raw else "biufU"):
            raise InputError(f"`{file.name}`: input `{name}` has values other than numbers and strings")
    return found


def _pad_rows(file: Path, name: str, body: Metadata, rows: list[object]) -> Array:
    """Sequences of unlike length, a list each, padded as in training."""
    steps, lengths = sequence_names(name, len(body["lengths"]))
    records: list[Record] = [{name: row} for row in rows]
    try:
        levels = {key: array_of(records, level) for key, level in zip(body["lengths"], lengths, strict=True)}
        return pad_sequences(file, name, body, array_of(records, steps), levels)
    except JsonError as error:
        raise InputError(f"`{file.name}` cannot be read: {error.advised}") from None


def _why_uneven(name: str, rows: object) -> str:
    """Which row of an input's lists is unlike the first."""
    listed = rows if isinstance(rows, list) else [rows]
    try:
        array_form((((row,), value) for row, value in enumerate(listed, 1)), name)
    except UnlikeError as error:
        return f"the lists of input `{name}` differ in length: {error}"
    except JsonError as error:
        return f"the rows of input `{name}` are unlike: {error}"
    return f"the lists of input `{name}` differ in length"
