"""Pictures of all forms become the values that Pillow's own calls give, and damaged ones say what is wrong."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from nnspec.runtime.media.images import decode
from nnspec.runtime.rules.images import FITS, Form, ImageError, ShapeError, form_of, inspect

RNG = np.random.default_rng(0)
WIDE = RNG.integers(0, 256, (5, 11, 4), np.uint8)  # height, width, channel: all different
HWC = ("height", "width", "channel")


def form(mode: str = "RGB", fit: str = "stretch", size: tuple[int, int] = (3, 7)) -> Form:
    axes = HWC if len(mode) > 1 else HWC[:2]
    return Form(axes=axes, height=size[0], width=size[1], mode=mode, fit=fit)


def picture(mode: str) -> Image.Image:
    rgba = Image.fromarray(WIDE)
    return rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode)


def saved(tmp_path: Path, image: Image.Image, suffix: str = ".png", **options: object) -> Path:
    path = tmp_path / f"a{suffix}"
    image.save(path, **options)
    return path


# By what is stored: the file, and what Pillow's own calls make of it in the mode that is asked for.
STORED = {
    "L": ("L", ".png", {}),
    "LA": ("LA", ".png", {}),
    "P": ("P", ".png", {}),
    "RGB": ("RGB", ".png", {}),
    "RGBA": ("RGBA", ".png", {}),
    "1": ("1", ".png", {}),
    "JPEG": ("RGB", ".jpg", {}),
    "grey JPEG": ("L", ".jpeg", {}),
    "CMYK": ("CMYK", ".jpg", {}),
    "progressive": ("RGB", ".jpg", {"progressive": True}),
    "WebP": ("RGB", ".webp", {}),
    "WebP with alpha": ("RGBA", ".webp", {"lossless": True}),
    "interlaced name": ("RGB", ".PNG", {}),
}


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("stored", STORED)
def test_values_are_those_of_pillow(stored: str, mode: str, tmp_path: Path) -> None:
    kind, suffix, options = STORED[stored]
    path = saved(tmp_path, picture(kind), suffix, **options)
    with Image.open(path) as opened:
        wanted = np.asarray(opened.convert(mode).resize((7, 3), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(decode(path, form(mode)), wanted)


@pytest.mark.parametrize("fit", FITS)
def test_fits(fit: str, tmp_path: Path) -> None:
    path = saved(tmp_path, picture("RGB"))
    plain, size = picture("RGB"), (4, 6)
    wanted = {
        "stretch": lambda: plain.resize(size, Image.Resampling.BILINEAR),
        "crop": lambda: ImageOps.fit(plain, size, Image.Resampling.BILINEAR),
        "pad": lambda: ImageOps.pad(plain, size, Image.Resampling.BILINEAR, color=(0, 0, 0)),
    }[fit]()
    found = decode(path, form(fit=fit, size=(6, 4)))
    np.testing.assert_array_equal(found, np.asarray(wanted))
    if fit == "pad":
        assert not found[0].any()
        assert found[3].any()


def test_a_picture_of_the_right_size_is_not_changed(tmp_path: Path) -> None:
    path = saved(tmp_path, picture("RGBA"))
    for fit in FITS:
        np.testing.assert_array_equal(decode(path, form("RGBA", fit, (5, 11))), WIDE)


def test_the_rotation_of_exif_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    path = saved(tmp_path, picture("RGB"), ".png", exif=exif)
    found = decode(path, form(size=(11, 5)))
    np.testing.assert_array_equal(found, np.rot90(WIDE[..., :3], -1))


def test_sixteen_bits_are_read_by_their_upper_eight(tmp_path: Path) -> None:
    wide = np.array([[0, 255, 256], [65535, 32768, 513]], np.uint16)
    path = saved(tmp_path, Image.fromarray(wide))
    assert decode(path, form("L", size=(2, 3))).tolist() == [[0, 0, 1], [255, 128, 2]]


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    path = saved(tmp_path, image, transparency=bytes([0, 255]))
    assert decode(path, form("RGBA", size=(1, 2))).tolist() == [[[10, 20, 30, 0], [200, 100, 50, 255]]]
    assert decode(path, form("RGB", size=(1, 2))).tolist() == [[[10, 20, 30], [200, 100, 50]]]


def test_of_an_animation_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ((250, 0, 0), (0, 250, 0))]
    path = saved(tmp_path, frames[0], ".webp", save_all=True, append_images=frames[1:], lossless=True)
    assert decode(path, form(size=(1, 1))).tolist() == [[[250, 0, 0]]]


def test_axes_in_another_order(tmp_path: Path) -> None:
    path = saved(tmp_path, picture("RGB"))
    found = decode(path, form_of([("channel", 3), ("width", 11), ("height", 5)]))
    np.testing.assert_array_equal(found, WIDE[..., :3].transpose(2, 1, 0))
    grey = decode(path, form_of([("y", 5), ("x", 11), ("channel", 1)]))
    np.testing.assert_array_equal(grey, np.asarray(picture("RGB").convert("L"))[..., None])


@pytest.mark.parametrize(
    ("axes", "wanted"),
    [
        ([("height", 4), ("width", 5), ("channel", 3)], ("height", "width", "channel")),
        ([("channel", 4), ("row", 5), ("column", 6)], ("channel", "height", "width")),
        ([("a", 4), ("b", 5), ("d", 3)], ("height", "width", "channel")),
        ([("height", 4), ("width", 5)], ("height", "width")),
        ([("height", 4), ("width", 5), ("band", 3)], ("height", "width", "channel")),
        ([("time", 1), ("height", 4), ("width", 5), ("channel", 3)], ("", "height", "width", "channel")),
    ],
)
def test_axes_are_recognized(axes: list[tuple[str, int]], wanted: tuple[str, ...]) -> None:
    found = form_of(axes)
    assert found.axes == wanted
    assert found.shape == tuple(size for _, size in axes)


@pytest.mark.parametrize(
    ("axes", "part"),
    [
        ([("height", None), ("width", 5), ("channel", 3)], "open size"),
        ([("height", 4), ("width", 5), ("channel", 2)], "has 2 channels"),
        ([("height", 4)], "height, width and channel"),
        ([("time", 2), ("height", 4), ("width", 5), ("channel", 3)], "height, width and channel"),
    ],
)
def test_axes_of_no_picture(axes: list[tuple[str, int | None]], part: str) -> None:
    with pytest.raises(ShapeError, match=part):
        form_of(axes)


# ----------------------------------------------------------------------------------------------------------- masks


def mask_form(fit: str = "stretch", size: tuple[int, int] = (3, 4)) -> Form:
    return form_of([("height", size[0]), ("width", size[1])], fit, is_mask=True)


def test_masks_keep_their_values(tmp_path: Path) -> None:
    values = np.array([[0, 1, 2, 7], [3, 0, 0, 1], [255, 0, 5, 6]], np.uint8)
    grey = saved(tmp_path, Image.fromarray(values))
    np.testing.assert_array_equal(decode(grey, mask_form()), values)
    palette = Image.fromarray(values)
    palette = Image.frombytes("P", (4, 3), values.tobytes())
    palette.putpalette([255 - i // 3 for i in range(768)])
    np.testing.assert_array_equal(decode(saved(tmp_path, palette), mask_form()), values)
    large = decode(grey, mask_form(size=(6, 8)))
    np.testing.assert_array_equal(large, values.repeat(2, axis=0).repeat(2, axis=1))
    padded = decode(grey, mask_form("pad", (4, 4)))
    assert set(np.unique(padded)) <= set(np.unique(values))


def test_pictures_that_are_no_masks(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="mode RGB"):
        decode(saved(tmp_path, picture("RGB")), mask_form())
    with pytest.raises(ImageError, match="JPEG"):
        decode(saved(tmp_path, picture("L"), ".jpg"), mask_form())


# --------------------------------------------------------------------------------------------------------- damage


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (40, 50, 3), np.uint8)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_headers_say_the_size(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(encoded(kind))
    header = inspect(path, is_thorough=True)
    assert (header.format, header.width, header.height) == (kind, 50, 40)
    path.write_bytes(encoded(kind) + b"appended by some program")
    assert inspect(path).width == 50


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}])
def test_webp_of_every_kind(mode: str, options: dict[str, bool], tmp_path: Path) -> None:
    path = saved(tmp_path, picture(mode), ".webp", **options)
    assert (inspect(path).width, inspect(path).height) == (11, 5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_is_found_wherever_it_is(kind: str, tmp_path: Path) -> None:
    whole = encoded(kind)
    path = tmp_path / "a.bin"
    for size in [*range(0, 60, 3), len(whole) // 2, len(whole) - 3]:
        path.write_bytes(whole[:size])
        with pytest.raises(ImageError):
            inspect(path)
        with pytest.raises(ImageError):
            decode(path, form())


def test_a_wrong_checksum(tmp_path: Path) -> None:
    whole = bytearray(encoded("PNG"))
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "a.png"
    path.write_bytes(whole)
    with pytest.raises(ImageError, match="damaged"):
        inspect(path, is_thorough=True)
    with pytest.raises(ImageError, match=r"damaged|truncated"):
        decode(path, form())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(40), "a GIF"),
        (b"BM" + bytes(40), "a BMP"),
        (b"<html>404</html>", "text"),
        (b"version https://git-lfs.github.com/spec/v1", "not a PNG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "header"),
        (b"\xff\xd8\xff\xd9", "segments|truncated|pixels"),
        (b"RIFF\x1e\0\0\0WEBPJUNK" + bytes(30), "pixels"),
    ],
)
def test_other_files(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for read in (inspect, lambda file: decode(file, form())):
        with pytest.raises(ImageError, match=reason):
            read(path)


def test_a_file_that_unpacks_to_too_much(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path = tmp_path / "a.png"
    path.write_bytes(bomb)
    with pytest.raises(ImageError, match="60000 × 60000"):
        inspect(path)
    with pytest.raises(ImageError, match="60000 × 60000"):
        decode(path, form())


def test_random_damage_is_never_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = encoded(kind)
        for seed in range(60):
            rng = np.random.default_rng(seed)
            damaged = bytearray(whole)
            for position in rng.integers(0, len(whole), rng.integers(1, 8)):
                damaged[position] = rng.integers(256)
            path.write_bytes(damaged)
            with contextlib.suppress(ImageError):
                decode(path, form())
