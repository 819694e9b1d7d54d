"""Cases of Rescaling."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, Form, always

IMAGE = {"height": 3, "width": 7, "channel": 5}
OPEN = {"time": "T", "feature": 2}
CONV = {"Conv2D": {"filters": 4, "kernel_size": 2}}


def scaled(scale: Any, offset: Any = 0.0) -> Any:
    return lambda weights, inputs: inputs[0].astype(np.float64) * np.asarray(scale) + np.asarray(offset)


def pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 256, size=shape)


CASES = [
    Case("Rescaling", {"scale": 0.25, "offset": -1}, [IMAGE], IMAGE, scaled(0.25, -1), ["Mul", "Add"]),
    Case("Rescaling", {"scale": 2}, [OPEN], OPEN, scaled(2), ["Mul"], id="scale-alone"),
    Case("Rescaling", {"scale": 1, "offset": 0.5}, [OPEN], OPEN, scaled(1, 0.5), ["Add"], id="offset-alone"),
    Case("Rescaling", {"scale": [0.5, 3]}, [OPEN], OPEN, scaled([0.5, 3]), ["Mul"], id="by-feature"),
    Case(
        "Rescaling",
        {"scale": 0.00392156862745098, "offset": [-1, 0, 1, 2, 3]},
        [IMAGE],
        IMAGE,
        scaled(1 / 255, [-1, 0, 1, 2, 3]),
        ["Cast", "Mul", "Add"],
        id="pixels",
        dtype="uint8",
        make=pixels,
    ),
    Case(
        "Rescaling",
        {"scale": [[[2], [3], [4], [5], [6], [7], [8]]]},
        [IMAGE],
        IMAGE,
        scaled(np.arange(2.0, 9.0).reshape(1, 7, 1)),
        ["Mul"],
        id="by-inner-axis",
    ),
    Case(
        "Rescaling",
        {"scale": [1, 2, 3, 4]},
        [IMAGE],
        {"height": 2, "width": 6, "filter": 4},
        None,
        ["Transpose", "Conv", "Mul", "Transpose"],
        id="channels-inside",
        before=[CONV],
    ),
]
FORMS = {
    "Rescaling": Form(ANY, {"scale": always(st.sampled_from([0.5, 2])), "offset": always(st.sampled_from([0, -1.5]))}),
}
