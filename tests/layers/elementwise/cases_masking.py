"""Cases of Masking."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Case
from tests.support.oracles.recurrent import masked_anywhere
from tests.support.strategies.form_parts import SEQUENCES, Form

X = {"time": 7, "feature": 5}


def masked_by(value: float):  # type: ignore[no-untyped-def]
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        return np.where(np.any(x != value, axis=-1, keepdims=True), x, 0.0)

    return compute


CASES = [
    Case("Masking", None, [X], X, masked_by(0.0), ["Identity"], id="zeros-stay", make=masked_anywhere()),
    Case(
        "Masking",
        {"mask_value": 2.0},
        [X],
        X,
        masked_by(2.0),
        ["Sub", "ReduceL1", "Cast", "Where"],
        id="value",
        make=masked_anywhere(2.0),
    ),
    Case(
        "Masking",
        {"mask_value": 2},
        [{"time": "T", "feature": 5}],
        {"time": "T", "feature": 5},
        masked_by(2.0),
        ["Sub", "ReduceL1", "Cast", "Where"],
        id="symbol",
        make=masked_anywhere(2.0),
    ),
    Case(
        "Masking",
        {"mask_value": -1.5, "over": "frequency"},
        [{"frequency": 7, "feature": 1}],
        {"frequency": 7, "feature": 1},
        masked_by(-1.5),
        ["Sub", "Cast", "Where"],
        id="one-feature",
        make=masked_anywhere(-1.5),
    ),
]
FORMS = {"Masking": Form(SEQUENCES, over=1, may_be_masked=False)}
