"""What a change is for one sample: a matrix from (x, y, 1) in the result to (x, y) in the original, in pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nnspec.data.section.plan import Argument

Matrix = np.ndarray
Arguments = Mapping[str, Argument]
Size = tuple[int, int]


def draw(kind: str, arguments: Arguments, size: Size, rng: np.random.Generator) -> Matrix:
    """A random change, axes `row column` of a 2×3 matrix.

    Args:
        size: height and width in pixels.
    """
    return _DRAWN[kind](arguments, size, rng)


def _between(value: Argument, rng: np.random.Generator) -> float:
    assert not isinstance(value, str)
    low, high = value if isinstance(value, list) else (-value, value)
    return float(rng.uniform(min(low, high), max(low, high)))


def _about_centre(linear: Matrix, size: Size) -> Matrix:
    """The change that leaves the centre where it is."""
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    return np.concatenate([linear, (centre - linear @ centre)[:, None]], axis=1)


def _flip(arguments: Arguments, size: Size, rng: np.random.Generator) -> Matrix:
    mode = str(arguments.get("mode", "horizontal_and_vertical"))
    is_turned = rng.random(2) < 0.5  # both are drawn in any case, so that modes see the same numbers
    across = -1.0 if "horizontal" in mode and is_turned[0] else 1.0
    down = -1.0 if "vertical" in mode and is_turned[1] else 1.0
    return _about_centre(np.diag([across, down]), size)


def _rotation(arguments: Arguments, size: Size, rng: np.random.Generator) -> Matrix:
    angle = 2 * np.pi * _between(arguments["factor"], rng)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return _about_centre(turn, size)


def _translation(arguments: Arguments, size: Size, rng: np.random.Generator) -> Matrix:
    down = _between(arguments["height_factor"], rng) * size[0]
    right = _between(arguments["width_factor"], rng) * size[1]
    return np.array([[1.0, 0.0, -right], [0.0, 1.0, -down]])


def _zoom(arguments: Arguments, size: Size, rng: np.random.Generator) -> Matrix:
    high = 1 + _between(arguments["height_factor"], rng)
    wide = 1 + _between(arguments["width_factor"], rng) if "width_factor" in arguments else high
    return _about_centre(np.diag([wide, high]), size)


def _crop(arguments: Arguments, size: Size, rng: np.random.Generator) -> Matrix:
    """A piece, its pixels spread over the whole as a resize spreads them: centres of pixels at halves."""
    high, wide = (int(str(arguments[name])) for name in ("height", "width"))
    top, left = rng.integers(0, size[0] - high, endpoint=True), rng.integers(0, size[1] - wide, endpoint=True)
    across, down = wide / size[1], high / size[0]
    return np.array([[across, 0.0, left + (across - 1) / 2], [0.0, down, top + (down - 1) / 2]])


_DRAWN: dict[str, Callable[[Arguments, Size, np.random.Generator], Matrix]] = {
    "RandomFlip": _flip,
    "RandomRotation": _rotation,
    "RandomTranslation": _translation,
    "RandomZoom": _zoom,
    "RandomCrop": _crop,
}
