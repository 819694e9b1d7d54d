"""Cases of AutoContrast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import image_form

Oracle = Callable[..., np.ndarray]

IMAGE = {"height": 5, "width": 7, "channel": 3}


def pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(20, 200, size=shape)


def with_flat_channel(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    made = rng.uniform(20, 200, size=shape)
    made[0, ..., 1] = 30
    return made


def stretched(low: float, high: float) -> Oracle:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        least, most = x.min(axis=(1, 2), keepdims=True), x.max(axis=(1, 2), keepdims=True)
        wide = np.where(most == least, 1, most - least)
        return np.where(most == least, x, (x - least) / wide * (high - low) + low)

    return oracle


CASES = [
    Case(
        "AutoContrast",
        None,
        [IMAGE],
        IMAGE,
        stretched(0, 255),
        ["ReduceMin", "ReduceMax", "Sub", "Sub", "Div", "Mul", "Equal", "Where"],
        make=with_flat_channel,
    ),
    Case(
        "AutoContrast",
        {"value_range": [1, -1]},
        [{"height": "H", "width": "W", "channel": 2}],
        {"height": "H", "width": "W", "channel": 2},
        stretched(-1, 1),
        ["ReduceMin", "ReduceMax", "Sub", "Sub", "Div", "Mul", "Add", "Equal", "Where"],
        id="any-size",
    ),
    Case(
        "AutoContrast",
        {"value_range": [0, 1]},
        [IMAGE],
        IMAGE,
        stretched(0, 1),
        ["Cast", "ReduceMin", "ReduceMax", "Sub", "Sub", "Div", "Equal", "Where"],
        id="pixels",
        dtype="uint8",
        make=pixels,
    ),
]
FORMS = {"AutoContrast": image_form()}
