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


def with_some_steps(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Steps that are zeros here and there; the second never is: Keras' mean of no step is not a number."""
    flags = rng.integers(0, 2, (*shape[:2], 1))
    flags[:, 1] = 1
    return rng.normal(size=shape) * flags


def mean_of_all(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    return inputs[0].mean(axis=1)


def mean_of_data(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    x = inputs[0]
    known = np.any(x != 0, axis=-1, keepdims=True)
    return np.sum(x * known, axis=1) / np.sum(known, axis=1)


CASES = [
    Case("Masking", None, [X], X, masked_by(0.0), ["Identity"], id="zeros-stay", make=masked_anywhere()),
    Case(
        "Masking",
        {"mask_value": 2.0},
        [X],
        X,
        masked_by(2.0),
        ["Sub", "Abs", "ReduceSum", "Cast", "Where"],
        id="value",
        make=masked_anywhere(2.0),
    ),
    Case(
        "Masking",
        {"mask_value": 2},
        [{"time": "T", "feature": 5}],
        {"time": "T", "feature": 5},
        masked_by(2.0),
        ["Sub", "Abs", "ReduceSum", "Cast", "Where"],
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
    Case(
        "unmask",
        None,
        [X],
        X,
        mean_of_all,
        ["ReduceMean"],
        id="padding-counts",
        before=["Masking"],
        after=["GlobalAveragePooling1D"],
        make=with_some_steps,
    ),
    Case(
        "mask_like",
        {"from": ["bare", "masked"]},
        [X],
        X,
        mean_of_data,
        None,
        id="mask-comes-back",
        before=[{"Masking": {"name": "masked"}}, {"unmask": {"name": "bare"}}],
        after=["GlobalAveragePooling1D"],
        make=with_some_steps,
    ),
]
FORMS = {"Masking": Form(SEQUENCES, over=1, may_be_masked=False), "unmask": Form(SEQUENCES)}
NOT_DRAWN = {"mask_like": "it has no arguments, and its second input must be masked"}
