"""The rules of images: the same for checking, training and predicting.

PNG, JPEG and WebP, of any size, by what they contain rather than by their suffix. An image becomes numbers from 0 to
255, in this order: the rotation that its EXIF data ask for; grey, RGB or RGBA as the input has 1, 3 or 4 channels;
resized to the input's height and width. Of an animation the first frame counts; of 16 bits a channel the upper 8 do.
`nnspec.runtime.media.images` decodes them. Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
# What people take for images and what cannot be read: to leave these out in silence would be a surprise.
OTHER_SUFFIXES = frozenset(
    (
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".avif",
        ".jp2",
        ".jxl",
        ".ico",
        ".svg",
        ".jfif",
        ".raw",
        ".dng",
    )
)
FITS = ("stretch", "crop", "pad")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
MOST_PIXELS = 1024 * 1024 * 1024 // 4 // 3  # Pillow's limit, against files that unpack to more than memory holds

_HEIGHT = frozenset({"height", "row", "rows", "y", "h"})
_WIDTH = frozenset({"width", "column", "columns", "x", "w"})
_CHANNEL = frozenset({"channel", "channels", "color", "colour", "rgb", "c", "feature", "features"})
_TAIL = 1 << 16
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
_KNOWN = {b"GIF8": "a GIF", b"BM": "a BMP", b"II*\0": "a TIFF", b"MM\0*": "a TIFF", b"<": "text (HTML or SVG)"}
_NO_SIZE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers of JPEG that stand alone
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class ImageError(ValueError):
    """The file is no image that can be read; the message completes `FILE cannot be used: …`."""


class ShapeError(ValueError):
    """An input's axes are not those of an image; the message completes `input … `."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What an image is made to fit.

    Attributes:
        axes: the input's axes without batch: height, width, channel, or "" for one of size 1 that is none of them.
        height, width: in pixels.
        mode: Pillow's: L, RGB or RGBA; of a mask "", whose values are indices of classes.
        fit: stretch, crop or pad.
    """

    axes: tuple[str, ...]
    height: int
    width: int
    mode: str
    fit: str = FITS[0]

    @property
    def is_mask(self) -> bool:
        return not self.mode

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of `axes`."""
        sizes = {"height": self.height, "width": self.width, "channel": max(1, len(self.mode)), "": 1}
        return tuple(sizes[axis] for axis in self.axes)

    def to_json(self, names: Sequence[str]) -> dict[str, object]:
        """What a deployed model says of it.

        Args:
            names: of the axes, in the order of `axes`.
        """
        axes = dict(zip(names, self.axes, strict=True))
        return {"axes": axes, "size": [self.height, self.width], "mode": self.mode, "fit": self.fit}


def form_of(axes: Sequence[tuple[str, int | str | None]], fit: str = FITS[0], *, is_mask: bool = False) -> Form:
    """The form of images for an input with these axes, batch left out.

    Axes are recognized by name (height, width and channel, or row and column, y and x), else by order: height, width,
    channel.

    Args:
        is_mask: whether a pixel's value is the index of its class; such images have no channels.

    Raises:
        ShapeError: where the axes are not those of an image.
    """
    shown = ", ".join(f"{name} {'?' if size is None else size}" for name, size in axes)
    for name, size in axes:
        if not isinstance(size, int):
            raise ShapeError(f"has axis `{name}` of open size, but images are resized to its height and width")
    roles = [_role(name) for name, _ in axes]
    if not {"height", "width"} <= set(roles) or len(set(roles) - {""}) != sum(role != "" for role in roles):
        big = [i for i, (_, size) in enumerate(axes) if size != 1] if len(axes) > 3 else list(range(len(axes)))
        roles = [""] * len(axes)
        for position, role in zip(big, ("height", "width", "channel"), strict=False):
            roles[position] = role
    unknown = [i for i, (role, (_, size)) in enumerate(zip(roles, axes, strict=True)) if not role and size != 1]
    if "channel" not in roles and len(unknown) == 1:
        roles[unknown[0]] = "channel"
    found = {role: int(size or 0) for role, (_, size) in zip(roles, axes, strict=True) if role}
    others = [name for role, (name, size) in zip(roles, axes, strict=True) if not role and size != 1]
    if not {"height", "width"} <= found.keys() or others:
        kind = "a mask has the axes height and width" if is_mask else "an image has the axes height, width and channel"
        raise ShapeError(f"has axes ({shown}), but {kind}")
    channels = found.get("channel", 1)
    if is_mask and channels != 1:
        raise ShapeError(f"has {channels} channels, but a mask has one value a pixel")
    if channels not in MODES:
        raise ShapeError(f"has {channels} channels, but an image has 1 (grey), 3 (RGB) or 4 (RGBA)")
    mode = "" if is_mask else MODES[channels]
    return Form(axes=tuple(roles), height=found["height"], width=found["width"], mode=mode, fit=fit)


