"""Reads the headers of NumPy files without numpy: no pickles, nothing is executed.

The .npy format: magic, version, header length, and a Python literal with `descr`, `fortran_order` and `shape`
(https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). An .npz is a zip of them.
"""

from __future__ import annotations

import ast
import math
import re
import struct
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

from nnspec.data.sources.base import ArrayFacts, ColumnFacts, SourceError
from nnspec.lazy import dataclass, np

Vector = list[int] | list[float] | list[str] | list[bool]

MAX_HEADER = 64 * 1024
MAX_VECTOR = 4_000_000
MAX_NUMBERS = 200_000
"""So many numbers of an array are looked at before training, which takes some hundredths of a second."""
MAX_LOOKED_AT = 256 << 20
"""So many bytes of an array are read to count its ids, which takes a second."""
PIECE = 1 << 18  # numbers at a time

_LETTERS = {
    "b1": "?",
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
    "f2": "e",
    "f4": "f",
    "f8": "d",
}
_DESCR = re.compile(r"([<>|=])([?biufcSUOMmV])(\d*)(\[.*\])?")
# What zipfile raises on damaged archives; NotImplementedError is of a compression or version that it does not know.
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, struct.error)


@dataclass(frozen=True, slots=True)
class ArrayHeader(ArrayFacts):
    """An array's shape, NumPy type string such as `<f4`, and where its values begin."""

    fortran: bool = False
    offset: int = 0

    @property
    def itemsize(self) -> int:
        match = _DESCR.fullmatch(self.descr)
        width = int(match[3] or 1) if match else 1
        return width * 4 if self.kind == "U" else width


def read_array_header(stream: IO[bytes], size: int) -> ArrayHeader:
    """The header at the start of a stream of `size` bytes.

    Raises:
        SourceError: where it is not a plain array or its values are not all there.
    """
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) < 8:
        raise SourceError("it is not a NumPy array file")
    width, code = (2, "<H") if magic[6] == 1 else (4, "<I")
    if magic[6] not in (1, 2, 3):
        raise SourceError(f"NumPy format version {magic[6]} is not supported")
    raw = stream.read(width)
    if len(raw) < width:
        raise SourceError("it is truncated within its header")
    (length,) = struct.unpack(code, raw)
    if length > MAX_HEADER:
        raise SourceError(f"its header claims {length} bytes")
    text = stream.read(length)
    if len(text) < length:
        raise SourceError("it is truncated within its header")
    try:
        fields = ast.literal_eval(text.decode("utf-8" if magic[6] == 3 else "latin-1").strip())
        descr, fortran, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise SourceError("its header cannot be read") from None
    match = _DESCR.fullmatch(descr) if isinstance(descr, str) else None
    is_shape = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if match is None or not is_shape or not isinstance(fortran, bool):
        raise SourceError("its header does not describe a plain array")
    if match[2] == "O":
        raise SourceError("it contains pickled Python objects, which are never loaded")
    header = ArrayHeader(shape, descr, fortran=fortran, offset=8 + width + length)
    wanted = header.offset + math.prod(shape) * header.itemsize
    if size < wanted:
        raise SourceError(f"it has {size} bytes, but shape {shape} of dtype {descr} needs {wanted}")
    return header


