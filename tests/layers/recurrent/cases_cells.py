"""Cases of cells: one step, from states to states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.layers.recurrent.parts import LAST, OPS, STATES, TWO
from tests.support.layer_cases import Case
from tests.support.oracles.recurrent import STEPS, sigmoid, stack
from tests.support.strategies.form_parts import VECTORS, Form, a_cell, cell_form, stacked


def one_step(kind: str, **functions: Any) -> Callable[..., list[np.ndarray]]:
    step, _ = STEPS[kind]

    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> list[np.ndarray]:
        x, *states = inputs
        new = step(w, x, states, functions.get("act", np.tanh), functions.get("gate", sigmoid))
        return [new[0], *new]

    return compute


def stack_step(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    outputs, _ = stack(["LSTM", "GRU"], w, inputs[0][:, None], start=inputs[1:])
    return outputs[:, 0]


CASES = [
    Case(
        f"{kind}Cell",
        {"units": 3},
        [{"feature": 5}, *[{"unit": 3}] * STATES[kind]],
        LAST,
        one_step(kind),
        ["Reshape", "MatMul", "Add", "Gather", "Gemm", "Tanh"]
        if kind == "SimpleRNN"
        else ["Reshape"] * (1 + STATES[kind]) + [OPS[kind], "Reshape"],
    )
    for kind in OPS
] + [
    Case(
        "LSTMCell",
        {"units": 3, "activation": "silu", "as": "state"},
        [{"feature": 5}, {"unit": 3}, {"unit": 3}],
        {"state": 3},
        one_step("LSTM", act=lambda x: x * sigmoid(x)),
        None,
        id="silu",
    ),
    Case(
        "GRUCell",
        {"units": 3, "reset_after": False, "use_bias": False},
        [{"feature": 5}, {"unit": 3}],
        LAST,
        one_step("GRU"),
        ["Reshape", "Reshape", "GRU", "Reshape"],
        id="reset-before",
    ),
    Case(
        "StackedRNNCells",
        {"cells": TWO},
        [{"feature": 5}, {"unit": 4}, {"unit": 4}, {"unit": 3}],
        LAST,
        stack_step,
        ["Reshape", "Reshape", "Reshape", "LSTM", "Reshape", "Reshape", "GRU", "Reshape"],
    ),
]
FORMS = {
    **{f"{kind}Cell": cell_form(f"{kind}Cell") for kind in OPS},
    "StackedRNNCells": Form(
        VECTORS, {"cells": lambda axes: st.lists(a_cell(axes), min_size=1, max_size=2)}, others=stacked
    ),
}
