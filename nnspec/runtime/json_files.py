"""Inputs from .json files: an array each by name, or records, a mapping from column to value for each row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nnspec.runtime.arrays import only_input, require_arrays
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.records import read_records
from nnspec.runtime.samples import Samples


def read_json(file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, Array] | Samples:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{file.name}` is not JSON: {error}") from None
    if isinstance(body, list) and body and all(isinstance(record, dict) for record in body):
        return read_records(file, body, wanted, metadata)
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
