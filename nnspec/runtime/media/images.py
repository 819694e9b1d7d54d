"""Decodes images with Pillow, by the rules of `nnspec.runtime.rules.images`, to the values that a model takes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.ports import BATCH, Metadata
from nnspec.runtime.rules.images import Form, ImageError, inspect

if TYPE_CHECKING:
    from PIL import Image

_FORMATS = ("PNG", "JPEG", "WEBP")


def decode(file: Path, form: Form) -> NDArray[np.uint8]:
    """An image's values, 0 to 255: axes `*form.axes`.

    Raises:
        ImageError: where it cannot be decoded.
        OSError: where it cannot be read.
        ImportError: where Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError("reading images needs the package pillow, which is not installed") from None

    header = inspect(file)
    if form.is_mask and header.format == "JPEG":
        raise ImageError("it is a JPEG, which changes values: masks are stored as PNG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as opened:
                opened.load()
                upright = ImageOps.exif_transpose(opened)
                fitted = _fit_size(_indices(upright) if form.is_mask else _in_mode(upright, form.mode), form)
                values = np.asarray(fitted, np.uint8)
    except ImageError:
        raise
    except Exception as error:  # what damaged files make Pillow's decoders raise has no common class
        raise ImageError(_reason(error)) from None
    return _arrange_axes(values, form)


def decode_for(file: Path, body: Metadata) -> NDArray[np.uint8]:
    """An image as an input of a deployed model takes it: axes those of the input, batch left out. Errors as `decode`.

    Args:
        body: the input's metadata.
    """
    said = body["files"]
    axes = tuple(str(said["axes"][axis]) for axis, _ in body["axes"] if axis != BATCH)
    height, width = said["size"]
    return decode(file, Form(axes=axes, height=height, width=width, mode=said["mode"], fit=said["fit"]))


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """Grey, RGB or RGBA; transparency that the mode lacks is dropped, as `convert` of Pillow does."""
    if picture.mode.startswith("I"):  # 16 bits a pixel: the upper 8, as Pillow reads those of colours
        from PIL import Image

        picture = Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    return picture if picture.mode == mode else picture.convert(mode)


def _indices(picture: Image.Image) -> Image.Image:
    """A mask's values: of a palette its indices."""
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode not in ("L", "P"):
        raise ImageError(f"it has mode {picture.mode}, but a mask has one value of 8 bits a pixel (grey or a palette)")
    if picture.mode == "P":
        from PIL import Image

        return Image.fromarray(np.asarray(picture, np.uint8))
    return picture


def _fit_size(picture: Image.Image, form: Form) -> Image.Image:
    """Resized to the form: bilinear with antialiasing; masks by the nearest pixel."""
    from PIL import Image, ImageOps

    method = Image.Resampling.NEAREST if form.is_mask else Image.Resampling.BILINEAR
    size = (form.width, form.height)
    if form.fit == "crop":
        return ImageOps.fit(picture, size, method)
    if form.fit == "pad":
        return ImageOps.pad(picture, size, method, color=(0,) * len(form.mode) if len(form.mode) > 1 else 0)
    return picture if picture.size == size else picture.resize(size, method)


def _arrange_axes(values: NDArray[np.uint8], form: Form) -> NDArray[np.uint8]:
    """Axes `height width [channel]` to those of the form."""
    names = ["height", "width", "channel"][: values.ndim]
    order = [names.index(axis) for axis in form.axes if axis in names]
    return np.ascontiguousarray(values.transpose(order)).reshape(form.shape)


def _reason(error: Exception) -> str:
    text = str(error).split("\n")[0].strip() or type(error).__name__
    return "it is truncated" if "truncated" in text else f"it is damaged ({text})"
