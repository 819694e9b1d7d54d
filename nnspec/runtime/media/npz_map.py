"""Arrays of an .npz archive that are not compressed, mapped: what is not gathered from them takes no memory.

An archive is a zip of .npy files, and a member that is only stored lies in it byte for byte.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

_LOCAL_HEADER = 30  # bytes, before the member's name and its extra field
_CHUNK = 1 << 20
_ENCRYPTED = 1


def map_member(path: Path, name: str) -> np.ndarray | None:
    """An array as a read-only map of its file; None where it is compressed, or holds no plain values.

    Raises:
        zipfile.BadZipFile: where the member is damaged.
        OSError: where the file cannot be read.
        KeyError: where there is no such member.
        ValueError: where it is no array.
    """
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
        return None
    with path.open("rb") as stream:
        begin = _begin(stream, info)
        stream.seek(begin)
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            return None
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(stream)
        offset = stream.tell()
        if dtype.hasobject or 0 in shape or not shape:
            return None
        if offset + dtype.itemsize * int(np.prod(shape)) > begin + info.file_size:
            raise ValueError("it has fewer values than its header says")
        _check_sum(stream, begin, info)
    return np.memmap(path, dtype, "r", offset, shape, "F" if is_fortran else "C")


def _begin(stream: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Where the member's content begins: its local header may be of another length than the archive's list says."""
    stream.seek(info.header_offset)
    header = stream.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"member `{info.filename}` is damaged")
    name, extra = struct.unpack("<HH", header[26:])
    return int(info.header_offset + _LOCAL_HEADER + name + extra)


def _check_sum(stream: IO[bytes], begin: int, info: zipfile.ZipInfo) -> None:
    """Reads the member once, a piece at a time, as `zipfile` does where it is loaded."""
    stream.seek(begin)
    left, found = info.file_size, 0
    while left:
        chunk = stream.read(min(_CHUNK, left))
        if not chunk:
            raise zipfile.BadZipFile(f"member `{info.filename}` is truncated")
        found, left = zlib.crc32(chunk, found), left - len(chunk)
    if found != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {info.filename!r}")
