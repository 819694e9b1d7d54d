"""Cases of RNN over cells, its own and stacked."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.layers.recurrent.parts import (
    BACK,
    COLUMN,
    EVERY,
    LAST,
    LOOP,
    MASK,
    MASKED,
    OPS,
    PACK,
    PLACE,
    RETURN,
    SYMBOLIC,
    TWO,
    X,
    oracle,
    unmasked,
)
from tests.support.layer_cases import Case
from tests.support.oracles.recurrent import mask_of, recurrent, stack
from tests.support.strategies.form_parts import SEQUENCES, Form, one_or_more_cells

THREE = [{"GRUCell": {"units": 4}}, {"SimpleRNNCell": {"units": 2}}, {"LSTMCell": {"units": 3}}]


def stacked(*kinds: str, every: bool = False, mask: float | None = None, **more: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, *start = inputs
        found = mask_of(x, mask) if mask is not None else None
        outputs, _ = stack(list(kinds), w, x, mask=found, start=list(start) or None, **more)
        return outputs if every else outputs[:, -1]

    return compute


def cell(kind: str, **more: Any) -> dict[str, Any]:
    return {f"{kind}Cell": {"units": 3, **more}}


TURNED = ["Transpose", "Reshape"]


def last_or_zero(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    outputs, _ = recurrent("GRU", w, inputs[0], mask=mask_of(inputs[0]), zero=True)
    return outputs[:, -1]


CASES = [
    *(Case("RNN", {"cell": cell(kind)}, [X], LAST, oracle(kind), unmasked(kind, ["Reshape"]), id=kind) for kind in OPS),
    Case(
        "RNN",
        {"cell": cell("SimpleRNN"), **RETURN, **BACK},
        [SYMBOLIC],
        {"time": "T", "unit": 3},
        oracle("SimpleRNN", every=True, backwards=True),
        ["Transpose", "RNN", "Slice", *TURNED],
        id="backwards",
    ),
    Case(
        "RNN",
        {"cell": cell("GRU"), **RETURN},
        [X],
        EVERY,
        oracle("GRU", every=True, mask=0.0),
        [*MASK, *COLUMN, "GRU", *TURNED],
        id="masked",
        **MASKED,
    ),
    *(  # written out backwards, Keras itself zeroes the steps at the wrong end
        Case(
            "RNN",
            {"cell": cell("LSTM"), **RETURN, **BACK, "zero_output_for_mask": True, "unroll": unroll},
            [X],
            EVERY,
            oracle("LSTM", every=True, mask=0.0, zero=True, backwards=True),
            None,
            id=f"masked-zero{'-unrolled' * unroll}",
            **MASKED,
        )
        for unroll in (False, True)
    ),
    Case(
        "RNN",
        {"cell": TWO},
        [X],
        LAST,
        stacked("LSTM", "GRU"),
        ["Transpose", "LSTM", "Reshape", "GRU", "Reshape"],
        id="two",
    ),
    Case(
        "RNN",
        {"cell": {"StackedRNNCells": {"cells": THREE}}, **RETURN, **BACK, "as": "code"},
        [SYMBOLIC],
        {"time": "T", "code": 3},
        stacked("GRU", "SimpleRNN", "LSTM", every=True, backwards=True),
        ["Transpose", "GRU", "Reshape", "RNN", "Reshape", "LSTM", "Slice", *TURNED],
        id="three-backwards",
    ),
    Case(
        "RNN",
        {"cell": TWO, **RETURN},
        [X],
        EVERY,
        stacked("LSTM", "GRU", every=True, mask=0.0),
        [
            *[*MASK, *PACK, "LSTM", *PLACE, "Unsqueeze", *TURNED, "GatherND", "Unsqueeze", "Where", "Transpose"],
            *[*COLUMN[1:], "GRU", *TURNED],
        ],
        id="two-masked",
        **MASKED,
    ),
    Case(
        "RNN",
        {"cell": TWO, "unroll": True},
        [X, {"unit": 4}, {"unit": 4}, {"unit": 3}],
        LAST,
        stacked("LSTM", "GRU"),
        None,
        id="two-from-states",
    ),
    Case(
        "RNN", {"cell": [TWO[0]]}, [X], {"unit": 4}, oracle("LSTM"), ["Transpose", "LSTM", "Reshape"], id="list-of-one"
    ),
    Case(
        "RNN",
        {"cell": cell("GRU"), "zero_output_for_mask": True},
        [X],
        LAST,
        last_or_zero,
        None,
        id="zero-last",
        **MASKED,
    ),
    Case(
        "RNN",
        {"cell": [{"StackedRNNCells": {"cells": TWO}}, {"SimpleRNNCell": {"units": 2}}]},
        [X],
        {"unit": 2},
        stacked("LSTM", "GRU", "SimpleRNN"),
        None,
        id="stack-in-stack",
    ),
    Case(
        "RNN",
        {"cell": [{"LSTMCell": {"units": 4}}, {"GRUCell": {"units": 3, "activation": "silu"}}], **RETURN},
        [SYMBOLIC],
        {"time": "T", "unit": 3},
        None,
        None,
        id="foreign-above",
        needs=LOOP,
        **MASKED,
    ),
]
FORMS = {"RNN": Form(SEQUENCES, {"cell": one_or_more_cells}, over=1)}
