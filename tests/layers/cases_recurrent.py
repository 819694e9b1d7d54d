"""Cases of LSTM, GRU and SimpleRNN."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.layers.harness import Case
from tests.layers.recurrent_oracle import mask_of, masked_anywhere, recurrent, right_padded, sigmoid

X = {"time": 7, "feature": 5}
SYMBOLIC: dict[str, int | str] = {"time": "T", "feature": 5}
LAST = {"unit": 3}
EVERY = {"time": 7, "unit": 3}

MASK = ["ReduceL1", "Cast"]
LENGTHS = ["Cast", "ReduceSum"]
PACK = ["Cast", "TopK", "Unsqueeze", "GatherND"]
OPS = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}


def oracle(kind: str, *, every: bool = False, mask: float | None = None, **more: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, *start = inputs
        found = mask_of(x, mask) if mask is not None else None
        outputs, _ = recurrent(kind, w, x, mask=found, start=list(start) or None, **more)
        return outputs if every else outputs[:, -1]

    return compute


def plain(kind: str) -> list[Case]:
    op = OPS[kind]
    unit = {"units": 3}
    every = {"units": 3, "return_sequences": True}
    back = {"units": 3, "go_backwards": True}
    return [
        Case(kind, unit, [X], LAST, oracle(kind), ["Transpose", op, "Reshape"]),
        Case(
            kind,
            {**unit, "as": "state"},
            [SYMBOLIC],
            {"state": 3},
            oracle(kind),
            ["Transpose", op, "Reshape"],
            id="symbol",
        ),
        Case(kind, every, [X], EVERY, oracle(kind, every=True), ["Transpose", op, "Transpose", "Reshape"], id="every"),
        Case(
            kind,
            every,
            [SYMBOLIC],
            {"time": "T", "unit": 3},
            oracle(kind, every=True),
            ["Transpose", op, "Transpose", "Reshape"],
            id="every-symbol",
        ),
        Case(kind, back, [X], LAST, oracle(kind, backwards=True), ["Transpose", op, "Reshape"], id="backwards"),
        Case(
            kind,
            {**back, **every},
            [X],
            EVERY,
            oracle(kind, every=True, backwards=True),
            ["Transpose", op, "Slice", "Transpose", "Reshape"],
            id="backwards-every",
        ),
        Case(
            kind, unit, [{"time": 7, "feature": 1}], LAST, oracle(kind), ["Transpose", op, "Reshape"], id="one-feature"
        ),
        Case(kind, {"units": 1}, [X], {"unit": 1}, oracle(kind), ["Transpose", op, "Reshape"], id="one-unit"),
        Case(
            kind,
            unit,
            [{"time": 1, "feature": 5}],
            LAST,
            oracle(kind),
            ["Reshape", op, "Reshape"],
            id="one-step",
            moves=False,
        ),
        Case(
            kind,
            {"units": 3, "over": "frequency"},
            [{"frequency": 7, "feature": 5}],
            LAST,
            oracle(kind),
            ["Transpose", op, "Reshape"],
            id="over",
        ),
        Case(
            kind,
            {"units": 3, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 4},
            [X],
            LAST,
            oracle(kind),
            ["Transpose", op, "Reshape"],
            id="dropout",
        ),
        Case(kind, {"units": 3, "unroll": True}, [X], LAST, oracle(kind), ["Transpose", op, "Reshape"], id="unroll"),
    ]


def masked(kind: str) -> list[Case]:
    op = OPS[kind]
    unit = {"units": 3}
    every = {"units": 3, "return_sequences": True}
    back = {"go_backwards": True}
    anywhere = masked_anywhere()
    front = [*MASK, *LENGTHS, *PACK, "Transpose", op]
    right = [*MASK, *LENGTHS, "Transpose", op]
    cases = []
    for name, ops, make, is_right, needs in (
        ("masked", front, anywhere, False, frozenset({"Shape"})),  # TopK wants to know how many steps there are
        ("right-padded", right, right_padded, True, frozenset()),
    ):
        index = [] if not is_right else ["Cast"]
        more: dict[str, Any] = {"before": ["Masking"], "make": make, "right_padded": is_right}
        cases += [
            Case(kind, unit, [X], LAST, oracle(kind, mask=0.0), [*ops, "Reshape"], id=name, **more),
            Case(
                kind,
                {**unit, **back},
                [X],
                LAST,
                oracle(kind, mask=0.0, backwards=True),
                [*ops, "Reshape"],
                id=f"{name}-backwards",
                **more,
            ),
            Case(
                kind,
                every,
                [X],
                EVERY,
                oracle(kind, mask=0.0, every=True),
                [*ops, *index, "CumSum", "Sub", "Unsqueeze", "Transpose", "Reshape", "GatherND"],
                id=f"{name}-every",
                **more,
            ),
            Case(
                kind,
                {**every, **back},
                [X],
                EVERY,
                oracle(kind, mask=0.0, every=True, backwards=True),
                [*ops, *index, "CumSum", "Slice", "Unsqueeze", "Transpose", "Reshape", "GatherND"],
                id=f"{name}-backwards-every",
                **more,
            ),
            Case(
                kind,
                every,
                [SYMBOLIC],
                {"time": "T", "unit": 3},
                oracle(kind, mask=0.0, every=True),
                None,
                id=f"{name}-every-symbol",
                **more,
                needs=needs,
            ),
        ]
    ones = masked_anywhere(1.0)
    return [
        *cases,
        Case(
            kind,
            unit,
            [X],
            LAST,
            oracle(kind, mask=1.0),
            ["Sub", *MASK, "Reshape", *LENGTHS, *PACK, "Transpose", op, "Reshape"],
            id="masked-by-one",
            before=[{"Masking": {"mask_value": 1.0}}],
            make=ones,
        ),
        Case(
            kind,
            unit,
            [X],
            LAST,
            None,
            [*front, "Reshape", op, "Reshape"],  # packed once: nothing else reads what is between
            id="masked-stack",
            before=["Masking", {kind: {"units": 4, "return_sequences": True, "name": "below"}}],
            make=anywhere,
        ),
    ]


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.clip(x / 6 + 0.5, 0, 1)


def with_activations(kind: str) -> list[Case]:
    op = OPS[kind]
    functions = {
        "relu": relu,
        "linear": lambda x: x,
        "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
        "softsign": lambda x: x / (1 + np.abs(x)),
        "softplus": lambda x: np.log1p(np.exp(x)),
        "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
        "hard_sigmoid": hard_sigmoid,
        "sigmoid": sigmoid,
    }
    result = []
    for name, function in functions.items():
        body: dict[str, Any] = {"units": 3, "activation": name}
        more = {"act": function}
        if kind != "SimpleRNN":
            body["recurrent_activation"] = "hard_sigmoid" if name != "hard_sigmoid" else "tanh"
            more["gate"] = hard_sigmoid if name != "hard_sigmoid" else np.tanh
        result.append(
            Case(kind, body, [X], LAST, oracle(kind, **more), ["Transpose", op, "Reshape"], id=f"activation-{name}")
        )
    return result


CASES = [
    *(case for kind in OPS for case in (*plain(kind), *masked(kind), *with_activations(kind))),
    Case(
        "LSTM",
        {"units": 3, "use_bias": False},
        [X],
        LAST,
        oracle("LSTM"),
        ["Transpose", "LSTM", "Reshape"],
        id="no-bias",
    ),
    Case(
        "SimpleRNN",
        {"units": 3, "use_bias": False},
        [X],
        LAST,
        oracle("SimpleRNN"),
        ["Transpose", "RNN", "Reshape"],
        id="no-bias",
    ),
    Case(
        "GRU",
        {"units": 3, "use_bias": False},
        [X],
        LAST,
        oracle("GRU-no-bias"),
        ["Transpose", "GRU", "Reshape"],
        id="no-bias",
    ),
    Case(
        "GRU",
        {"units": 3, "reset_after": False},
        [X],
        LAST,
        oracle("GRU"),
        ["Transpose", "GRU", "Reshape"],
        id="reset-before",
    ),
    Case(
        "GRU",
        {"units": 3, "reset_after": False, "return_sequences": True},
        [X],
        EVERY,
        oracle("GRU", mask=0.0, every=True),
        None,
        id="reset-before-masked",
        before=["Masking"],
        make=masked_anywhere(),
    ),
    Case(
        "LSTM",
        {"units": 3},
        [X, {"unit": 3}, {"unit": 3}],
        LAST,
        oracle("LSTM"),
        ["Transpose", "Reshape", "Reshape", "LSTM", "Reshape"],
        id="initial-state",
    ),
    Case(
        "GRU",
        {"units": 3},
        [X, {"unit": 3}],
        LAST,
        oracle("GRU"),
        ["Transpose", "Reshape", "GRU", "Reshape"],
        id="initial-state",
    ),
    Case(
        "LSTM",
        {"units": 3},
        [X],
        LAST,
        None,
        ["Transpose", "LSTM", "Reshape", "LSTM", "Reshape"],
        id="stack",
        before=[{"LSTM": {"units": 4, "return_sequences": True, "name": "below"}}],
    ),
    Case(
        "LSTM",
        {"units": 3},
        [{"time": 7, "height": 2, "channel": 5}],
        LAST,
        None,
        ["Transpose", "Reshape", "LSTM", "Reshape"],
        id="merged-features",
        before=[{"permute": ["time", "channel", "height"]}, {"merge": {"feature": ["channel", "height"]}}],
    ),
]
