"""Inputs from JSON files: an array each by name, or rows, an object each (`json_tables`)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.arrays import only_input, require_arrays
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rules.csv import open_text
from nnspec.runtime.rules.json import JsonError, Record, read_records, value_of
from nnspec.runtime.samples import Samples
from nnspec.runtime.tables.json_tables import samples_of_records


def read_json_lines(file: Path, wanted: Metadata, metadata: Metadata) -> Samples:
    """A model's samples from JSON lines, or a list of objects.

    Raises:
        InputError: where it is neither, or a row lacks what an input takes.
    """
    try:
        return samples_of_records(file, list(read_records(file)), wanted, metadata)
    except JsonError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def read_json(file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, Array] | Samples:
    """The same from a .json file, which may also hold one row, or an array for each input by its name."""
    try:
        with open_text(file, "utf-8") as stream:
            body = json.load(stream)
    except (ValueError, RecursionError) as error:
        try:
            return samples_of_records(file, list(read_records(file)), wanted, metadata)  # JSON lines by another name
        except JsonError:
            raise InputError(f"`{file.name}` is not JSON: {error}") from None
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return read_json_lines(file, wanted, metadata)
    if isinstance(body, dict) and _is_row(body, wanted):
        return samples_of_records(file, [body], wanted, metadata)
    return _by_name(file, body, wanted)


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
        try:
            is_raw = bool(wanted[name].get("gaps") or wanted[name].get("encoding"))  # which may hold null
            found[name] = np.array(body[name], dtype=object if is_raw else None)
        except ValueError:
            raise InputError(f"`{file.name}`: the lists of input `{name}` differ in length") from None
        if found[name].dtype.kind not in ("biufUO" if is_raw else "biufU"):
            raise InputError(f"`{file.name}`: input `{name}` has values other than numbers and strings")
    return found
