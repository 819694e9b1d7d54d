"""A sample's inputs as a reader can take them in: images, small plots, words and numbers."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from markupsafe import Markup

from nnspec.ir.axes import Axes
from nnspec.report.tables import format_number

Array = np.ndarray
_SIDE = 96  # pixels of an image's longer side, at most
_BUDGET = 500_000  # bytes of all images of a report
_LETTERS = 300  # of a text
_LINES = 4  # of a small plot
_POINTS = 120  # of a line
_WIDTH, _HEIGHT = 140.0, 40.0


class Glimpses:
    """Shows samples; of images no more than a page can hold."""

    def __init__(self) -> None:
        self.left = _BUDGET if find_spec("PIL") is not None else 0

    def of(self, values: Array, axes: Axes) -> str:
        """One sample of an input.

        Args:
            values: as the deployed model takes it; axes as `axes`, where there are as many.
        """
        names = tuple(axis.name for axis in axes) if values.ndim == len(axes) else ("",) * values.ndim
        if values.dtype.kind in "OUS":
            words = [str(word) for word in values.reshape(-1)]
            return _cut(" ".join(words)) if any(words) else "no text"
        if values.size == 1:
            return "missing" if np.isnan(float(values.reshape(-1)[0])) else format_number(values.reshape(-1)[0].item())
        if is_picture(values, names):
            return self._picture(values)
        if values.ndim == 2 and min(values.shape) > 8:
            return self._picture(_stretch_to_shades(values.astype(np.float64).T))
        if values.ndim <= 2 and len(values) > 3:
            return small_plot(values, names[0] or "position")
        return _cut(", ".join(format_number(value) for value in values.reshape(-1)[:12].tolist()))

    def _picture(self, values: Array) -> str:
        shape = " × ".join(map(str, values.shape))
        if self.left <= 0:
            return f"an image of {shape}"
        data = _png(values)
        self.left -= len(data)
        side = max(values.shape[:2])
        scale = max(1, 84 // side) if side < 84 else 1
        width = min(_SIDE, values.shape[1] * scale)
        return Markup('<img src="data:image/png;base64,{}" width="{}" alt="image of {}">').format(
            base64.b64encode(data).decode(), width, shape
        )


def is_picture(values: Array, names: Sequence[str]) -> bool:
    """Whether a sample has the axes of an image."""
    if not {"height", "width"} <= set(names):
        return False
    return values.ndim == 2 or (values.ndim == 3 and names[:2] == ("height", "width") and values.shape[2] in (1, 3, 4))


def _stretch_to_shades(values: Array) -> Array:
    """Any numbers as shades from 0 to 255, the first row at the bottom."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return np.nan_to_num((values[::-1] - low) / ((high - low) or 1.0) * 255.0)


def _png(values: Array) -> bytes:
    from PIL import Image

    wide = np.nan_to_num(values.astype(np.float64))
    if wide.min() < 0 or wide.max() > 255:
        wide = _stretch_to_shades(wide)[::-1]
    elif wide.max() <= 1:
        wide = wide * 255.0
    pixels = np.round(wide).astype(np.uint8)
    picture = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    if max(picture.size) > _SIDE:
        share = _SIDE / max(picture.size)
        picture = picture.resize([max(1, round(length * share)) for length in picture.size])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def small_plot(values: Array, axis: str) -> str:
    """Lines over steps, each in its own range: axes `step` or `step feature`."""
    lines = values.reshape(len(values), -1).astype(np.float64).T
    drawn = [_points(line) for line in lines[:_LINES]]
    more = f" and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
    ends = [line[np.isfinite(line)] for line in lines[:_LINES]]
    told = "; ".join(f"{format_number(e[0])} to {format_number(e[-1])}" for e in ends if len(e)) or "no values"
    said = f"{len(values)} steps of {axis}: {told}{more}"
    shapes = Markup("").join(
        Markup('<polyline points="{}" fill="none" stroke="var(--hue{})" stroke-width="1.4"/>').format(points, number)
        for number, points in enumerate(drawn, start=1)
    )
    size = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
    frame = Markup('<svg class="spark" role="img" aria-label="{}" viewBox="{}" width="{:g}" height="{:g}">{}</svg>')
    return frame.format(said, size, _WIDTH, _HEIGHT, shapes)


def _points(line: Array) -> str:
    chosen = np.unique(np.linspace(0, len(line) - 1, min(_POINTS, len(line))).astype(int))
    known = chosen[np.isfinite(line[chosen])]
    if not len(known):
        return ""
    low, high = float(line[known].min()), float(line[known].max())
    heights = 3 + (_HEIGHT - 6) * (1 - (line[known] - low) / ((high - low) or 1.0))
    places = 2 + (_WIDTH - 4) * known / max(1, len(line) - 1)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(places, heights, strict=True))


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
