"""The rules of clips: the same for checking, training and predicting.

WAV (as `rules.wav` reads it), FLAC and Ogg Vorbis, by what they contain rather than by their suffix. A clip becomes
samples in [-1, 1], in this order: channels are mixed to one by their mean, unless the input has as many as the file;
the rate is converted to the input's; zeros (or its `pad_value`) follow up to the input's size, or what is beyond it is
cut off, half of it on each side. `nnspec.runtime.media.audio` decodes them. Standard library only, since `nnspec check`
reads it as well.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nnspec.runtime.rules.wav import WavError, read_wav_header

SUFFIXES = (".wav", ".flac", ".ogg", ".oga")
# What people take for clips and what cannot be read: to leave these out in silence would be a surprise.
OTHER_SUFFIXES = frozenset((".mp3", ".m4a", ".aac", ".wma", ".aif", ".aiff", ".au", ".opus", ".webm", ".mp4", ".amr"))
FITS = ("pad", "crop")

_CHANNEL = frozenset({"channel", "channels", "c", "feature"})
_LARGEST_PAGE = 65_307  # bytes of an Ogg page
_LARGEST_FRAME = 1 << 17  # bytes of a FLAC frame, where the file does not say
_END_OF_STREAM = 4


class AudioError(ValueError):
    """The file is no clip that can be read; the message completes `FILE cannot be used: …`."""


class ShapeError(ValueError):
    """An input's axes are not those of a clip; the message completes `input … `."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What a file's header says.

    Attributes:
        rate: samples of each channel a second.
        samples: of each channel.
    """

    rate: int
    channels: int
    samples: int

    def length(self, rate: int | None) -> int:
        """The samples of each channel at another rate."""
        return self.samples if rate in (None, self.rate) else -(-self.samples * int(rate or 1) // self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What clips are made to fit.

    Attributes:
        axes: the role of each axis of the input, batch left out: `sample`, `channel`, or empty for one of size 1.
        size: the samples that each has in the end; of an open axis None.
        channels: 1: those of a file are mixed.
        rate: the rate that all are converted to; None: they are left at theirs.
        least: of an open axis, the samples that shorter clips are padded to.
        fill: what pads clips.
    """

    axes: tuple[str, ...]
    size: int | None
    channels: int
    rate: int | None = None
    fit: str = FITS[0]
    least: int = 0
    fill: float = 0.0

    def shape(self, samples: int) -> tuple[int, ...]:
        """The sizes of the axes for clips of so many samples."""
        return tuple({"sample": samples, "channel": self.channels}.get(axis, 1) for axis in self.axes)

    def to_json(self, names: Sequence[str]) -> dict[str, object]:
        """What a deployed model says of it, to be read by `form_from`."""
        roles = dict(zip(names, self.axes, strict=True))
        rest = {"rate": self.rate, "fit": self.fit, "least": self.least, "fill": self.fill}
        return {"axes": roles, "size": self.size, "channels": self.channels, **rest}


def form_from(said: Mapping[str, object], names: Sequence[str]) -> Form:
    """The form that a deployed model's metadata describe, for axes in this order."""
    roles, size, rate = said["axes"], said["size"], said["rate"]
    assert isinstance(roles, Mapping)
    return Form(
        axes=tuple(str(roles[name]) for name in names),
        size=None if size is None else int(str(size)),
        channels=int(str(said["channels"])),
        rate=None if rate is None else int(str(rate)),
        fit=str(said["fit"]),
        least=int(str(said["least"])),
        fill=float(str(said["fill"])),
    )


def form_of(axes: Sequence[tuple[str, int | str | None]], rate: int | None, fit: str, fill: float) -> Form:
    """The form of clips for an input with these axes, batch left out.

    Raises:
        ShapeError: where the axes are not those of a clip: samples, and channels or not.
    """
    shown = ", ".join(f"{name} {'?' if size is None else size}" for name, size in axes)
    roles = ["channel" if name.lower() in _CHANNEL else "" if size == 1 else "sample" for name, size in axes]
    if roles.count("sample") != 1 or roles.count("channel") > 1:
        raise ShapeError(f"has axes ({shown}), but a clip has an axis of samples, and `channel` or not")
    sizes = {role: size for role, (_, size) in zip(roles, axes, strict=True) if role}
    channels, size = sizes.get("channel", 1), sizes["sample"]
    if not isinstance(channels, int):
        raise ShapeError("has axis `channel` of open size, but the channels of clips are mixed to a number of them")
    if fit == "crop" and not isinstance(size, int):
        raise ShapeError("has an open axis of samples, so there is nothing that `fit: crop` would cut clips to")
    return Form(
        axes=tuple(roles),
        size=size if isinstance(size, int) else None,
        channels=channels,
        rate=rate,
        fit=fit,
        fill=fill,
    )


