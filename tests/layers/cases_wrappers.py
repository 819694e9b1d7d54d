"""Cases of TimeDistributed and Bidirectional."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.layers.cases_recurrent import EVERY, LENGTHS, MASK, OPS, PACK, SYMBOLIC, X, softsign, written
from tests.layers.harness import Case
from tests.layers.recurrent_oracle import bidirectional, mask_of, masked_anywhere, recurrent, right_padded

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], Any]


# ----------------------------------------------------------------------------------------------- TimeDistributed


def each(one: Callable[[dict[str, np.ndarray], np.ndarray], np.ndarray]) -> Oracle:
    """The layer applied to one position after the other, as the definition says."""

    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        return np.stack([one(w, x[:, i]) for i in range(x.shape[1])], axis=1)

    return compute


def dense(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return x @ w["kernel"] + w["bias"]


def convolution(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Causal, kernel 3, no dilation."""
    padded = np.concatenate([np.zeros((x.shape[0], 2, x.shape[2])), x], axis=1)
    windows = np.stack([padded[:, i : i + x.shape[1]] for i in range(3)], axis=2)
    return np.einsum("btkc,kcf->btf", windows, w["kernel"]) + w["bias"]


def convolution_of_each(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return np.stack([convolution(w, x[:, i]) for i in range(x.shape[1])], axis=1)


def last_of(kind: str) -> Callable[[dict[str, np.ndarray], np.ndarray], np.ndarray]:
    return lambda w, x: recurrent(kind, w, x)[0][:, -1]


CONV = {"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "causal"}}
THREE = {"feature": 2, "time": 7, "channel": 5}
SHAPE = frozenset({"Shape"})  # two sizes are known only when the graph runs


def over(
    layer: Any, axes: dict[str, int | str], output: dict[str, int | str], oracle: Oracle, ops: Any, id: str, **more: Any
) -> Case:
    return Case("TimeDistributed", {"layer": layer}, [axes], output, oracle, ops, id=id, **more)


TIME_DISTRIBUTED = [
    over({"Dense": {"units": 3}}, X, EVERY, each(dense), ["MatMul", "Add"], "dense"),
    over(
        {"Dense": {"units": 3, "as": "target"}},
        SYMBOLIC,
        {"time": "T", "target": 3},
        each(dense),
        ["MatMul", "Add"],
        "dense-symbol",
    ),
    Case(
        "TimeDistributed",
        {"layer": {"Dense": {"units": 3}}, "over": "feature"},
        [{"feature": 7, "time": 2, "channel": 5}],
        {"feature": 7, "time": 2, "unit": 3},
        each(dense),
        ["MatMul", "Add"],
        id="dense-over",
    ),
    over(
        {"Dense": {"units": 3, "activation": "relu"}},
        X,
        EVERY,
        each(lambda w, x: np.maximum(dense(w, x), 0)),
        ["MatMul", "Add", "Relu"],
        "dense-relu",
    ),
    over(
        CONV,
        THREE,
        {"feature": 2, "time": 7, "filter": 4},
        each(convolution),
        ["Transpose", "Reshape", "Conv", "Transpose", "Reshape"],
        "conv",
    ),
    over(
        CONV,
        {**THREE, "time": "T"},
        {"feature": 2, "time": "T", "filter": 4},
        each(convolution),
        None,
        "conv-inner-symbol",
        needs=SHAPE,
    ),
    over(
        CONV,
        {**THREE, "feature": "F"},
        {"feature": "F", "time": 7, "filter": 4},
        each(convolution),
        None,
        "conv-outer-symbol",
        needs=SHAPE,
    ),
    over(
        CONV,
        {**THREE, "feature": "F", "time": "T"},
        {"feature": "F", "time": "T", "filter": 4},
        each(convolution),
        None,
        "conv-both-symbols",
        needs=SHAPE,
    ),
    over(
        {"LSTM": {"units": 3}},
        {"part": 2, "time": 7, "channel": 5},
        {"part": 2, "unit": 3},
        each(last_of("LSTM")),
        ["Transpose", "Reshape", "LSTM", "Reshape"],
        "lstm",
    ),
    over(
        {"Bidirectional": {"layer": {"GRU": {"units": 3}}}},
        {"part": 2, "time": 7, "channel": 5},
        {"part": 2, "unit": 6},
        each(lambda w, x: bidirectional("GRU", w, x)),
        ["Transpose", "Reshape", "GRU", "Transpose", "Reshape"],
        "bidirectional",
    ),
    over(
        {"TimeDistributed": {"layer": CONV}},
        {"row": 3, "feature": 2, "time": 7, "channel": 5},
        {"row": 3, "feature": 2, "time": 7, "filter": 4},
        each(convolution_of_each),
        ["Transpose", "Reshape", "Conv", "Transpose", "Reshape"],
        "nested",
    ),
    over(
        {"TimeDistributed": {"layer": CONV}},
        {"row": "R", "feature": "F", "time": 7, "channel": 5},
        {"row": "R", "feature": "F", "time": 7, "filter": 4},
        each(convolution_of_each),
        None,
        "nested-symbols",
        needs=SHAPE,
    ),
    over(
        {"Flatten": {"as": "all"}},
        THREE,
        {"feature": 2, "all": 35},
        each(lambda w, x: x.reshape(len(x), -1)),
        ["Reshape"],
        "flatten",
    ),
    over(
        {"permute": ["channel", "time"]},
        THREE,
        {"feature": 2, "channel": 5, "time": 7},
        each(lambda w, x: x.swapaxes(1, 2)),
        ["Transpose"],
        "permute",
    ),
    over(
        {"MaxPooling1D": {"pool_size": 2}},
        THREE,
        {"feature": 2, "time": 3, "channel": 5},
        each(lambda w, x: np.maximum(x[:, 0:6:2], x[:, 1:6:2])),
        None,
        "pooling",
    ),
    over(
        "GlobalMaxPooling1D", THREE, {"feature": 2, "channel": 5}, each(lambda w, x: x.max(1)), None, "global-pooling"
    ),
    over({"Dropout": {"rate": 0.4}}, X, X, each(lambda w, x: x), ["Identity"], "dropout"),
    Case(
        "TimeDistributed",
        {"layer": {"Dense": {"units": 3}}},
        [X],
        EVERY,
        each(dense),
        ["MatMul", "Add"],
        id="dense-masked",
        before=["Masking"],
        make=masked_anywhere(),
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

# ------------------------------------------------------------------------------------------------- Bidirectional


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
    for name, make, is_right in (("masked", masked_anywhere(), False), ("right-padded", right_padded, True)):
        front = [*MASK, *LENGTHS, *([] if is_right else PACK), "Transpose", op]
        place = [] if is_right else ["CumSum", "Mul", "Sub", "Unsqueeze"]
        shown = ["Transpose", "Reshape"] if is_right else ["Transpose", "GatherND", "Reshape"]
        masked: dict[str, Any] = {"before": ["Masking"], "make": make, "right_padded": is_right}
        cases += [
            Case(
                "Bidirectional",
                last,
                [X],
                {"unit": 6},
                both(kind, **act, mask=0.0),
                [*front, "Transpose", "Reshape"],
                id=f"{kind}-{name}",
                **masked,
            ),
            Case(
                "Bidirectional",
                every,
                [X],
                {"time": 7, "unit": 6},
                both(kind, **act, mask=0.0, sequences=True),
                [*front, *place, *shown],
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


TANH_STEPS = written(["Gather", "Tanh"], ["Gather", "Gemm", "Tanh"])
CASES = [
    *TIME_DISTRIBUTED,
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
        [*MASK, *LENGTHS, *PACK, "Transpose", "LSTM", "Transpose", "Reshape", "LSTM", "Transpose", "Reshape"],
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
]
