"""Arrays of which nobody knows beforehand how long they become."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from nnspec.data.arrays import mapped


class Growing:
    """Rows that are written to a file as they come.

    Args:
        path: of the `.npy` file that is made; None: one without a name, which is gone with the process.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path, self.count = path, 0
        self.dtype: np.dtype[np.generic] | None = None
        self.shape: tuple[int, ...] = ()
        self._file = self._open()

    def append(self, rows: np.ndarray) -> None:
        """Adds rows, axes `row *rest`. Their dtype may become wider; what is written already is converted then."""
        if self.dtype is None:
            self.dtype, self.shape = rows.dtype, rows.shape[1:]
        wider = np.result_type(self.dtype, rows.dtype)
        if wider != self.dtype:
            self._widen(wider)
        self._file.write(_bytes(rows, wider).data)
        self.count += len(rows)

    def finish(self) -> np.ndarray:
        """All rows, mapped."""
        dtype = np.dtype(np.float64) if self.dtype is None else self.dtype
        shape = (self.count, *self.shape)
        self._file.seek(0)
        self._file.write(_header(dtype, shape))
        self._file.flush()
        if not self.count:
            return np.empty(shape, dtype)
        found = mapped.map_file(self._file.fileno(), shape, dtype, HEADER)
        self._file.close()
        return found

    def _open(self) -> IO[bytes]:
        if self.path is None:
            made: IO[bytes] = tempfile.TemporaryFile(prefix="nnspec-", dir=mapped.cache_folder())  # noqa: SIM115 - kept open
        else:
            made = open(self.path, "w+b")  # noqa: SIM115 - kept open as long as rows come
        made.seek(HEADER)
        return made

    def _widen(self, wider: np.dtype[np.generic]) -> None:
        assert self.dtype is not None
        self._file.flush()
        narrow = mapped.map_file(self._file.fileno(), (self.count, *self.shape), self.dtype, HEADER)
        old = self._file
        if self.path is not None:
            os.unlink(self.path)  # what is mapped stays until it is let go
        self._file, self.dtype = self._open(), wider
        for start in range(0, self.count, mapped.STRETCH):
            self._file.write(_bytes(narrow[start : start + mapped.STRETCH], wider).data)
        old.close()


class Collected:
    """Parts that come one after the other, axes `row *rest`; in a file without a name where they are many."""

    def __init__(self) -> None:
        self._few: list[np.ndarray] = []
        self._size = 0
        self._growing: Growing | None = None

    def append(self, part: np.ndarray) -> None:
        if self._growing is not None:
            self._growing.append(part)
            return
        self._few.append(part)
        self._size += part.nbytes
        if mapped.is_large((mapped.SHARE, self._size), np.uint8) and not part.dtype.hasobject:
            self._growing = Growing()
            for each in self._few:
                self._growing.append(each)
            self._few = []

    def finish(self) -> np.ndarray:
        """All rows."""
        if self._growing is not None:
            return self._growing.finish()
        return np.concatenate(self._few) if self._few else np.empty(0)


def join_parts(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Parts end to end, as `Collected`."""
    found = Collected()
    for part in parts:
        found.append(part)
    return found.finish()


HEADER = 256  # bytes, so that values begin where processors like them to


def _bytes(rows: np.ndarray, dtype: np.dtype[np.generic]) -> np.ndarray:
    return np.ascontiguousarray(rows, dtype=dtype).reshape(-1).view(np.uint8)


def _header(dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> bytes:
    """The header of a `.npy` file (format 1.0), of `HEADER` bytes."""
    described = repr({"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    body = described.encode("latin-1").ljust(HEADER - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body