def _role(name: str) -> str:
    low = name.lower()
    return "height" if low in _HEIGHT else "width" if low in _WIDTH else "channel" if low in _CHANNEL else ""


# ------------------------------------------------------------------------------------------------------- headers


@dataclass(frozen=True, slots=True)
class Header:
    """What an image's first bytes say. Sizes in pixels, as stored: before any rotation."""

    format: str
    width: int
    height: int


def inspect(file: Path, *, is_thorough: bool = False) -> Header:
    """What can be known of an image without decoding it: its kind and size, and that its end is there.

    Args:
        is_thorough: whether a PNG is read whole and compared with its checksums.

    Raises:
        ImageError: where it is damaged, of another kind, or too large.
        OSError: where it cannot be read.
    """
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        head = stream.read(32)
        try:
            if head.startswith(_PNG):
                header = _png(stream, head, size, is_thorough)
            elif head.startswith(b"\xff\xd8\xff"):
                header = _jpeg(stream, size)
            elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
                header = _webp(head, size)
            else:
                raise ImageError(_strange(head))
        except (struct.error, IndexError):
            raise ImageError("it is truncated") from None
    if not header.width or not header.height:
        raise ImageError("its size is zero")
    if header.width * header.height > MOST_PIXELS:
        raise ImageError(f"it has {header.width} × {header.height} pixels; more than {MOST_PIXELS:,} are refused")
    return header


def _strange(head: bytes) -> str:
    if not head:
        return "it is empty"
    kind = next((kind for mark, kind in _KNOWN.items() if head.startswith(mark)), "")
    return f"it is {kind}, not a PNG, JPEG or WebP" if kind else "it is not a PNG, JPEG or WebP"


def _png(stream: IO[bytes], head: bytes, size: int, is_thorough: bool) -> Header:
    if head[12:16] != b"IHDR":
        raise ImageError("it is damaged: its header is missing")
    width, height = struct.unpack(">II", head[16:24])
    stream.seek(max(0, size - len(_PNG_END)))
    if is_thorough or stream.read() != _PNG_END:
        _walk_chunks(stream, size, is_thorough)
    return Header("PNG", width, height)


def _walk_chunks(stream: IO[bytes], size: int, is_thorough: bool) -> None:
    stream.seek(len(_PNG))
    has_data = False
    while True:
        length, kind = struct.unpack(">I4s", stream.read(8))
        if is_thorough:
            body = stream.read(length)
            if len(body) < length:
                raise ImageError("it is truncated")
            if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack(">I", stream.read(4))[0]:
                raise ImageError("it is damaged: a checksum is wrong")
        else:
            stream.seek(length + 4, os.SEEK_CUR)
        has_data = has_data or kind == b"IDAT"
        if kind == b"IEND":
            if stream.tell() > size:
                raise ImageError("it is truncated")
            if not has_data:
                raise ImageError("it is damaged: it has no pixels")
            return


def _jpeg(stream: IO[bytes], size: int) -> Header:
    """The size of its frame; its end marker must follow the scan, whatever programs append."""
    stream.seek(2)
    header = None
    while True:
        mark, kind = struct.unpack(">BB", stream.read(2))
        if mark != 0xFF:
            raise ImageError("it is damaged: its segments do not follow one another")
        while kind == 0xFF:  # padding
            kind = stream.read(1)[0]
        if kind in _NO_SIZE:
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        if kind in _FRAMES:
            _, height, width = struct.unpack(">BHH", stream.read(5))
            header = Header("JPEG", width, height)
            length -= 5
        elif kind == 0xDA:
            break
        elif kind == 0xD9:
            raise ImageError("it is damaged: it has no pixels")
        stream.seek(length - 2, os.SEEK_CUR)
    if header is None:
        raise ImageError("it is damaged: it has no frame")
    scan = stream.tell()
    stream.seek(max(scan, size - _TAIL))
    if b"\xff\xd9" not in stream.read():
        stream.seek(scan)
        if b"\xff\xd9" not in stream.read():
            raise ImageError("it is truncated")
    return header


def _webp(head: bytes, size: int) -> Header:
    if struct.unpack("<I", head[4:8])[0] + 8 > size:
        raise ImageError("it is truncated")
    kind = head[12:16]
    if kind == b"VP8X":
        return Header("WEBP", *(1 + int.from_bytes(head[i : i + 3], "little") for i in (24, 27)))
    if kind == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return Header("WEBP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    raise ImageError("it is damaged: it has no pixels")
