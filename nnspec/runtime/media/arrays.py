"""Arrays for a model from .npy and .npz files, matched by name."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.media.npz_map import map_member
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.sequences import pad_sequences


def read_npy(file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, Array]:
    name = only_input(file, wanted)
    try:
        return {name: np.load(file, mmap_mode="r", allow_pickle=False)}
    except ValueError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def read_npz(file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, Array]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            if isinstance(archive, np.ndarray):
                raise InputError(f"`{file.name}` is an .npy file: rename it to .npy")
            keys = {name: _array_name(name, body, archive.files) for name, body in wanted.items()}
            require_arrays(file, keys.values(), archive.files)
            return {
                name: pad_sequences(file, name, wanted[name], _member(file, key, archive), archive)
                for name, key in keys.items()
            }
    except InputError:
        raise
    except (ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def _member(file: Path, key: str, archive: Mapping[str, Array]) -> Array:
    """An array, mapped unless it is compressed, so that a large file is read batch by batch."""
    mapped = map_member(file, key)
    return archive[key] if mapped is None else mapped


def only_input(file: Path, wanted: Mapping[str, Metadata]) -> str:
    if len(wanted) != 1:
        takes = quote_names(list(wanted))
        other = (
            "a table, such as a .csv file"
            if any(b.get("columns") for b in wanted.values())
            else "an .npz or .json file"
        )
        raise InputError(f"`{file.name}` has one array, but the model takes {takes}: use {other}")
    return next(iter(wanted))


def _array_name(name: str, body: Metadata, known: list[str]) -> str:
    """The array that an input was trained on, else the one that has its own name."""
    trained_on = body.get("array") or (body.get("files") or {}).get("column")
    return str(trained_on) if trained_on in known else name


def require_arrays(file: Path, wanted: Iterable[str], names: list[str]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        has = ", ".join(names[:20]) or "nothing"
        raise InputError(f"`{file.name}` has no `{missing[0]}`, which is read for the model; it has: {has}")
