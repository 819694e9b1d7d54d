"""Cases of ConvLSTM1D, ConvLSTM2D and ConvLSTM3D."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.oracles.conv_lstm import conv_lstm
from tests.support.oracles.recurrent import mask_of
from tests.support.strategies.form_parts import (
    LOOPS,
    RECURRENT,
    RNN_DEFAULTS,
    SPATIAL,
    Form,
    always,
    convolution_form,
    sized,
)

LINE: dict[str, int | str] = {"time": 3, "position": 7, "channel": 2}
IMAGE: dict[str, int | str] = {"time": 3, "height": 7, "width": 5, "channel": 2}
VOLUME: dict[str, int | str] = {"time": 2, "depth": 3, "height": 5, "width": 4, "channel": 2}
LOOP = frozenset({"Scan", "Shape"})  # ONNX has no convolutional LSTM, and an unknown number of steps
RETURN, BACK = {"return_sequences": True}, {"go_backwards": True}
GATES = ["Split", "Sigmoid", "Sigmoid", "Tanh", "Mul", "Mul", "Add", "Sigmoid", "Tanh", "Mul"]
FIRST = ["Gather", "Split", "Sigmoid", "Tanh", "Mul", "Sigmoid", "Tanh", "Mul"]
STEP = ["Gather", "Conv", "Add", *GATES]


def oracle(*, every: bool = False, masked: bool = False, **options: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, *start = inputs
        mask = mask_of(x) if masked else None
        x = x[..., None] if masked else x  # which `insert` gives a channel
        outputs, _ = conv_lstm(w, x, start=list(start) or None, mask=mask, **options)
        return outputs if every else outputs[:, -1]

    return compute


def body(**more: Any) -> dict[str, Any]:
    return {"filters": 3, "kernel_size": 3, **more}


def masked_images(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Steps of padding: before, between and behind; the last sequence has nothing else."""
    x = rng.normal(size=shape)
    x[rng.random(shape[:2]) < 0.4] = 0.0
    if shape[0] > 1:
        x[-1] = 0.0
    return x


MASKED: dict[str, Any] = {
    "before": ["Masking", {"TimeDistributed": {"layer": {"insert": {"channel": 1}}}}],
    "make": masked_images,
}

CASES = [
    Case(
        "ConvLSTM1D",
        body(),
        [LINE],
        {"position": 5, "filter": 3},
        oracle(),
        ["Transpose", "Reshape", "Conv", "Reshape", *FIRST, *STEP, *STEP, "Transpose", "Reshape"],
    ),
    Case(
        "ConvLSTM1D",
        {"filters": 3, "kernel_size": 2, "strides": 2, "padding": "same", "as": "code", **RETURN, **BACK},
        [LINE],
        {"time": 3, "position": 4, "code": 3},
        oracle(every=True, backwards=True, strides=(2,), padding="same"),
        None,
        id="backwards",
    ),
    Case(
        "ConvLSTM1D",
        body(padding="same", **RETURN),
        [{**LINE, "time": "T"}],
        {"time": "T", "position": 7, "filter": 3},
        oracle(every=True, padding="same"),
        None,
        id="symbol",
        needs=LOOP,
    ),
    Case(
        "ConvLSTM1D",
        body(padding="same", **RETURN),
        [{"time": 7, "position": 5}],
        {"time": 7, "position": 5, "filter": 3},
        oracle(every=True, padding="same", masked=True),
        None,
        id="masked",
        **MASKED,
    ),
    Case(
        "ConvLSTM1D",
        body(padding="same", **BACK),
        [{"time": "T", "position": 5}],
        {"position": 5, "filter": 3},
        oracle(padding="same", masked=True, backwards=True),
        None,
        id="masked-backwards-symbol",
        needs=LOOP,
        **MASKED,
    ),
    Case(
        "ConvLSTM1D",
        {"filters": 1, "kernel_size": 1},
        [{"time": 2, "position": 1, "channel": 1}],
        {"position": 1, "filter": 1},
        oracle(),
        None,
        id="ones",
    ),
    Case(
        "ConvLSTM1D",
        body(data_format="channels_first", activation="softmax", recurrent_activation="hard_sigmoid", **RETURN),
        [{"time": 3, "channel": 2, "position": 7}],
        {"time": 3, "filter": 3, "position": 5},
        oracle(every=True, channels_first=True, act="softmax", gate="hard_sigmoid"),
        None,
        id="channels-first",
    ),
    Case(
        "ConvLSTM1D",
        body(),
        [LINE, {"position": 5, "filter": 3}, {"position": 5, "filter": 3}],
        {"position": 5, "filter": 3},
        oracle(),
        None,
        id="from-states",
    ),
    Case(
        "ConvLSTM2D",
        body(padding="same"),
        [IMAGE],
        {"height": 7, "width": 5, "filter": 3},
        oracle(padding="same"),
        ["Transpose", "Reshape", "Conv", "Reshape", *FIRST, *STEP, *STEP, "Transpose"],
    ),
    Case(
        "ConvLSTM2D",
        {"filters": 3, "kernel_size": [2, 3], "dilation_rate": [2, 1], "use_bias": False, **RETURN},
        [IMAGE],
        {"time": 3, "height": 5, "width": 3, "filter": 3},
        oracle(every=True, dilation=(2, 1)),
        None,
        id="dilated",
    ),
    Case(
        "ConvLSTM2D",
        {"filters": 3, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same", "data_format": "channels_first"},
        [{"time": 3, "channel": 2, "height": 7, "width": 5}],
        {"filter": 3, "height": 4, "width": 5},
        oracle(channels_first=True, strides=(2, 1), padding="same"),
        None,
        id="channels-first",
    ),
    Case(
        "ConvLSTM2D",
        body(over="time", dropout=0.2, recurrent_dropout=0.1, seed=3, **RETURN),
        [{**IMAGE, "time": "T"}],
        {"time": "T", "height": 5, "width": 3, "filter": 3},
        oracle(every=True),
        None,
        id="symbol",
        needs=LOOP,
    ),
    Case(
        "ConvLSTM3D",
        {"filters": 3, "kernel_size": 2, "padding": "same"},
        [VOLUME],
        {"depth": 3, "height": 5, "width": 4, "filter": 3},
        oracle(padding="same"),
        ["Transpose", "Reshape", "Conv", "Reshape", *FIRST, *STEP, "Transpose"],
    ),
]
FORMS = {
    f"ConvLSTM{rank}D": Form(
        sized(
            frame=st.integers(2, 3), **{name: st.integers(3, 5) for name in SPATIAL[rank]}, channel=st.integers(1, 3)
        ),
        {**convolution_form(rank).given, **RECURRENT, "filters": always(st.integers(1, 3))},
        RNN_DEFAULTS,
        over=1,
        needs=LOOPS,
    )
    for rank in (1, 2, 3)
}
