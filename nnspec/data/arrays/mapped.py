"""Arrays that live in files, so that the memory of a process does not grow with them.

An array of more than 8 MiB is mapped from a file without a name: the system writes it out and reads it again as
memory is needed, and it is gone with the process. Smaller ones are ordinary arrays.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

LARGE = 1 << 26  # bytes of samples that are gathered rather than written out
STRETCH = 1 << 20  # rows of indices and flags that are looked at at a time
SHARE = 8  # an array of so small a part of `LARGE` is mapped: several are held at a time
RESIDENT = 1 << 28  # bytes of mapped files that stay in a process' memory
AROUND = 1 << 16  # bytes that the system maps around one that is read
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def is_long(array: np.ndarray) -> bool:
    """Whether what is made of an array is made in stretches, and mapped."""
    return is_large((SHARE, *array.shape), array.dtype)


def is_large(shape: tuple[int, ...], dtype: DTypeLike) -> bool:
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize > LARGE


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """As `np.empty`; objects are never mapped."""
    kind = np.dtype(dtype)
    if kind.hasobject or not is_large((SHARE, *shape), kind):
        return np.empty(shape, kind)
    with tempfile.TemporaryFile(prefix="nnspec-", dir=cache_folder()) as file:
        file.truncate(int(np.prod(shape, dtype=np.int64)) * kind.itemsize)
        return map_file(file.fileno(), shape, kind, is_writable=True)


def copy(values: np.ndarray) -> np.ndarray:
    """As `values.copy()`."""
    found, width = empty(values.shape, values.dtype), values.nbytes // max(1, len(values))
    for part in stretches(len(values), width):
        found[part] = values[part]
        trim(2 * found[part].nbytes)
    return found


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """As `np.zeros`: a new file reads as zeros."""
    return empty(shape, dtype) if is_large((SHARE, *shape), dtype) else np.zeros(shape, dtype)


def cache_folder() -> Path:
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


def arange(count: int) -> np.ndarray:
    """As `np.arange(count)`."""
    found = empty((count,), np.int64)
    for start in range(0, count, STRETCH):
        stop = min(start + STRETCH, count)
        found[start:stop] = np.arange(start, stop)
    return found


class Filled:
    """Numbers of rows that come one part after the other, no more than `most`."""

    def __init__(self, most: int) -> None:
        self._found, self._count = empty((most,), np.int64), 0

    def append(self, rows: np.ndarray) -> None:
        self._found[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    @property
    def rows(self) -> np.ndarray:
        return self._found[: self._count]


def numbers_of(numbers: range) -> np.ndarray:
    return np.arange(numbers.start, numbers.stop, numbers.step, dtype=np.int64)


def joined_ranges(ranges: Sequence[range]) -> np.ndarray:
    """The numbers of ranges, one after the other."""
    found = Filled(sum(map(len, ranges)))
    for numbers in ranges:
        for part in stretches(len(numbers), 8):
            found.append(numbers_of(numbers[part]))
    return found.rows


def is_arange(values: np.ndarray) -> bool:
    """Whether values are 0, 1, 2, …"""
    return all(
        bool((values[start : start + STRETCH] == np.arange(start, min(start + STRETCH, len(values)))).all())
        for start in range(0, len(values), STRETCH)
    )


def flatnonzero(flags: np.ndarray) -> np.ndarray:
    """As `np.flatnonzero`, of an array with one axis."""
    found = Filled(int(np.count_nonzero(flags)))
    for start in range(0, len(flags), STRETCH):
        found.append(np.flatnonzero(flags[start : start + STRETCH]) + start)
    return found.rows


def map_rows(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """What a function gives for rows: of large arrays stretch by stretch, each with those of the others."""
    if not any(map(is_long, arrays)):
        return function(*arrays)
    found: np.ndarray | None = None
    count = len(arrays[0])
    size = max(1, min(STRETCH, (LARGE // 4) * count // max(1, sum(array.nbytes for array in arrays))))
    for start in range(0, count, size):
        part = slice(start, start + size)
        made = function(*(array[part] for array in arrays))
        if found is None:
            found = empty((count, *made.shape[1:]), made.dtype)
        found[part] = made
        trim(2 * made.nbytes + sum(array[part].nbytes for array in arrays))
    assert found is not None
    return found


def map_row_numbers(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """What a function makes of row numbers, an entry each: stretch by stretch where that is much."""
    if not len(at):
        return function(at)
    one = function(at[:1])
    if not is_large((SHARE, len(at), *one.shape[1:]), one.dtype):
        return function(at)
    found = empty((len(at), *one.shape[1:]), one.dtype)
    for part in stretches(len(at), one.nbytes):
        found[part] = function(at[part])
        trim(2 * found[part].nbytes)
    return found


def stretches(count: int, width: int) -> Iterator[slice]:
    """Slices of rows of so many bytes each, which are a part of `LARGE` together."""
    size = max(1, min(STRETCH, LARGE // 4 // max(1, width)))
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def stack(columns: Sequence[np.ndarray]) -> np.ndarray:
    """As `np.stack(columns, axis=1)`, of columns with one axis."""
    kind, count = np.result_type(*columns), len(columns[0])
    if not is_large((SHARE, count, len(columns)), kind):
        return np.stack(columns, axis=1)
    found = empty((count, len(columns)), kind)
    for part in stretches(count, len(columns) * kind.itemsize):
        for place, column in enumerate(columns):
            found[part, place] = column[part]
        trim(2 * found[part].nbytes)
    return found


def take(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """As `values[rows]`, for an array of row numbers or a mask."""
    chosen = flatnonzero(rows) if rows.dtype == np.bool_ else rows
    if not is_long(values) and not is_large((SHARE, len(chosen), *values.shape[1:]), values.dtype):
        return np.asarray(values[chosen])
    found = empty((len(chosen), *values.shape[1:]), values.dtype)
    for part in stretches(len(chosen), values.dtype.itemsize * int(np.prod(values.shape[1:], dtype=np.int64))):
        found[part] = values[chosen[part]]
        trim((part.stop - part.start) * AROUND)
    return found


def rows_at(order: np.ndarray, at: np.ndarray) -> np.ndarray:
    """As `order[at]`; of rows that are in their order, `at` itself."""
    return at if is_arange(order) else take(order, at)
