"""Arrays that live in files, so that the memory of a process does not grow with them.

An array of more than `LARGE` bytes is mapped from a file without a name: the system writes it out and reads it again as
memory is needed, and it is gone with the process. Smaller ones are ordinary arrays.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

LARGE = 1 << 26  # bytes
RESIDENT = 1 << 28  # bytes of mapped files that stay in a process' memory
AROUND = 1 << 16  # bytes that the system maps around one that is read
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def is_large(shape: tuple[int, ...], dtype: DTypeLike) -> bool:
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize > LARGE


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """As `np.empty`; objects are never mapped."""
    kind = np.dtype(dtype)
    if kind.hasobject or not is_large(shape, kind):
        return np.empty(shape, kind)
    with tempfile.TemporaryFile(prefix="nnspec-", dir=folder()) as file:
        file.truncate(int(np.prod(shape, dtype=np.int64)) * kind.itemsize)
        return map_file(file.fileno(), shape, kind, is_writable=True)


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """As `np.zeros`: a new file reads as zeros."""
    return empty(shape, dtype) if is_large(shape, dtype) else np.zeros(shape, dtype)


def folder() -> Path:
    """Where such files are: `NNSPEC_CACHE`, else a folder of the user's cache; it is made."""
    given = os.environ.get("NNSPEC_CACHE")
    if given:
        found = Path(given)
    elif sys.platform == "win32":
        found = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "nnspec" / "cache"
    elif sys.platform == "darwin":
        found = Path.home() / "Library" / "Caches" / "nnspec"
    else:
        found = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nnspec"
    found.mkdir(parents=True, exist_ok=True)
    return found


def map_file(
    file: int, shape: tuple[int, ...], kind: np.dtype[np.generic], offset: int = 0, *, is_writable: bool = False
) -> np.ndarray:
    """The array that begins at byte `offset` of an open file."""
    made = mmap.mmap(file, 0, access=mmap.ACCESS_WRITE if is_writable else mmap.ACCESS_READ)
    _maps.add(made)
    return np.ndarray(shape, kind, made, offset)


def trim(touched: int) -> None:
    """Gives back the memory of what was read of mapped files, where that is much: it stays in the system's cache.

    Args:
        touched: how many bytes have been read since it was last asked, at most.
    """
    if not _maps or not hasattr(mmap, "MADV_DONTNEED"):
        return
    _resident.touched += touched
    if _resident.touched < RESIDENT:
        return
    _resident.touched = 0
    if _shared() > _resident.rest + RESIDENT:
        for made in list(_maps):
            made.madvise(mmap.MADV_DONTNEED)
        _resident.rest = _shared()


class _Resident:
    """What is known of the memory that files have in this process.

    Attributes:
        touched: bytes read since it was last looked at.
        rest: that of files that are not ours, such as libraries, when ours were last given back.
    """

    touched = 0
    rest = 0


_resident = _Resident()


def _shared() -> int:
    """Bytes of files in the memory of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[2]) * _PAGE
    except OSError:
        return 0
