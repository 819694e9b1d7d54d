"""Cases of LSTM, GRU and SimpleRNN, with masks, and with activations that no recurrent operator of ONNX knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.layers.recurrent.parts import (
    BACK,
    COLUMN,
    EVERY,
    FUNCTIONS,
    LAST,
    LOOP,
    MASK,
    MASKED,
    OPS,
    PACK,
    PACK_BACK,
    PLACE,
    RETURN,
    STATES,
    SYMBOLIC,
    X,
    hard_sigmoid,
    oracle,
    relu,
    softsign,
    unmasked,
    written,
)
from tests.support.layer_cases import Case
from tests.support.oracles.recurrent import left_padded, mask_of, masked_anywhere, recurrent, right_padded, sigmoid
from tests.support.strategies.form_parts import recurrent_form

MASKED_STEP = ["Gather", "Gather", "Tanh", "Where"]
MASKED_STEPS = ["Gather", "Gather", "Gemm", "Tanh", "Where"]
EVERY_WRITTEN = ["Concat", "Reshape"]


def written_masked(front: Sequence[str], tail: Sequence[str] = ()) -> list[str]:
    """Steps written out where each either counts or leaves the state as it was."""
    product, *steps = written(MASKED_STEP, MASKED_STEPS, tail)
    return [*front, "Transpose", product, steps[0], "Transpose", "Reshape", *steps[1:]]


def plain(kind: str) -> list[Case]:
    op = OPS[kind]
    unit = {"units": 3}
    every = {"units": 3, "return_sequences": True}
    back = {"units": 3, "go_backwards": True}
    last = unmasked(kind, ["Reshape"])
    return [
        Case(kind, unit, [X], LAST, oracle(kind), last),
        Case(
            kind,
            {**unit, "as": "state"},
            [SYMBOLIC],
            {"state": 3},
            oracle(kind),
            ["Transpose", op, "Reshape"],
            id="symbol",
        ),
        Case(
            kind,
            every,
            [X],
            EVERY,
            oracle(kind, every=True),
            unmasked(kind, ["Transpose", "Reshape"], EVERY_WRITTEN),
            id="every",
        ),
        Case(
            kind,
            every,
            [SYMBOLIC],
            {"time": "T", "unit": 3},
            oracle(kind, every=True),
            ["Transpose", op, "Transpose", "Reshape"],
            id="every-symbol",
        ),
        Case(kind, back, [X], LAST, oracle(kind, backwards=True), last, id="backwards"),
        Case(
            kind,
            {**back, **every},
            [X],
            EVERY,
            oracle(kind, every=True, backwards=True),
            unmasked(kind, ["Slice", "Transpose", "Reshape"], [*EVERY_WRITTEN, "Slice"]),
            id="backwards-every",
        ),
        Case(kind, unit, [{"time": 7, "feature": 1}], LAST, oracle(kind), last, id="one-feature"),
        Case(kind, {"units": 1}, [X], {"unit": 1}, oracle(kind), last, id="one-unit"),
        Case(
            kind,
            unit,
            [{"time": 1, "feature": 5}],
            LAST,
            oracle(kind),
            ["Reshape", "MatMul", "Add", "Gather", "Tanh"] if kind == "SimpleRNN" else ["Reshape", op, "Reshape"],
            id="one-step",
            moves=False,
        ),
        Case(
            kind,
            {"units": 3, "over": "frequency"},
            [{"frequency": 7, "feature": 5}],
            LAST,
            oracle(kind),
            last,
            id="over",
        ),
        Case(
            kind,
            {"units": 3, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 4},
            [X],
            LAST,
            oracle(kind),
            last,
            id="dropout",
        ),
        Case(kind, {"units": 3, "unroll": True}, [X], LAST, oracle(kind), last, id="unroll"),
    ]


def masked(kind: str) -> list[Case]:
    op = OPS[kind]
    unit = {"units": 3}
    every = {"units": 3, "return_sequences": True}
    back = {"go_backwards": True}
    anywhere = masked_anywhere()
    front = {
        "LSTM": ([*MASK, *PACK, op], [*MASK, *PACK_BACK, op]),
        "GRU": ([*MASK, *COLUMN, op],) * 2,
        "SimpleRNN": ([], []),
    }[kind]
    unpacked = ["Unsqueeze", "Transpose", "Reshape", "GatherND"]
    every_tail, back_tail = ["Transpose", "Reshape"], ["Slice", "Transpose", "Reshape"]
    if kind == "LSTM":
        every_tail, back_tail = [*PLACE, *unpacked], [*PLACE, "Slice", *unpacked]
    needs = frozenset({"Shape"})  # TopK wants to know how many steps there are
    cases = []
    for name, make in (("masked", anywhere),):

        def nodes(tail: list[str], written_tail: Sequence[str] = (), *, is_back: bool = False) -> list[str]:
            return written_masked(MASK, written_tail) if kind == "SimpleRNN" else [*front[is_back], *tail]

        more: dict[str, Any] = {"before": ["Masking"], "make": make}
        cases += [
            Case(kind, unit, [X], LAST, oracle(kind, mask=0.0), nodes(["Reshape"]), id=name, **more),
            Case(
                kind,
                {**unit, **back},
                [X],
                LAST,
                oracle(kind, mask=0.0, backwards=True),
                nodes(["Reshape"], is_back=True),
                id=f"{name}-backwards",
                **more,
            ),
            Case(
                kind,
                every,
                [X],
                EVERY,
                oracle(kind, mask=0.0, every=True),
                nodes(every_tail, EVERY_WRITTEN),
                id=f"{name}-every",
                **more,
            ),
            Case(
                kind,
                {**every, **back},
                [X],
                EVERY,
                oracle(kind, mask=0.0, every=True, backwards=True),
                nodes(back_tail, [*EVERY_WRITTEN, "Slice"], is_back=True),
                id=f"{name}-backwards-every",
                **more,
            ),
            *(
                Case(
                    kind,
                    {**body, "zero_output_for_mask": True},
                    [X],
                    LAST if body is unit else EVERY,
                    oracle(kind, mask=0.0, every=body is not unit, zero=True, backwards="go_backwards" in body),
                    None,
                    id=f"{name}-{id}",
                    **more,
                )
                for id, body in (("zero-last", unit), ("zero-every", every), ("zero-every-back", {**every, **back}))
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
    by_one = ["Sub", *MASK, "Where", "Reshape" if kind == "LSTM" else "Transpose"]
    by_one += [*PACK, op, "Reshape"] if kind == "LSTM" else ["Reshape", *COLUMN[1:], op, "Reshape"]
    if kind == "LSTM":
        by_one = ["Sub", *MASK, "Where", "Reshape", *PACK, op, "Reshape"]
    stack = [*front[0], "Reshape", "Concat", op, "Reshape"]  # packed once: nothing else reads what is between
    if kind == "SimpleRNN":
        below = written_masked(MASK, EVERY_WRITTEN)
        stack = [*below, "Transpose", *written(MASKED_STEP, MASKED_STEPS)]
        by_one = ["Sub", *MASK, "Where", "Transpose", "MatMul", "Add", "Reshape", *written_masked([])[3:]]
    for where, make in (("right", right_padded), ("left", left_padded)):
        body = {**every, **(back if where == "left" else {})}
        found = oracle(kind, mask=0.0, every=True, backwards=where == "left")
        cases.append(Case(kind, body, [X], EVERY, found, None, id=f"{where}-padded", before=["Masking"], make=make))
    return [
        *cases,
        Case(
            kind,
            unit,
            [X],
            LAST,
            oracle(kind, mask=1.0),
            by_one,
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
            stack,
            id="masked-stack",
            before=["Masking", {kind: {"units": 4, "return_sequences": True, "name": "below"}}],
            make=anywhere,
        ),
    ]


def with_activations(kind: str) -> list[Case]:
    functions = {
        "relu": relu,
        "linear": lambda x: x,
        "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
        "softsign": softsign,
        "softplus": lambda x: np.log1p(np.exp(x)),
        "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
        "hard_sigmoid": hard_sigmoid,
        "sigmoid": sigmoid,
    }
    slow = {"elu": "Elu", "leaky_relu": "LeakyRelu", "sigmoid": "Sigmoid"}  # in ONNX' RNN, but not as nodes
    result = []
    for name, function in functions.items():
        body: dict[str, Any] = {"units": 3, "activation": name}
        more = {"act": function}
        if kind != "SimpleRNN":
            body["recurrent_activation"] = "hard_sigmoid" if name != "hard_sigmoid" else "tanh"
            more["gate"] = hard_sigmoid if name != "hard_sigmoid" else np.tanh
        nodes: list[str] | None = ["Transpose", OPS[kind], "Reshape"]
        if name == "softplus":
            nodes = None  # written out: as an activation of the ops it overflows in ONNX Runtime
        if kind == "SimpleRNN" and name in slow:
            nodes = unmasked(kind, [], activation=slow[name])
        result.append(Case(kind, body, [X], LAST, oracle(kind, **more), nodes, id=f"activation-{name}"))
    return result


def foreign(kind: str) -> list[Case]:
    def act(name: str, **more: Any) -> dict[str, Any]:
        return {"units": 3, "activation": name, **more}

    return [
        Case(
            kind,
            act("gelu", **RETURN),
            [X],
            EVERY,
            oracle(kind, every=True, mask=0.0, act=FUNCTIONS["gelu"]),
            None,
            id="gelu-masked",
            **MASKED,
        ),
        Case(
            kind,
            act("silu", **RETURN, **BACK),
            [SYMBOLIC],
            {"time": "T", "unit": 3},
            oracle(kind, every=True, mask=0.0, backwards=True, act=FUNCTIONS["silu"]),
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
            oracle(kind, act=FUNCTIONS["silu"]),
            None,
            id="silu-from-states-symbol",
            needs=LOOP,
        ),
    ]


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
        [op for op in unmasked("SimpleRNN", []) if op != "Add"],
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
    *(case for kind in OPS for case in foreign(kind)),
    Case(
        "LSTM",
        {"units": 3, "activation": "softmax", **RETURN},
        [SYMBOLIC],
        {"time": "T", "unit": 3},
        oracle("LSTM", every=True, act=FUNCTIONS["softmax"]),
        None,
        id="softmax-symbol",
        needs=LOOP,
    ),
    Case(
        "GRU",
        {"units": 3, "activation": "hard_tanh", **RETURN, **BACK},
        [X],
        EVERY,
        oracle("GRU", every=True, backwards=True, act=FUNCTIONS["hard_tanh"]),
        None,
        id="hard-tanh-backwards",
    ),
    Case(
        "SimpleRNN",
        {"units": 3, "activation": "silu"},
        [{"time": 3, "feature": 5}],
        LAST,
        oracle("SimpleRNN", act=FUNCTIONS["silu"]),
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
        oracle("GRU", act=FUNCTIONS["silu"], gate=FUNCTIONS["softmax"]),
        None,
        id="foreign-reset-before",
    ),
    Case(
        "GRU",
        {"units": 1, "activation": "silu", "use_bias": False},
        [{"time": 1, "feature": 1}],
        {"unit": 1},
        oracle("GRU-no-bias", act=FUNCTIONS["silu"]),
        None,
        id="foreign-ones",
        moves=False,
    ),
    Case(
        "LSTM",
        {"units": 3, "activation": "silu", "return_sequences": True},
        [{"time": 300, "feature": 2}],
        {"time": 300, "unit": 3},
        oracle("LSTM", every=True, act=FUNCTIONS["silu"]),
        ["Transpose", "MatMul", "Add", "Shape", "Concat", "Expand", "Scan", "Transpose"],
        id="foreign-long",
        needs=LOOP,
    ),
    Case(
        "LSTM",
        {"units": 3},
        [X],
        {"unit": 3},
        lambda w, inputs: recurrent("LSTM", w, inputs[0][..., :4] + inputs[0][..., 1:], mask=mask_of(inputs[0]))[0][
            :, -1
        ],
        None,
        id="mask-through-time-distributed",
        before=[
            "Masking",
            {"TimeDistributed": {"layer": {"insert": {"channel": 1}}}},
            {"TimeDistributed": {"layer": {"AveragePooling1D": {"pool_size": 2, "strides": 1, "over": "feature"}}}},
            {"TimeDistributed": {"layer": {"Rescaling": {"scale": 2.0}}}},
            {"TimeDistributed": {"layer": {"Flatten": {"as": "feature"}}}},
        ],
        make=masked_anywhere(),
    ),
]
FORMS = {kind: recurrent_form(kind) for kind in OPS}
