"""Cases of Discretization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, always, few, sized

Oracle = Callable[..., np.ndarray]

ROW = {"feature": 5}

GRID = {"time": 3, "feature": 7}

OPEN = {"time": "T", "feature": 2}

BOUNDS = [-0.75, 0.0, 0.5, 1.25]


def bins(bounds: Any, mode: str = "int") -> Oracle:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        edges = weights["boundaries"] if bounds is None else np.asarray(bounds, np.float32)
        x = inputs[0].astype(np.float32)
        places = np.asarray([sum(v >= e for e in edges) for v in x.reshape(-1)], np.int32).reshape(x.shape)
        if mode == "int":
            return places
        marks = np.stack([places == i for i in range(len(edges) + 1)], axis=-1).astype(np.float32)
        return {"one_hot": marks, "multi_hot": marks.max(axis=1), "count": marks.sum(axis=1)}[mode]

    return oracle


def on_edges(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([*BOUNDS, -2.0, 0.25, 3.0], size=shape)


def whole(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-3, 4, size=shape)


COMPARED = ["Unsqueeze", "GreaterOrEqual", "Cast", "ReduceSum"]

CASES = [
    Case("Discretization", {"bin_boundaries": BOUNDS}, [GRID], GRID, bins(BOUNDS), COMPARED, make=on_edges),
    Case("Discretization", {"bin_boundaries": [0.5]}, [OPEN], OPEN, bins([0.5]), COMPARED, id="two-bins"),
    Case(
        "Discretization",
        {"bin_boundaries": [-1, 0, 2]},
        [GRID],
        GRID,
        bins([-1, 0, 2]),
        ["Cast", *COMPARED],
        id="integers",
        dtype="int32",
        make=whole,
    ),
    Case(
        "Discretization",
        {"bin_boundaries": BOUNDS, "output_mode": "one_hot", "as": "range"},
        [GRID],
        {**GRID, "range": 5},
        bins(BOUNDS, "one_hot"),
        [*COMPARED, "OneHot"],
        id="one-hot",
    ),
    Case(
        "Discretization",
        {"bin_boundaries": BOUNDS, "output_mode": "multi_hot"},
        [ROW],
        {"category": 5},
        bins(BOUNDS, "multi_hot"),
        [*COMPARED, "OneHot", "ReduceSum", "Min"],
        id="multi-hot",
    ),
    Case("Discretization", {"num_bins": 4}, [GRID], GRID, bins(None), COMPARED, id="adapted"),
    Case(
        "Discretization",
        {"num_bins": 6, "output_mode": "count"},
        [ROW],
        {"category": 6},
        bins(None, "count"),
        [*COMPARED, "OneHot", "ReduceSum"],
        id="adapted-count",
    ),
]
FORMS = {
    "Discretization": Form(
        sized(feature=few),
        {"bin_boundaries": always(st.sampled_from([[0.0], [-0.5, 0.1, 0.7]]))},
        frozenset({"num_bins", "epsilon"}),  # bins that are learned from data
    ),
}
