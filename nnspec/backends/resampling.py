"""Resizing along one axis, as TensorFlow's kernels do it: each new position is a weighted sum of the old ones.

`matrix` gives the weights, axes `new old`. Positions are pixel centres: the centre of new pixel i lies at
(i + 1/2)·old/new - 1/2.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from nnspec.ir.graph import Window
from nnspec.lazy import np

if TYPE_CHECKING:
    Kernel = Callable[[np.ndarray], np.ndarray]

INTERPOLATIONS = ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area"]
TABLE_SIZE = 1024  # TensorFlow's bicubic kernel looks its weights up at this many places between two pixels


def window(interpolation: str, old: int, new: int, *, antialias: bool) -> Window:
    """Which old positions a new one sees: those near its centre, at new pixel 0 (old/new - 1)/2."""
    stride = Fraction(old, new)
    centre = (stride - 1) / 2
    if interpolation == "nearest":
        return Window(2, stride, centre + Fraction(1, 2))
    if interpolation == "area":
        return Window(stride + 2, stride, stride)
    if antialias or interpolation.startswith("lanczos"):
        reach = _KERNELS[interpolation][0] * (max(stride, Fraction(1)) if antialias else 1)
        return Window(2 * reach + 1, stride, centre + reach)
    taps = 2 if interpolation == "bicubic" else 1  # on either side
    return Window(2 * taps + 1, stride, centre + taps)


def nearest_indices(old: int, new: int) -> np.ndarray:
    """The old position that each new one takes, in the 32-bit arithmetic that decides ties as TensorFlow does."""
    scale = np.float32(old) / np.float32(new)
    places = np.floor((np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale).astype(np.int64)
    return np.asarray(np.minimum(places, old - 1))


def matrix(interpolation: str, old: int, new: int, *, antialias: bool) -> np.ndarray:
    """The weights of a resize from `old` to `new` positions: axes `new old`, float32."""
    if interpolation == "area":
        weights = _area(old, new)
    elif interpolation == "bicubic" and not antialias:
        weights = _bicubic(old, new)
    else:
        radius, kernel = _KERNELS[interpolation]
        weights = _sample_kernel(old, new, radius, kernel, antialias=antialias)
    return weights.astype(np.float32)


def _sample_kernel(old: int, new: int, radius: int, kernel: Kernel, *, antialias: bool) -> np.ndarray:
    """A kernel laid over each new centre, wider where `antialias` asks for all that falls between new pixels."""
    stretch = max(old / new, 1.0) if antialias else 1.0
    centres = (np.arange(new) + 0.5) * (old / new)
    distance = (np.arange(old)[None, :] + 0.5 - centres[:, None]) / stretch
    weights = np.where(np.abs(distance) <= radius, kernel(distance), 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(x)))


def _keys_cubic(x: np.ndarray) -> np.ndarray:
    """Keys 1981 with a = -1/2."""
    x = np.abs(x)
    inner, outer = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.asarray(np.where(x < 1, inner, np.where(x < 2, outer, 0.0)))


def _lanczos(radius: int) -> Kernel:
    return lambda x: np.asarray(np.sinc(x) * np.sinc(x / radius))


_KERNELS: dict[str, tuple[int, Kernel]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, _keys_cubic),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
}


def _bicubic(old: int, new: int) -> np.ndarray:
    """Four neighbours; what lies outside has no weight, and the others share it."""
    scale = np.float32(old) / np.float32(new)
    places = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    first = np.floor(places)
    offset = np.rint((places - first) * TABLE_SIZE) / TABLE_SIZE
    weights = np.zeros((new, old))
    for step in (-1, 0, 1, 2):
        column = first.astype(int) + step
        inside = (column >= 0) & (column < old)
        weights[np.flatnonzero(inside), column[inside]] = _keys_cubic(step - offset)[inside]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _area(old: int, new: int) -> np.ndarray:
    """The mean over the stretch of old pixels that a new one covers."""
    scale = old / new
    begin, end = np.arange(new)[:, None] * scale, np.arange(1, new + 1)[:, None] * scale
    pixels = np.arange(old)[None, :]
    return np.asarray(np.maximum(0.0, np.minimum(pixels + 1, end) - np.maximum(pixels, begin)) / scale)
