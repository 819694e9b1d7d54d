"""Cases of axes of size 1 that are repeated."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import LENGTH, Form, few, sized

CASES = [
    Case(
        "expand",
        {"copy": 3},
        [{"time": 7, "copy": 1, "feature": 5}],
        {"time": 7, "copy": 3, "feature": 5},
        lambda w, x: np.repeat(x[0], 3, axis=2),
        ["Tile"],
    ),
    Case(
        "expand",
        {"copy": 2, "height": 3},
        [{"height": 1, "time": "T", "copy": 1}],
        {"height": 3, "time": "T", "copy": 2},
        lambda w, x: np.tile(x[0], (1, 3, 1, 2)),
        ["Tile"],
        id="two",
    ),
    Case(
        "expand",
        {"copy": 3},
        [{"time": "T", "feature": 5}],
        {"time": "T", "feature": 5, "copy": 3},
        lambda w, x: np.repeat(x[0], 3, axis=1),
        ["Reshape", "Tile", "Transpose", "Reshape"],
        id="each-step",
        before=[{"insert": {"copy": 1}}],
        after=[{"permute": ["time", "copy", "feature"]}, {"merge": {"steps": ["time", "copy"]}}],
    ),
    Case(
        "expand",
        {"copy": 1},
        [{"time": 7, "copy": 1}],
        {"time": 7, "copy": 1},
        lambda w, x: x[0],
        ["Identity"],
        id="once",
    ),
]

FORMS = {
    "expand": Form(
        sized(time=LENGTH, one=st.just(1), feature=few), start=lambda draw, axes: {"one": draw(st.integers(1, 3))}
    )
}