def read_npy(path: Path) -> ArrayHeader:
    """The header of an .npy file.

    Raises:
        SourceError: as `read_array_header`, and where the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return read_array_header(stream, path.stat().st_size)
    except OSError as error:
        raise SourceError(f"it cannot be read ({error.strerror})") from None


def read_npz(path: Path) -> dict[str, ArrayHeader | SourceError]:
    """The headers of an .npz file's arrays; an array that is not plain gives its error, so that others still serve.

    Raises:
        SourceError: where the file is no zip archive.
    """
    headers: dict[str, ArrayHeader | SourceError] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name == info.filename:
                    continue
                try:
                    with archive.open(info) as stream:
                        headers[name] = read_array_header(stream, info.file_size)
                except SourceError as error:
                    headers[name] = error
                except _ZIP_FAULTS as error:
                    headers[name] = SourceError(f"it cannot be decompressed ({error})")
    except OSError as error:
        raise SourceError(f"it cannot be read ({error.strerror or error})") from None
    except _ZIP_FAULTS:
        raise SourceError(
            "it is not an .npz file (a zip archive)", "write it again by `numpy.savez`, or download it again"
        ) from None
    return headers


def column_facts(path: Path, member: str | None, header: ArrayHeader, *, values: bool) -> ColumnFacts:
    """A one-dimensional array as a column.

    Raises:
        SourceError: where it has another number of axes.
    """
    if len(header.shape) != 1:
        raise SourceError(f"array `{member or path.name}` has shape {header.shape}, but a column has one axis")
    found = read_vector(path, member, header) if values or header.kind == "f" else None
    missing = None
    if found is not None and header.kind == "f":
        missing = [row for row, value in enumerate(found, 1) if value != value]
    return ColumnFacts(rows=header.shape[0], missing=missing, is_text=header.kind in "US", values=found)


def read_numbers(path: Path, member: str | None, header: ArrayHeader) -> Sequence[float] | None:
    """The first numbers of an array of any shape, in C order, those that are not finite left out.

    None where it holds none, or lies in Fortran's order.

    Raises:
        SourceError: where the bytes cannot be read.
    """
    numbers = _first_numbers(path, member, header)
    if numbers is None or header.kind != "f" or _are_finite(numbers):
        return numbers
    return [value for value in numbers if math.isfinite(value)]


def find_not_finite(path: Path, member: str | None, header: ArrayHeader) -> tuple[list[int], list[int]]:
    """Of the numbers that `read_numbers` looks at, the places of those that are NaN, and of those that are infinite.

    Raises:
        SourceError: where the bytes cannot be read.
    """
    numbers = _first_numbers(path, member, header) if header.kind == "f" else None
    if numbers is None or _are_finite(numbers):
        return [], []
    return (
        [place for place, value in enumerate(numbers) if value != value],
        [place for place, value in enumerate(numbers) if math.isinf(value)],
    )


def _are_finite(numbers: Sequence[float]) -> bool:
    return all(map(math.isfinite, (min(numbers, default=0), max(numbers, default=0), sum(numbers))))


def _first_numbers(path: Path, member: str | None, header: ArrayHeader) -> Sequence[float] | None:
    """The numbers that are looked at, in C order; None where they do not lie so, or are none."""
    letter = _LETTERS.get(f"{header.kind}{header.itemsize}")
    if letter is None or letter == "e" or header.fortran:
        return None
    try:
        stamp = path.stat()
    except OSError as error:
        raise SourceError(f"it cannot be read ({error.strerror})") from None
    return _read_first(path, member, header, letter, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=8)  # several checks ask for them
def _read_first(
    path: Path, member: str | None, header: ArrayHeader, letter: str, modified: int, size: int
) -> Sequence[float]:
    count = min(math.prod(header.shape), MAX_NUMBERS)
    numbers = array("B" if letter == "?" else letter, _read_start(path, member, header, count))
    if (header.descr[0] == ">") != (sys.byteorder == "big") and header.itemsize > 1:
        numbers.byteswap()
    return numbers


def read_extremes(path: Path, member: str | None, header: ArrayHeader) -> tuple[int, int] | None:
    """The least and the largest of an array's integers; None where it holds others, none, or more than are looked at.

    Read in pieces, so that memory does not grow with the array.

    Raises:
        SourceError: where the bytes cannot be read.
    """
    size = math.prod(header.shape) * header.itemsize
    if header.kind not in "iu" or not 0 < size <= MAX_LOOKED_AT:
        return None
    least: list[int] = []
    largest: list[int] = []
    try:
        with _open_member(path, member) as stream:
            stream.read(header.offset)
            while size:
                piece = stream.read(min(size, PIECE * header.itemsize))
                if not piece or len(piece) % header.itemsize:
                    raise SourceError("it is truncated within its values")
                size -= len(piece)
                numbers = np.frombuffer(piece, header.descr)
                least.append(int(numbers.min()))
                largest.append(int(numbers.max()))
    except (*_ZIP_FAULTS, KeyError) as error:
        raise SourceError(f"it cannot be decompressed ({error})") from None
    return min(least), max(largest)


@contextmanager
def _open_member(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    """The bytes of a file, or of an array in an archive."""
    if member is None:
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, archive.open(member + ".npy") as stream:
        yield stream


def read_vector(path: Path, member: str | None, header: ArrayHeader) -> Vector | None:
    """The values of a one-dimensional array of numbers, booleans or text; None where it is not, or is very long.

    Raises:
        SourceError: where the bytes cannot be read.
    """
    if len(header.shape) != 1 or header.kind not in "biufUS" or header.shape[0] > MAX_VECTOR:
        return None
    count = header.shape[0]
    return _unpack(_read_start(path, member, header, count), count, header.itemsize, header)


def _read_start(path: Path, member: str | None, header: ArrayHeader, count: int) -> bytes:
    """The bytes of the first so many values.

    Raises:
        SourceError: where they cannot be read.
    """
    size = count * header.itemsize
    try:
        if member is None:
            with path.open("rb") as stream:
                stream.seek(header.offset)
                return stream.read(size)
        with zipfile.ZipFile(path) as archive, archive.open(member + ".npy") as stream:
            return stream.read(header.offset + size)[header.offset :]
    except (*_ZIP_FAULTS, KeyError) as error:
        raise SourceError(f"it cannot be decompressed ({error})") from None


def _unpack(data: bytes, count: int, size: int, header: ArrayHeader) -> Vector | None:
    order = ">" if header.descr[0] == ">" else "<"
    if len(data) < count * size:
        raise SourceError("it is truncated within its values")
    if header.kind in "US":
        codec = "latin-1" if header.kind == "S" else ("utf-32-be" if order == ">" else "utf-32-le")
        chunks = (data[i * size : (i + 1) * size] for i in range(count))
        return [chunk.decode(codec, "replace").rstrip("\0") for chunk in chunks]
    letter = _LETTERS.get(f"{header.kind}{size}")
    return None if letter is None else list(struct.unpack(f"{order}{count}{letter}", data))
