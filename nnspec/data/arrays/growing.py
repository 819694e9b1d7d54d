"""Arrays of which nobody knows beforehand how long they become."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

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
        self._file.write(memoryview(np.ascontiguousarray(rows, dtype=wider)).cast("B") if rows.size else b"")
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

    def _open(self) -> tempfile._TemporaryFileWrapper[bytes]:
        if self.path is None:
            made = tempfile.TemporaryFile(prefix="nnspec-", dir=mapped.folder())
        else:
            made = open(self.path, "w+b")  # noqa: SIM115 - open as long as rows come
        made.seek(HEADER)
        return made  # type: ignore[return-value]

    def _widen(self, wider: np.dtype[np.generic]) -> None:
        assert self.dtype is not None
        self._file.flush()
        narrow = mapped.map_file(self._file.fileno(), (self.count, *self.shape), self.dtype, HEADER)
        old = self._file
        if self.path is not None:
            os.unlink(self.path)
        self._file, self.dtype = self._open(), wider
        for start in range(0, self.count, mapped.STRETCH):
            part = np.ascontiguousarray(narrow[start : start + mapped.STRETCH], dtype=wider)
            self._file.write(memoryview(part).cast("B"))
        old.close()


HEADER = 256  # bytes, so that values begin where processors like them to


def _header(dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> bytes:
    """The header of a `.npy` file (format 1.0), of `HEADER` bytes."""
    described = repr({"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    body = described.encode("latin-1").ljust(HEADER - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body
