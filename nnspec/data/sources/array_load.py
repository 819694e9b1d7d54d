"""Loads arrays of .npy and .npz files with NumPy; pickles are never loaded."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from nnspec.data.sources.base import SourceError
from nnspec.runtime.media.npz_map import map_member

# What NumPy and zipfile raise on damaged files; NotImplementedError is of a compression that zipfile does not know.
_FAULTS = (OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def load_npy(path: Path) -> np.ndarray:
    """The array of a file, mapped: what is not gathered from it takes no memory."""
    with _translate_errors():
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def load_npz(path: Path, name: str) -> np.ndarray:
    """An array of an archive, mapped unless it is compressed."""
    with _translate_errors():
        mapped = map_member(path, name)
        if mapped is not None:
            return np.asarray(mapped)
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[name])


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        raise SourceError(str(error).split("\n")[0] or type(error).__name__) from None
