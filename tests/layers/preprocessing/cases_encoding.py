"""Cases of CategoryEncoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.layers.preprocessing.cases_lookup import choose, hot
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, always, few, sized

Oracle = Callable[..., np.ndarray]

ROW = {"word": 5}

ONE = {"word": 1}

OPEN = {"word": "T"}

GRID = {"line": 3, "word": 5}

indices = choose(range(7))


def encoded(mode: str, depth: int) -> Oracle:
    return lambda weights, inputs: hot(inputs[0], mode, depth)


def halves(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 14, shape) / 2


def shared_out(depth: int) -> Oracle:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        found = np.zeros((len(inputs[0]), depth), np.float32)
        for row, index, share in zip(found, *inputs, strict=True):
            for i, much in zip(index, share, strict=True):
                if i < depth:
                    row[i] += much
        return found

    return oracle


CASES = [
    Case(
        "CategoryEncoding",
        {"num_tokens": 6},
        [ROW],
        {"category": 6},
        encoded("multi_hot", 6),
        ["Cast", "OneHot", "ReduceSum", "Min"],
        dtype="int32",
        make=indices,
    ),
    Case(
        "CategoryEncoding",
        {"num_tokens": 6, "output_mode": "count"},
        [OPEN],
        {"category": 6},
        encoded("count", 6),
        ["OneHot", "ReduceSum"],
        id="count",
        dtype="int64",
        make=indices,
    ),
    Case(
        "CategoryEncoding",
        {"num_tokens": 6, "output_mode": "one_hot", "as": "kind"},
        [GRID],
        {**GRID, "kind": 6},
        encoded("one_hot", 6),
        ["Cast", "OneHot"],
        id="one-hot",
        dtype="uint8",
        make=indices,
    ),
    Case(
        "CategoryEncoding",
        {"num_tokens": 7, "output_mode": "one_hot"},
        [ONE],
        {"category": 7},
        encoded("one_hot", 7),
        ["OneHot", "Reshape"],
        id="one-hot-of-one",
        dtype="int64",
        make=indices,
    ),
    Case(
        "CategoryEncoding",
        {"num_tokens": 5, "output_mode": "count", "from": ["x0"], "count_weights": "x1"},
        [OPEN, OPEN],
        {"category": 5},
        shared_out(5),
        ["Cast", "OneHot", "Unsqueeze", "MatMul", "Squeeze"],
        id="count-weights",
        dtypes=["int32", "float32"],
        make=halves,
    ),
    Case(
        "CategoryEncoding",
        {"num_tokens": 5, "output_mode": "count", "from": ["x0"], "count_weights": "x1", "as": "kind"},
        [ROW, ROW],
        {"kind": 5},
        shared_out(5),
        ["Cast", "OneHot", "Unsqueeze", "MatMul", "Squeeze"],
        id="whole-count-weights",
        dtypes=["int64", "int32"],
        make=indices,
    ),
]
FORMS = {
    "CategoryEncoding": Form(
        sized(word=few), {"num_tokens": always(st.integers(5, 7))}, frozenset({"count_weights"}), dtype="int32"
    )
}
