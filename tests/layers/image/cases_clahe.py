"""Cases of CLAHE. The oracle goes through tiles and pixels one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import always, image_form

KIND = "ContrastLimitedAdaptiveHistogramEqualization"
IMAGE = {"height": 10, "width": 13, "channel": 2}
FIRST = {"channel": 3, "height": 8, "width": 6}


def levels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    made = rng.uniform(-10, 280, size=shape)
    made[0, :4, :4] = 77  # a flat tile
    return made


def shares(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 256, size=shape) / 255


def mapped(tile: np.ndarray, limit: float) -> list[float]:
    counts = [0.0] * 256
    for value in tile.reshape(-1):
        counts[min(max(int(value), 0), 255)] += 1
    if limit > 0:
        most = limit * tile.size / 256
        excess = sum(max(0.0, c - most) for c in counts)
        counts = [min(c, most) + excess / 256 for c in counts]
    running = np.cumsum(counts)
    span = tile.size - running[0] or 1.0
    return [min(255.0, (r - running[0]) * 255 / span) for r in running]


def clahe(
    limit: float, grid: tuple[int, int], low: float = 0, high: float = 255, first: bool = False
) -> Callable[..., Any]:
    def one(plane: np.ndarray) -> np.ndarray:
        sizes = [math.ceil(n / g) for n, g in zip(plane.shape, grid, strict=True)]
        ends = [(0, s * g - n) for n, g, s in zip(plane.shape, grid, sizes, strict=True)]
        whole = np.pad(plane, ends, mode="symmetric")
        tables = [
            [
                mapped(whole[i * sizes[0] : (i + 1) * sizes[0], j * sizes[1] : (j + 1) * sizes[1]], limit)
                for j in range(grid[1])
            ]
            for i in range(grid[0])
        ]
        made = np.zeros(plane.shape)
        for y, x in np.ndindex(*plane.shape):
            level = min(max(int(plane[y, x]), 0), 255)
            places = [(p - s / 2) / s for p, s in zip((y, x), sizes, strict=True)]
            for dy, dx in np.ndindex(2, 2):
                corner = [math.floor(p) + d for p, d in zip(places, (dy, dx), strict=True)]
                weight = math.prod(1 - abs(p - c) for p, c in zip(places, corner, strict=True))
                row, column = (min(max(c, 0), g - 1) for c, g in zip(corner, grid, strict=True))
                made[y, x] += weight * tables[row][column][level]
        return made

    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float32)
        if (low, high) != (0, 255):
            x = (x - np.float32(low)) / np.float32(high - low) * np.float32(255)
        planes = np.moveaxis(x, 1 if first else 3, 1)
        made = np.stack([np.stack([one(plane) for plane in image]) for image in planes])
        return np.moveaxis(made / 255 * (high - low) + low, 1, 1 if first else 3)

    return oracle


MAPS = ["ReduceSum", "Mul", "Cast", "Add", "Add", "Add", "ScatterElements", "Reshape"]
CUT = ["Min", "Sub", "ReduceSum", "Mul", "Add"]
RISE = ["CumSum", "Gather", "Sub", "Equal", "Where", "Sub", "Mul", "Div", "Clip", "Reshape"]
PART = ["Add", "GatherElements", "Mul"]
MIX = [*PART, *PART, "Add", *PART, "Add", *PART, "Add", "Reshape"]
LEVELS = ["Clip", "Cast", "Reshape"]
CASES = [
    Case(
        KIND,
        {"tile_grid_size": [3, 2]},
        [IMAGE],
        IMAGE,
        clahe(4.0, (3, 2)),
        ["Transpose", "Gather", "Gather", *LEVELS, *MAPS, *CUT, *RISE, *MIX, "Slice", "Transpose"],
        make=levels,
    ),
    Case(
        KIND,
        {"tile_grid_size": 2, "clip_limit": 0, "data_format": "channels_first"},
        [FIRST],
        FIRST,
        clahe(0, (2, 2), first=True),
        [*LEVELS, *MAPS, *RISE, *MIX],
        id="no-limit-channels-first",
        make=levels,
    ),
    Case(
        KIND,
        {"tile_grid_size": [4, 4], "clip_limit": 1.5, "value_range": [0, 1]},
        [IMAGE],
        IMAGE,
        clahe(1.5, (4, 4), 0, 1),
        None,
        id="shares",
        make=shares,
    ),
    Case(
        KIND,
        None,
        [{"height": 16, "width": 24, "channel": 1}],
        {"height": 16, "width": 24, "channel": 1},
        clahe(4.0, (8, 8)),
        None,
        id="pixels",
        dtype="uint8",
        make=lambda rng, shape: rng.integers(0, 256, size=shape),
    ),
]
FORMS = {
    "ContrastLimitedAdaptiveHistogramEqualization": image_form(tile_grid_size=always(st.sampled_from([1, 2, [2, 3]])))
}
