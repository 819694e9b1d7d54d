"""The rules of WAV files: the same for checking, training and predicting.

A RIFF file of uncompressed samples: 8, 16, 24 or 32 bit integers, 32 or 64 bit floats, or 8 bit µ-law and A-law, plain
or as WAVE_FORMAT_EXTENSIBLE, with all of the samples that its header announces. The samples are decoded by
`nnspec.runtime.media.sound`. Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_INTEGER, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_ENCODINGS = {
    **{(_INTEGER, width): "integer" for width in (1, 2, 3, 4)},
    **{(_FLOAT, width): "float" for width in (4, 8)},
    (_A_LAW, 1): "a-law",
    (_MU_LAW, 1): "mu-law",
}
# The format number comes first in this otherwise fixed identifier.
_SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")


class WavError(ValueError):
    """The file is no WAV file that can be read; the message completes `FILE cannot be used: …`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WavHeader:
    """How a file's samples are stored.

    Attributes:
        rate: samples of each channel a second.
        samples: of each channel.
        encoding: `integer` (of one byte: unsigned), `float`, `a-law` or `mu-law`.
        width: bytes of one sample of one channel.
        offset: where the samples begin in the file.
    """

    rate: int
    channels: int
    samples: int
    encoding: str
    width: int
    offset: int

    @property
    def size(self) -> int:
        """Bytes of all samples."""
        return self.samples * self.channels * self.width


def read_wav_header(path: Path) -> WavHeader:
    """The header of a WAV file whose samples are all there.

    Raises:
        WavError: where it is none, its encoding is not known, or it is cut short.
    """
    try:
        with path.open("rb") as stream:
            return _read(stream, os.fstat(stream.fileno()).st_size)
    except OSError as error:
        raise WavError(f"it cannot be read ({error.strerror})") from None


def _read(stream: IO[bytes], size: int) -> WavHeader:
    start = stream.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise WavError(
            "it is truncated within its header" if b"RIFF".startswith(start[:4]) else "it is not a RIFF WAVE file"
        )
    form: tuple[int, int, int, int, int] | None = None
    while True:
        head = stream.read(8)
        if len(head) < 8:
            raise WavError("it is truncated within its header")
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            break
        body = stream.read(min(length, 64)) if name == b"fmt " else b""
        if name == b"fmt ":
            form = _read_format(body)
        stream.seek(length - len(body) + length % 2, os.SEEK_CUR)
    if form is None:
        raise WavError("its samples come before its format")
    kind, channels, rate, align, width = form
    encoding = _ENCODINGS.get((kind, width))
    if encoding is None:
        raise WavError(
            f"its samples have format {kind} with {8 * width} bits, which is not supported; "
            "convert it to 16 bit PCM, for example by `ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav`"
        )
    if not channels or not rate or align != channels * width:
        raise WavError(f"its header is damaged: {channels} channels of {width} bytes in blocks of {align} bytes")
    header = WavHeader(
        rate=rate, channels=channels, samples=length // align, encoding=encoding, width=width, offset=stream.tell()
    )
    if header.offset + length > size:
        raise WavError("it has fewer samples than its header says")
    return header


def _read_format(body: bytes) -> tuple[int, int, int, int, int]:
    """Format, channels, rate, bytes of a block (a sample of each channel), and bytes of a sample."""
    if len(body) < 16:
        raise WavError("it is truncated within its header")
    kind, channels, rate, _, align, bits = struct.unpack("<HHIIHH", body[:16])
    if kind == _EXTENSIBLE:
        if len(body) < 40 or body[26:40] != _SUBFORMAT_TAIL:
            raise WavError("the extension of its header names an unsupported format")
        (kind,) = struct.unpack("<H", body[24:26])
    return kind, channels, rate, align, (bits + 7) // 8
