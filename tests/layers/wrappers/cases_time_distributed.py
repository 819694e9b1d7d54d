"""Cases of TimeDistributed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.layers.elementwise.cases_activations import softmax
from tests.layers.recurrent import cases_conv_lstm as conv_lstm_cases
from tests.layers.recurrent.parts import EVERY, SYMBOLIC, X
from tests.support.layer_cases import Case
from tests.support.oracles.conv_lstm import conv_lstm
from tests.support.oracles.recurrent import bidirectional, masked_anywhere, recurrent
from tests.support.strategies.form_parts import LOOPS, Use, Wrapping

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], Any]


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


CASES = [
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
        "TimeDistributed",
        {"over": "frame", "layer": {"Convolution2DTranspose": {"filters": 2, "kernel_size": 2, "strides": 2}}},
        [{"frame": 7, "height": 3, "width": 2, "channel": 5}],
        {"frame": 7, "height": 6, "width": 4, "filter": 2},
        None,
        ["Transpose", "Reshape", "ConvTranspose", "Transpose", "Reshape"],
        id="transposed",
    ),
]

CLIPS = {"clip": 2, "frame": "T", "height": 3, "width": 4, "channel": 5}

PLAIN = [{"Activation": {"activation": "linear"}}]  # behind a softmax, so that the head is no softmax

CASES += [
    Case(
        "TimeDistributed",
        {"layer": {"Dense": {"units": 5, "activation": "softmax"}}},
        [CLIPS],
        {**{name: size for name, size in CLIPS.items() if name != "channel"}, "unit": 5},
        lambda weights, x: softmax(x[0] @ weights["kernel"] + weights["bias"]),
        ["MatMul", "Add", "Softmax"],
        id="activation-over-more-axes-than-tensorflow-takes",
        moves=False,  # shares always sum to 1
        after=PLAIN,
    ),
    Case(
        "TimeDistributed",
        {"layer": {"ConvLSTM1D": conv_lstm_cases.body()}},
        [{"part": 2, **conv_lstm_cases.LINE}],
        {"part": 2, "position": 5, "filter": 3},
        lambda w, inputs: np.stack([conv_lstm(w, inputs[0][:, i])[0][:, -1] for i in range(2)], axis=1),
        None,
        id="conv-lstm",
    ),
]


def at_every_row(draw: DrawFn, inner: Use) -> Use:
    rows = draw(st.sampled_from([2, 3, "R"]))
    return Use("TimeDistributed", {"layer": {inner.kind: inner.body}}, [{"row": rows, **inner.inputs[0]}], inner.dtype)


FORMS = {
    "TimeDistributed": Wrapping(
        (
            "Dense",
            "Conv1D",
            "Conv1DTranspose",
            "Conv2D",
            "LSTM",
            "RNN",
            "Bidirectional",
            "ConvLSTM1D",
            "LayerNormalization",
            "BatchNormalization",
            "MaxPooling1D",
            "GlobalAveragePooling1D",
            "Softmax",
            "MultiHeadAttention",
        ),
        at_every_row,
        needs=LOOPS,
    )
}
