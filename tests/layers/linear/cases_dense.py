"""Cases of Dense."""

from __future__ import annotations

import numpy as np

from tests.layers.elementwise.cases_activations import softmax
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import DEEP, Form, low_rank_argument


def dense(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    return inputs[0] @ weights["kernel"] + weights.get("bias", 0.0)


CASES = [
    Case("Dense", {"units": 3}, [{"feature": 5}], {"unit": 3}, dense, ["Gemm"]),
    Case(
        "Dense",
        {"units": 3, "use_bias": False, "as": "target"},
        [{"feature": 5}],
        {"target": 3},
        dense,
        ["Gemm"],
        id="no-bias",
    ),
    Case(
        "Dense", {"units": 3}, [{"time": 7, "feature": 5}], {"time": 7, "unit": 3}, dense, ["MatMul", "Add"], id="steps"
    ),
    Case(
        "Dense",
        {"units": 3},
        [{"time": "T", "feature": 5}],
        {"time": "T", "unit": 3},
        dense,
        ["MatMul", "Add"],
        id="symbol",
    ),
    Case(
        "Dense",
        {"units": 3, "activation": "relu"},
        [{"feature": 5}],
        {"unit": 3},
        lambda w, x: np.maximum(dense(w, x), 0),
        ["Gemm", "Relu"],
        id="relu",
    ),
    Case(
        "Dense",
        {"units": 3, "lora_rank": 2},
        [{"feature": 5}],
        {"unit": 3},
        lambda w, x: x[0] @ (w["kernel"] + w["lora_kernel_a"] @ w["lora_kernel_b"]) + w["bias"],
        ["Gemm"],
        id="low-rank",
    ),
    Case("Dense", {"units": 3, "trainable": False}, [{"feature": 5}], {"unit": 3}, dense, ["Gemm"], id="frozen"),
]

SERIES = {"time": 11, "channel": 5}

IMAGE = {"height": 11, "width": 7, "channel": 3}

CONV1D = {"filters": 3, "kernel_size": 3}

CONV2D = {"filters": 2, "kernel_size": [3, 5]}

CASES += [
    Case(
        "Dense",
        {"units": 2},
        [SERIES],
        {"unit": 2},
        None,
        ["Transpose", "Reshape", "Conv", "Reshape", "Gemm"],
        id="after-conv1d-and-flatten",
        before=[{"Conv1D": CONV1D}, "Flatten"],
    ),
    Case(
        "Dense",
        {"units": 2},
        [IMAGE],
        {"unit": 2},
        None,
        ["Transpose", "Conv", "Relu", "Conv", "Reshape", "Gemm"],
        id="after-conv2d-and-flatten",
        before=[{"Conv2D": {**CONV2D, "activation": "relu"}}, {"Conv2D": {"filters": 5, "kernel_size": 3}}, "Flatten"],
    ),
]

CLIPS = {"clip": 2, "frame": "T", "height": 3, "width": 4, "channel": 5}

PLAIN = [{"Activation": {"activation": "linear"}}]  # behind a softmax, so that the head is no softmax

CASES += [
    Case(
        "Dense",
        {"units": 5, "activation": "softmax"},
        [CLIPS],
        {**{name: size for name, size in CLIPS.items() if name != "channel"}, "unit": 5},
        lambda weights, x: softmax(x[0] @ weights["kernel"] + weights["bias"]),
        ["MatMul", "Add", "Softmax"],
        id="activation-over-more-axes-than-tensorflow-takes",
        moves=False,  # shares always sum to 1
        after=PLAIN,
    ),
]
FORMS = {"Dense": Form(DEEP, low_rank_argument())}
