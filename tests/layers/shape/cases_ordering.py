"""Cases of values in order of size, and of the positions that they had."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import SEQUENCES, Axes, Form

STEPS = {"time": 7, "feature": 5}
OPEN = {"time": "T", "feature": 5}


def with_ties(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-3, 4, size=shape).astype(np.float32)


def ordered(axis: int, count: int | None = None, *, descending: bool = False) -> Any:
    """NumPy's stable order: of equal values the first comes first, from both ends."""

    def compute(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        sign = -1 if descending else 1
        places = np.argsort(sign * inputs[0], axis=axis, kind="stable")
        return np.take(np.take_along_axis(inputs[0], places, axis), range(count or inputs[0].shape[axis]), axis)

    return compute


def places(axis: int, *, descending: bool = False) -> Any:
    sign = -1 if descending else 1
    return lambda weights, inputs: np.argsort(sign * inputs[0], axis=axis, kind="stable").astype(np.float32)


def positions_of(name: str, axes: Axes) -> dict[str, Any]:
    return {"formula": {"from": f"{name}_1.positions", "expression": "x + 0"}}


CASES = [
    Case("sort", None, [STEPS], STEPS, ordered(2), ["TopK"], make=with_ties),
    Case("sort", {"axis": "time"}, [STEPS], STEPS, ordered(1), ["TopK"], make=with_ties, id="of-steps"),
    Case(
        "sort",
        {"axis": "time", "descending": True},
        [OPEN],
        OPEN,
        ordered(1, descending=True),
        ["Shape", "TopK"],
        make=with_ties,
        needs=frozenset({"Shape"}),  # as many as there are
        id="open",
    ),
    Case(
        "sort",
        {"descending": True},
        [STEPS],
        STEPS,
        places(2, descending=True),
        ["TopK", "Cast", "Cast", "Add"],
        after=[positions_of("sort", STEPS)],
        make=with_ties,
        id="positions",
    ),
    Case("top_k", 2, [STEPS], {"time": 7, "feature": 2}, ordered(2, 2, descending=True), ["TopK"], make=with_ties),
    Case(
        "top_k",
        {"k": 3, "axis": "time"},
        [OPEN],
        {"time": 3, "feature": 5},
        ordered(1, 3, descending=True),
        ["TopK"],
        make=with_ties,
        id="of-steps",
    ),
    Case(
        "top_k",
        {"k": 7, "axis": 1},
        [STEPS],
        STEPS,
        places(1, descending=True),
        ["TopK", "Cast", "Cast", "Add"],
        after=[positions_of("top_k", STEPS)],
        make=with_ties,
        id="positions",
    ),
    Case(
        "top_k",
        2,
        [{"class": 5}],
        {"class": 2},
        ordered(1, 2, descending=True),
        ["TopK"],
        dtype="int32",
        id="ints",
        make=lambda rng, shape: rng.integers(-9, 9, size=shape),
    ),
]

FORMS = {"sort": Form(SEQUENCES), "top_k": Form(SEQUENCES, given={"k": lambda axes: st.integers(1, 2)})}
