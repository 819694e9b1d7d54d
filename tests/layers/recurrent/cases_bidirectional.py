"""Cases of Bidirectional."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.layers.recurrent import cases_conv_lstm as conv_lstm_cases
from tests.layers.recurrent.parts import (
    COLUMN,
    EVERY,
    FUNCTIONS,
    LAST_OF_DATA,
    LOOP,
    MASK,
    MASKED,
    OPS,
    PACK_BACK,
    RETURN,
    SYMBOLIC,
    X,
    softsign,
    written,
)
from tests.support.layer_cases import Case
from tests.support.oracles.conv_lstm import conv_lstm
from tests.support.oracles.recurrent import bidirectional, mask_of, masked_anywhere, recurrent
from tests.support.strategies.form_parts import LOOPS, Use, Wrapping

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], Any]


SHOWN = ["Greater", "Unsqueeze", "Where"]  # zeros where there are no data


def both(kind: str, *, mask: float | None = None, **more: Any) -> Oracle:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> Any:
        x = inputs[0]
        return bidirectional(kind, w, x, mask=mask_of(x, mask) if mask is not None else None, **more)

    return compute


def bidirectional_cases(kind: str) -> list[Case]:
    op = OPS[kind]
    body: dict[str, Any] = {"units": 3}
    act: dict[str, Any] = {}
    if kind == "SimpleRNN":  # with tanh its steps are written out, as CASES below show
        body, act = {"units": 3, "activation": "softsign"}, {"act": softsign}
    last = {"layer": {kind: body}}
    every = {"layer": {kind: {**body, "return_sequences": True}}}
    cases = [
        Case(
            "Bidirectional",
            last,
            [X],
            {"unit": 6},
            both(kind, **act),
            ["Transpose", op, "Transpose", "Reshape"],
            id=kind,
        ),
        Case(
            "Bidirectional",
            {**every, "as": "code"},
            [X],
            {"time": 7, "code": 6},
            both(kind, **act, sequences=True),
            ["Transpose", op, "Transpose", "Reshape"],
            id=f"{kind}-every",
        ),
        Case(
            "Bidirectional",
            every,
            [SYMBOLIC],
            {"time": "T", "unit": 6},
            both(kind, **act, sequences=True),
            ["Transpose", op, "Transpose", "Reshape"],
            id=f"{kind}-symbol",
        ),
    ]
    for mode, reduction in (("sum", "ReduceSum"), ("ave", "ReduceMean"), ("mul", "ReduceProd"), (None, "Gather")):
        more = {"merge_mode": mode}
        cases += [
            Case(
                "Bidirectional",
                {**last, **more},
                [X],
                {"unit": 3},
                both(kind, **act, mode=mode),
                ["Transpose", op, reduction],
                id=f"{kind}-{mode}",
                moves=mode is not None,
            ),
            Case(
                "Bidirectional",
                {**every, **more},
                [X],
                EVERY,
                both(kind, **act, mode=mode, sequences=True),
                ["Transpose", op, reduction, "Transpose"],
                id=f"{kind}-{mode}-every",
                moves=mode is not None,
            ),
        ]
    last_ops, every_ops = {
        "LSTM": (
            [*MASK, *PACK_BACK, op, "Gather", "Gather", *LAST_OF_DATA, "Transpose", "GatherND", *SHOWN, "Concat"],
            [*MASK, *PACK_BACK, op, "Cast", "CumSum", "Max", "Sub", "Unsqueeze", "Transpose", "GatherND"],
        ),
        "GRU": ([*MASK, *COLUMN, op, "Transpose", "Reshape"], [*MASK, *COLUMN, op, "Reshape", "Where"]),
        "SimpleRNN": (None, None),
    }[kind]
    if every_ops is not None:
        every_ops += ["Unsqueeze", "Where", "Reshape"] if kind == "LSTM" else ["Transpose", "Reshape"]
    for name, make in (("masked", masked_anywhere()),):
        masked: dict[str, Any] = {"before": ["Masking"], "make": make}
        cases += [
            Case(
                "Bidirectional",
                last,
                [X],
                {"unit": 6},
                both(kind, **act, mask=0.0),
                last_ops,
                id=f"{kind}-{name}",
                **masked,
            ),
            Case(
                "Bidirectional",
                every,
                [X],
                {"time": 7, "unit": 6},
                both(kind, **act, mask=0.0, sequences=True),
                every_ops,
                id=f"{kind}-{name}-every",
                **masked,
            ),
            *(
                Case(
                    "Bidirectional",
                    {**every, "merge_mode": mode},
                    [X],
                    EVERY,
                    both(kind, **act, mask=0.0, sequences=True, mode=mode),
                    None,
                    id=f"{kind}-{name}-{mode}",
                    moves=mode is not None,
                    **masked,
                )
                for mode in ("mul", "ave", None)
            ),
        ]
    return cases


def two_kinds(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    forward = {k.removeprefix("forward_"): v for k, v in w.items() if k.startswith("forward_")}
    backward = {k.removeprefix("backward_"): v for k, v in w.items() if k.startswith("backward_")}
    first, _ = recurrent("LSTM", forward, inputs[0])
    second, _ = recurrent("GRU", backward, inputs[0], backwards=True)
    return np.concatenate([first, second[:, ::-1]], axis=-1)


def two_activations(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    forward = {k.removeprefix("forward_"): v for k, v in w.items() if k.startswith("forward_")}
    backward = {k.removeprefix("backward_"): v for k, v in w.items() if k.startswith("backward_")}
    first, _ = recurrent("GRU", forward, inputs[0])
    second, _ = recurrent("GRU", backward, inputs[0], backwards=True, act=lambda x: np.maximum(x, 0))
    return np.concatenate([first[:, -1], second[:, -1]], axis=-1)


def conv_both(mode: str | None, *, every: bool, masked: bool = False, **options: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> Any:
        x = inputs[0]
        mask = mask_of(x) if masked else None
        x = x[..., None] if masked else x  # which `insert` gives a channel
        made = []
        for name in ("forward", "backward"):
            own = {k.removeprefix(f"{name}_"): v for k, v in w.items() if k.startswith(name)}
            outputs, _ = conv_lstm(own, x, mask=mask, zero=every, backwards=name == "backward", **options)
            made.append((outputs if name == "forward" else outputs[:, ::-1]) if every else outputs[:, -1])
        match mode:
            case "concat":
                return np.concatenate(made, axis=-1)
            case "sum":
                return made[0] + made[1]
            case "mul":
                return made[0] * made[1]
            case "ave":
                return (made[0] + made[1]) / 2
        return made

    return compute


TANH_STEPS = written(["Gather", "Tanh"], ["Gather", "Gemm", "Tanh"])
CASES = [
    *(case for kind in OPS for case in bidirectional_cases(kind)),
    Case(
        "Bidirectional",
        {"layer": {"SimpleRNN": {"units": 3}}},
        [X],
        {"unit": 6},
        both("SimpleRNN"),
        ["Transpose", *TANH_STEPS, *TANH_STEPS, "Concat"],
        id="written-out",
    ),
    Case(
        "Bidirectional",
        {"layer": {"SimpleRNN": {"units": 3, "return_sequences": True}}, "merge_mode": "ave"},
        [X],
        EVERY,
        both("SimpleRNN", sequences=True, mode="ave"),
        ["Transpose", *TANH_STEPS, "Concat", *TANH_STEPS, "Concat", "Add", "Mul", "Reshape"],
        id="written-out-every",
    ),
    Case(
        "Bidirectional",
        {"layer": {"SimpleRNN": {"units": 3, "return_sequences": True}}},
        [X],
        {"time": 7, "unit": 6},
        both("SimpleRNN", mask=0.0, sequences=True),
        None,
        id="written-out-masked",
        before=["Masking"],
        make=masked_anywhere(),
    ),
    Case(
        "Bidirectional",
        {
            "layer": {"LSTM": {"units": 3, "return_sequences": True}},
            "backward_layer": {"GRU": {"units": 3, "return_sequences": True, "go_backwards": True}},
        },
        [X],
        {"time": 7, "unit": 6},
        two_kinds,
        ["Transpose", "LSTM", "GRU", "Concat", "Transpose", "Reshape"],
        id="two-kinds",
    ),
    Case(
        "Bidirectional",
        {
            "layer": {"GRU": {"units": 3}},
            "backward_layer": {"GRU": {"units": 3, "activation": "relu", "go_backwards": True}},
        },
        [X],
        {"unit": 6},
        two_activations,
        ["Transpose", "GRU", "Transpose", "Reshape"],
        id="two-activations",
    ),
    Case(
        "Bidirectional",
        {"layer": {"LSTM": {"units": 3}}},
        [X],
        {"unit": 6},
        None,
        [
            *[
                *MASK,
                *PACK_BACK,
                "LSTM",
                *LAST_OF_DATA,
                "Greater",
                "Unsqueeze",
                "Transpose",
                "Reshape",
                "Concat",
                "LSTM",
            ],
            *["Gather", "Gather", "Transpose", "GatherND", "Where", "Concat"],
        ],
        id="stack-masked",
        before=[
            "Masking",
            {"Bidirectional": {"layer": {"LSTM": {"units": 2, "return_sequences": True}}, "name": "below"}},
        ],
        make=masked_anywhere(),
    ),
    Case(
        "Bidirectional",
        {"layer": {"LSTM": {"units": 3}}},
        [X, {"unit": 3}, {"unit": 3}, {"unit": 3}, {"unit": 3}],
        {"unit": 6},
        None,
        None,
        id="initial-states",
    ),
    Case(
        "Bidirectional",
        {"layer": {"GRU": {"units": 3}}, "over": "frequency"},
        [{"frequency": 7, "feature": 5}],
        {"unit": 6},
        both("GRU"),
        ["Transpose", "GRU", "Transpose", "Reshape"],
        id="over",
    ),
    Case(  # written out, Keras itself zeroes the masked steps of the backward layer at the wrong end
        "Bidirectional",
        {"layer": {"GRU": {"units": 3, "unroll": True, "return_sequences": True}}},
        [X],
        {"time": 7, "unit": 6},
        both("GRU", sequences=True, mask=0.0),
        None,
        id="masked-unrolled",
        before=["Masking"],
        make=masked_anywhere(),
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
    *(
        Case(
            "Bidirectional",
            {
                "layer": {"ConvLSTM1D": conv_lstm_cases.body(padding="same", **(RETURN if every else {}))},
                "merge_mode": mode,
            },
            [conv_lstm_cases.LINE],
            {**({"time": 3} if every else {}), "position": 7, "filter": 6 if mode == "concat" else 3},
            conv_both(mode, every=every, padding="same"),
            None,
            id=f"conv-lstm-{mode}-{'every' if every else 'last'}",
            moves=mode is not None,
        )
        for mode, every in (("concat", True), ("sum", False), ("mul", True), ("ave", False), (None, True))
    ),
    Case(
        "Bidirectional",
        {"layer": {"ConvLSTM1D": conv_lstm_cases.body(padding="same", **RETURN)}},
        [{"time": 7, "position": 5}],
        {"time": 7, "position": 5, "filter": 6},
        conv_both("concat", every=True, masked=True, padding="same"),
        None,
        id="conv-lstm-masked",
        **conv_lstm_cases.MASKED,
    ),
    Case(
        "Bidirectional",
        {"layer": {"ConvLSTM2D": {"filters": 1, "kernel_size": 3, "padding": "same"}}, "merge_mode": "concat"},
        [{**conv_lstm_cases.IMAGE, "time": "T"}],
        {"height": 7, "width": 5, "filter": 2},
        conv_both("concat", every=False, padding="same"),
        None,
        id="conv-lstm-one-filter-symbol",
        needs=LOOP,
    ),
]


def both_ways(draw: DrawFn, inner: Use) -> Use:
    inner.body.pop("over", None)
    body = {
        "layer": {inner.kind: inner.body},
        "merge_mode": draw(st.sampled_from(["sum", "mul", "concat", "ave", None])),
    }
    return Use("Bidirectional", body, inner.inputs, inner.dtype)


FORMS = {"Bidirectional": Wrapping(("LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D"), both_ways, needs=LOOPS)}
