"""Cases of positions moved along an axis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import SEQUENCES, Form

STEPS = {"time": 7, "feature": 5}
OPEN = {"time": "T", "feature": 5}

CASES = [
    Case("roll", {"time": 2}, [STEPS], STEPS, lambda w, x: np.roll(x[0], 2, 1), ["Slice", "Slice", "Concat"]),
    Case(
        "roll",
        {"time": -9, "feature": 1},
        [STEPS],
        STEPS,
        lambda w, x: np.roll(x[0], (-9, 1), (1, 2)),
        ["Slice", "Slice", "Concat", "Slice", "Slice", "Concat"],
        id="both",
    ),
    Case("roll", {"time": 3}, [OPEN], OPEN, lambda w, x: np.roll(x[0], 3, 1), ["Slice", "Slice", "Concat"], id="open"),
    Case(
        "roll", {"time": -1}, [OPEN], OPEN, lambda w, x: np.roll(x[0], -1, 1), ["Slice", "Slice", "Concat"], id="back"
    ),
    Case("roll", {"time": 7}, [STEPS], STEPS, lambda w, x: x[0], ["Identity"], id="once-round"),
]

FORMS = {"roll": Form(SEQUENCES, start=lambda draw, axes: {"time": draw(st.integers(-2, 2))})}
