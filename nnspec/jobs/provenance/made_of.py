"""What a build is made of: hashes of its data files and of the rows that were prepared from them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from nnspec.data.dataset import Dataset, Split
from nnspec.jobs.artifact import file_sha256
from nnspec.jobs.start import named_file
from nnspec.pipeline import Checked

SAMPLES = 1 << 16  # of each split whose values are hashed, evenly spaced: windows of long series are far more
_CHUNK = 1024
NAMED = 100  # files that a model names; of more it has their number, and one hash of all
MadeOf = dict[str, dict[str, str]]


def describe_data(checked: Checked, dataset: Dataset) -> MadeOf:
    """Of `files` the hash of each by its path from the spec's folder, of `rows` that of each split."""
    return {
        "files": file_hashes(checked),
        "rows": {name: _hash_of_split(split) for name, split in dataset.splits.items()},
    }


def shorten(made_of: MadeOf) -> MadeOf:
    """The same for a model's metadata, which should not grow with a folder of images."""
    files = made_of["files"]
    if len(files) <= NAMED:
        return made_of
    return {**made_of, "files": {f"{len(files)} files": hash_of_all(files)}}


def hash_of_all(files: Mapping[str, str]) -> str:
    """One hash of many files and their names."""
    return hashlib.sha256("\n".join(f"{files[name]} {name}" for name in sorted(files)).encode()).hexdigest()


def file_hashes(checked: Checked) -> dict[str, str]:
    """SHA-256 of each file by its path from the spec's folder, since names alone may be those of several.

    Those of the data, those that constants of the network are in, and the one with the weights that it starts from.
    """
    files = checked.data.files() if checked.data is not None else []
    constants = {w.file for node in checked.graph.nodes for w in node.args.get("own", ()) if w.file is not None}
    files = [*files, *sorted(constants), *named_file(checked).values()]
    return {os.path.relpath(path, checked.path.parent).replace(os.sep, "/"): hash_of(path) for path in files}


def hash_of(path: Path) -> str:
    """SHA-256 of a file, which need not fit into memory; one that has not changed is read once."""
    stamp = path.stat()
    return _hash_of(path, stamp.st_size, stamp.st_mtime_ns)


@lru_cache(maxsize=1 << 17)
def _hash_of(path: Path, size: int, changed: int) -> str:
    return file_sha256(path)


def _hash_of_split(split: Split) -> str:
    """SHA-256 of what a network is fitted to or measured on: inputs, targets, and which rows they are of."""
    digest = hashlib.sha256()
    chosen = np.unique(np.linspace(0, split.size - 1, min(split.size, SAMPLES)).astype(np.int64))
    for name, values in [("rows", split.rows), *sorted(split.x.items()), *sorted(split.y.items())]:
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        for start in range(0, len(chosen), _CHUNK):
            part = np.asarray(values[chosen[start : start + _CHUNK]])
            if part.dtype.kind in "OU":
                digest.update("\0".join(map(str, part.reshape(-1))).encode())
            else:
                digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