def reason_of_misfit(clip: Clip, form: Form) -> str | None:
    """Why a clip cannot be made to fit, after its name; None where it can."""
    if form.channels > 1 and clip.channels != form.channels:
        return f"it has {clip.channels} channel{'s' * (clip.channels > 1)}, but the input takes {form.channels}"
    length = clip.length(form.rate)
    if form.size is not None and form.fit == "pad" and length > form.size:
        at = f" at {form.rate} Hz" if form.rate not in (None, clip.rate) else ""
        return f"it has {length} samples{at}, but the input takes {form.size}"
    return None


# ------------------------------------------------------------------------------------------------------- headers


def inspect(path: Path) -> Clip:
    """What a file's header says, and whether it has an end.

    Raises:
        AudioError: where it is no clip that can be read.
        OSError: where it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        if head == b"RIFF":
            try:
                header = read_wav_header(path)
            except WavError as error:
                raise AudioError(str(error)) from None
            return _with_samples(Clip(header.rate, header.channels, header.samples))
        if head == b"fLaC":
            clip = _flac(stream.read(4), body := stream.read(34))
            stream.seek(max(0, path.stat().st_size - (int.from_bytes(body[7:10], "big") or _LARGEST_FRAME)))
            if not _ends_in_a_frame(stream.read()):
                raise AudioError("it is truncated or damaged: its last frame is not whole")
            return _with_samples(clip)
        if head == b"OggS":
            stream.seek(0)
            first = stream.read(_LARGEST_PAGE)
            stream.seek(max(0, path.stat().st_size - 2 * _LARGEST_PAGE))
            return _with_samples(_ogg(first, stream.read()))
    if not head:
        raise AudioError("it is empty")
    kind = "an MP3" if head[:3] == b"ID3" or head[:2] in (b"\xff\xfb", b"\xff\xf3") else "not one"
    raise AudioError(f"it is {kind}: WAV, FLAC and Ogg Vorbis files are read")


def _with_samples(clip: Clip) -> Clip:
    if not (clip.samples and clip.rate and clip.channels):
        raise AudioError("it has no samples")
    return clip


def _flac(block: bytes, body: bytes) -> Clip:
    """The first block of a FLAC file: rate (20 bits), channels (3), bits (5) and samples (36)."""
    if len(body) < 34 or block[0] & 0x7F:
        raise AudioError("it is a damaged FLAC file: it does not begin with its form")
    packed = int.from_bytes(body[10:18], "big")
    return Clip(packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1)


def _ends_in_a_frame(tail: bytes) -> bool:
    """Whether a FLAC file ends with a frame whose checksum is right: one over all of it, checksum included, is 0."""
    start = len(tail)
    while (start := tail.rfind(b"\xff", 0, start)) >= 0:
        if tail[start + 1 : start + 2] in (b"\xf8", b"\xf9") and _crc16(tail[start:]) == 0:
            return True
    return False


def _crc16(data: bytes) -> int:
    """The checksum of FLAC frames: polynomial 0x8005, the highest bit first."""
    table = _crc_table()
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return crc


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
        table.append(crc)
    return tuple(table)


def _ogg(first: bytes, last: bytes) -> Clip:
    """The first page has rate and channels, the last one the number of samples."""
    body = first[27 + first[26] :] if len(first) > 27 else b""
    if body[:8] == b"OpusHead":
        raise AudioError("it is Opus: WAV, FLAC and Ogg Vorbis files are read")
    if body[:7] != b"\x01vorbis" or len(body) < 16:
        raise AudioError("it is an Ogg file of something other than Vorbis")
    channels, rate = struct.unpack("<BI", body[11:16])
    page = last.rfind(b"OggS")
    if page < 0 or len(last) < page + 27 or not last[page + 5] & _END_OF_STREAM:
        raise AudioError("it is truncated: its last page is missing")
    sizes = last[page + 27 : page + 27 + last[page + 26]]
    if len(last) < page + 27 + len(sizes) + sum(sizes):
        raise AudioError("it is truncated")
    (samples,) = struct.unpack("<q", last[page + 6 : page + 14])
    return Clip(rate, channels, samples)
