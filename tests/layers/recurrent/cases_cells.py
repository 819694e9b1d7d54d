"""Cases of cells, of RNN over them, and of activations that no recurrent op of ONNX knows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.layers.recurrent.cases_layers import EVERY, LAST, LENGTHS, MASK, OPS, PACK, SYMBOLIC, X, unmasked
from tests.support.layer_cases import Case
from tests.support.oracles.recurrent import STEPS, bidirectional, mask_of, masked_anywhere, recurrent, sigmoid, stack

STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}
TWO = [{"LSTMCell": {"units": 4}}, {"GRUCell": {"units": 3}}]
THREE = [{"GRUCell": {"units": 4}}, {"SimpleRNNCell": {"units": 2}}, {"LSTMCell": {"units": 3}}]


# ----------------------------------------------------------------------------------------------- one step


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


CELLS = [
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

# ----------------------------------------------------------------------------------------------- RNN


def rnn(kind: str, *, every: bool = False, mask: float | None = None, **more: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, *start = inputs
        found = mask_of(x, mask) if mask is not None else None
        outputs, _ = recurrent(kind, w, x, mask=found, start=list(start) or None, **more)
        return outputs if every else outputs[:, -1]

    return compute


def stacked(*kinds: str, every: bool = False, mask: float | None = None, **more: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, *start = inputs
        found = mask_of(x, mask) if mask is not None else None
        outputs, _ = stack(list(kinds), w, x, mask=found, start=list(start) or None, **more)
        return outputs if every else outputs[:, -1]

    return compute


def cell(kind: str, **more: Any) -> dict[str, Any]:
    return {f"{kind}Cell": {"units": 3, **more}}


RETURN = {"return_sequences": True}
BACK = {"go_backwards": True}
MASKED: dict[str, Any] = {"before": ["Masking"], "make": masked_anywhere()}
TURNED = ["Transpose", "Reshape"]
SINGLE = [
    *(Case("RNN", {"cell": cell(kind)}, [X], LAST, rnn(kind), unmasked(kind, ["Reshape"]), id=kind) for kind in OPS),
    Case(
        "RNN",
        {"cell": cell("SimpleRNN"), **RETURN, **BACK},
        [SYMBOLIC],
        {"time": "T", "unit": 3},
        rnn("SimpleRNN", every=True, backwards=True),
        ["Transpose", "RNN", "Slice", *TURNED],
        id="backwards",
    ),
    Case(
        "RNN",
        {"cell": cell("GRU"), **RETURN},
        [X],
        EVERY,
        rnn("GRU", every=True, mask=0.0),
        [*MASK, *LENGTHS, *PACK, "Transpose", "GRU", "CumSum", "Sub", "Unsqueeze", *TURNED, "GatherND"],
        id="masked",
        **MASKED,
    ),
    *(  # written out backwards, Keras itself zeroes the steps at the wrong end
        Case(
            "RNN",
            {"cell": cell("LSTM"), **RETURN, **BACK, "zero_output_for_mask": True, "unroll": unroll},
            [X],
            EVERY,
            rnn("LSTM", every=True, mask=0.0, zero=True, backwards=True),
            None,
            id=f"masked-zero{'-unrolled' * unroll}",
            **MASKED,
        )
        for unroll in (False, True)
    ),
]


def last_or_zero(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    outputs, _ = recurrent("GRU", w, inputs[0], mask=mask_of(inputs[0]), zero=True)
    return outputs[:, -1]


STACKS = [
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
            *[*MASK, *LENGTHS, *PACK, "Transpose", "LSTM", "Reshape", "GRU"],
            *["CumSum", "Sub", "Unsqueeze", *TURNED, "GatherND"],
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
    Case("RNN", {"cell": [TWO[0]]}, [X], {"unit": 4}, rnn("LSTM"), ["Transpose", "LSTM", "Reshape"], id="list-of-one"),
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
]

# ----------------------------------------------------------------------------------------------- foreign activations

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
}
LOOP = frozenset({"Scan", "Shape"})  # an unknown number of steps, and no op that runs them


def foreign(kind: str) -> list[Case]:
    def act(name: str, **more: Any) -> dict[str, Any]:
        return {"units": 3, "activation": name, **more}

    return [
        Case(
            kind,
            act("gelu", **RETURN),
            [X],
            EVERY,
            rnn(kind, every=True, mask=0.0, act=FUNCTIONS["gelu"]),
            None,
            id="gelu-masked",
            **MASKED,
        ),
        Case(
            kind,
            act("silu", **RETURN, **BACK),
            [SYMBOLIC],
            {"time": "T", "unit": 3},
            rnn(kind, every=True, mask=0.0, backwards=True, act=FUNCTIONS["silu"]),
            None,
            id="silu-masked-symbol",
            needs=LOOP,
            **MASKED,
        ),
        Case(
            kind,
            act("silu"),
            [SYMBOLIC, *[{"unit": 3}] * STATES[kind]],
            LAST,
            rnn(kind, act=FUNCTIONS["silu"]),
            None,
            id="silu-from-states-symbol",
            needs=LOOP,
        ),
    ]


FOREIGN = [
    *(case for kind in OPS for case in foreign(kind)),
    Case(
        "LSTM",
        {"units": 3, "activation": "softmax", **RETURN},
        [SYMBOLIC],
        {"time": "T", "unit": 3},
        rnn("LSTM", every=True, act=FUNCTIONS["softmax"]),
        None,
        id="softmax-symbol",
        needs=LOOP,
    ),
    Case(
        "GRU",
        {"units": 3, "activation": "hard_tanh", **RETURN, **BACK},
        [X],
        EVERY,
        rnn("GRU", every=True, backwards=True, act=FUNCTIONS["hard_tanh"]),
        None,
        id="hard-tanh-backwards",
    ),
    Case(
        "SimpleRNN",
        {"units": 3, "activation": "silu"},
        [{"time": 3, "feature": 5}],
        LAST,
        rnn("SimpleRNN", act=FUNCTIONS["silu"]),
        [
            *["Transpose", "MatMul", "Add", "Gather", "Sigmoid", "Mul"],
            *["Gather", "Gemm", "Sigmoid", "Mul"] * 2,
        ],
        id="silu-nodes",
    ),
    Case(
        "GRU",
        {"units": 3, "activation": "silu", "reset_after": False, "recurrent_activation": "softmax"},
        [X],
        LAST,
        rnn("GRU", act=FUNCTIONS["silu"], gate=FUNCTIONS["softmax"]),
        None,
        id="foreign-reset-before",
    ),
    Case(
        "GRU",
        {"units": 1, "activation": "silu", "use_bias": False},
        [{"time": 1, "feature": 1}],
        {"unit": 1},
        rnn("GRU-no-bias", act=FUNCTIONS["silu"]),
        None,
        id="foreign-ones",
        moves=False,
    ),
    Case(
        "LSTM",
        {"units": 3, "activation": "silu", "return_sequences": True},
        [{"time": 300, "feature": 2}],
        {"time": 300, "unit": 3},
        rnn("LSTM", every=True, act=FUNCTIONS["silu"]),
        ["Transpose", "MatMul", "Add", "Shape", "Concat", "Expand", "Scan", "Transpose"],
        id="foreign-long",
        needs=LOOP,
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
    Case(
        "Bidirectional",
        {"layer": {"GRU": {"units": 3, "activation": "silu", **RETURN}}},
        [X],
        {"time": 7, "unit": 6},
        lambda w, inputs: bidirectional(
            "GRU", w, inputs[0], sequences=True, mask=mask_of(inputs[0]), act=FUNCTIONS["silu"]
        ),
        None,
        id="foreign",
        **MASKED,
    ),
]

CASES = [*CELLS, *SINGLE, *STACKS, *FOREIGN]
