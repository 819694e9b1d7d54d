"""Cases of activations, as layers and by name: every function of the catalogue against NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, DEEP, FLOATS, Form, maybe, some_axes

Function = Callable[[np.ndarray], np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, 0.0)


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def softmax(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    powers = np.exp(x)
    return powers / powers.sum(axis=axis, keepdims=True)


def shrunk(x: np.ndarray, by: float) -> np.ndarray:
    return np.where(np.abs(x) > 0.5, x - np.sign(x) * by, 0)


def sparsemax(x: np.ndarray) -> np.ndarray:
    """As Keras: τ from the sum of the cumulative sums in the support (the paper has the last of them alone)."""
    z = -np.sort(-x, axis=-1)
    sums = np.cumsum(z, axis=-1)
    inside = 1 + np.arange(1, x.shape[-1] + 1) * z > sums
    tau = (np.where(inside, sums, 0).sum(-1, keepdims=True) - 1) / inside.sum(-1, keepdims=True)
    return np.maximum(x - tau, 0)


ERF = np.vectorize(math.erf)
FUNCTIONS: dict[str, tuple[Function, list[str]]] = {
    "celu": (elu, ["Celu"]),
    "elu": (elu, ["Elu"]),
    "exponential": (np.exp, ["Exp"]),
    "gelu": (lambda x: x * (1 + ERF(x / math.sqrt(2))) / 2, ["Div", "Erf", "Add", "Mul", "Mul"]),
    "hard_shrink": (lambda x: shrunk(x, 0.0), ["Shrink"]),
    "hard_sigmoid": (lambda x: np.clip(x / 6 + 0.5, 0, 1), ["HardSigmoid"]),
    "hard_silu": (lambda x: x * np.clip(x / 6 + 0.5, 0, 1), ["HardSwish"]),
    "hard_swish": (lambda x: x * np.clip(x / 6 + 0.5, 0, 1), ["HardSwish"]),
    "hard_tanh": (lambda x: np.clip(x, -1, 1), ["Clip"]),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.2 * x), ["LeakyRelu"]),
    "linear": (lambda x: x, ["Identity"]),
    "log_sigmoid": (lambda x: np.log(sigmoid(x)), ["Neg", "Softplus", "Neg"]),
    "log_softmax": (lambda x: np.log(softmax(x)), ["LogSoftmax"]),
    "mish": (lambda x: x * np.tanh(softplus(x)), ["Softplus", "Tanh", "Mul"]),
    "relu": (lambda x: np.where(x > 0, x, 0), ["Relu"]),
    "relu6": (lambda x: np.clip(x, 0, 6), ["Clip"]),
    "selu": (lambda x: 1.05070098 * elu(x, 1.67326324), ["Selu"]),
    "sigmoid": (sigmoid, ["Sigmoid"]),
    "silu": (lambda x: x * sigmoid(x), ["Sigmoid", "Mul"]),
    "soft_shrink": (lambda x: shrunk(x, 0.5), ["Shrink"]),
    "softmax": (softmax, ["Softmax"]),
    "softplus": (softplus, ["Softplus"]),
    "softsign": (lambda x: x / (1 + np.abs(x)), ["Softsign"]),
    "sparse_plus": (
        lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
        ["HardSigmoid", "Mul", "Max"],
    ),
    "sparse_sigmoid": (lambda x: np.clip((x + 1) / 2, 0, 1), ["HardSigmoid"]),
    "sparsemax": (
        sparsemax,
        [
            "TopK",
            "CumSum",
            "Sub",
            "Div",
            "Greater",
            "Where",
            "ReduceSum",
            "Sub",
            "Cast",
            "ReduceSum",
            "Div",
            "Sub",
            "Relu",
        ],
    ),
    "squareplus": (lambda x: (x + np.sqrt(x * x + 4)) / 2, ["Mul", "Add", "Sqrt", "Add", "Mul"]),
    "swish": (lambda x: x * sigmoid(x), ["Sigmoid", "Mul"]),
    "tanh": (np.tanh, ["Tanh"]),
    "tanh_shrink": (lambda x: x - np.tanh(x), ["Tanh", "Sub"]),
}


def wide(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Values on both sides of every corner, ±6 among them."""
    return rng.normal(0.0, 4.0, size=shape)


def of(function: Function) -> Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]:
    return lambda weights, inputs: function(inputs[0].astype(np.float64))


def prelu(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    return np.where(inputs[0] > 0, inputs[0], weights["alpha"] * inputs[0])


STEPS = {"time": 7, "channel": 5}
OPEN = {"time": "T", "channel": 5}
IMAGE = {"height": 3, "width": 7, "channel": 5}
CLIPS = {"clip": 2, "frame": "T", "height": 3, "width": 4, "channel": 5}
PLAIN = [{"Activation": {"activation": "linear"}}]  # behind a softmax, so that the head is no softmax
PRELU = ["Min", "Mul", "Relu", "Add"]
CONV = {"Conv1D": {"filters": 5, "kernel_size": 3, "padding": "same"}}

CASES = [
    *[
        Case("Activation", {"activation": name}, [OPEN], OPEN, of(function), ops, id=name, make=wide, after=PLAIN)
        for name, (function, ops) in FUNCTIONS.items()
    ],
    Case(
        "Activation",
        {"activation": "softmax"},
        [STEPS],
        {"time": 7, "filter": 5},
        None,
        ["Transpose", "Reshape", "Conv", "Transpose", "Softmax", "Reshape"],
        id="softmax-after-conv",
        moves=False,  # shares always sum to 1, which is all that this loss asks to change
        after=PLAIN,
        before=[CONV],
    ),
    Case(
        "Activation",
        {"activation": "sparsemax"},
        [STEPS],
        {"time": 7, "filter": 5},
        None,
        ["Transpose", "Reshape", "Conv", "Transpose", *FUNCTIONS["sparsemax"][1], "Reshape"],
        id="sparsemax-after-conv",
        before=[CONV],
    ),
    Case("ReLU", None, [STEPS], STEPS, of(lambda x: np.where(x > 0, x, 0)), ["Relu"], make=wide),
    Case("ReLU", {"max_value": 2}, [STEPS], STEPS, of(lambda x: np.clip(x, 0, 2)), ["Clip"], id="max", make=wide),
    Case("ReLU", {"max_value": 6.0}, [STEPS], STEPS, of(lambda x: np.clip(x, 0, 6)), ["Clip"], id="six", make=wide),
    Case(
        "ReLU",
        {"negative_slope": 0.3},
        [STEPS],
        STEPS,
        of(lambda x: np.where(x > 0, x, 0.3 * x)),
        ["LeakyRelu"],
        id="slope",
        make=wide,
    ),
    Case(
        "ReLU",
        {"negative_slope": 0.3, "max_value": 2.5},
        [STEPS],
        STEPS,
        of(lambda x: np.minimum(np.where(x > 0, x, 0.3 * x), 2.5)),
        ["LeakyRelu", "Min"],
        id="slope-max",
        make=wide,
    ),
    Case(
        "ReLU",
        {"threshold": 1.5},
        [STEPS],
        STEPS,
        of(lambda x: np.where(x > 1.5, x, 0)),
        ["ThresholdedRelu"],
        id="threshold",
        make=wide,
    ),
    Case(
        "ReLU",
        {"threshold": 1.5, "max_value": 4},
        [STEPS],
        STEPS,
        of(lambda x: np.where(x > 1.5, np.minimum(x, 4), 0)),
        ["ThresholdedRelu", "Min"],
        id="threshold-max",
        make=wide,
    ),
    Case(
        "ReLU",
        {"threshold": 1.5, "max_value": 4, "negative_slope": 0.2},
        [OPEN],
        OPEN,
        of(lambda x: np.where(x > 1.5, np.minimum(x, 4), 0.2 * (x - 1.5))),
        ["ThresholdedRelu", "Min", "Sub", "Relu", "Mul", "Sub"],
        id="all",
        make=wide,
    ),
    Case("LeakyReLU", None, [OPEN], OPEN, of(lambda x: np.where(x > 0, x, 0.3 * x)), ["LeakyRelu"], make=wide),
    Case(
        "LeakyReLU",
        {"negative_slope": 0.05},
        [STEPS],
        STEPS,
        of(lambda x: np.where(x > 0, x, 0.05 * x)),
        ["LeakyRelu"],
        id="slope",
        make=wide,
    ),
    Case("ELU", None, [STEPS], STEPS, of(elu), ["Elu"], make=wide),
    Case("ELU", {"alpha": 0.4}, [OPEN], OPEN, of(lambda x: elu(x, 0.4)), ["Elu"], id="alpha", make=wide),
    Case("PReLU", None, [STEPS], STEPS, prelu, PRELU, make=wide),
    Case("PReLU", {"shared_axes": "time"}, [OPEN], OPEN, prelu, PRELU, id="shared-symbol", make=wide),
    Case("PReLU", {"shared_axes": [1, "width"]}, [IMAGE], IMAGE, prelu, PRELU, id="shared-two", make=wide),
    Case("PReLU", {"shared_axes": [1, 2]}, [STEPS], STEPS, prelu, ["LeakyRelu"], id="shared-all", make=wide),
    Case("PReLU", {"shared_axes": ["height", "channel"]}, [IMAGE], IMAGE, prelu, PRELU, id="shared-ends", make=wide),
    Case(
        "PReLU",
        {"shared_axes": [1]},
        [STEPS],
        {"time": 7, "filter": 5},
        None,
        ["Transpose", "Reshape", "Conv", *PRELU, "Transpose", "Reshape"],
        id="after-conv",
        before=[CONV],
    ),
    Case("Softmax", None, [OPEN], OPEN, of(softmax), ["Softmax"], make=wide, after=PLAIN),
    Case(
        "Softmax",
        {"axis": "time"},
        [OPEN],
        OPEN,
        of(lambda x: softmax(x, 1)),
        ["Transpose", "Softmax", "Transpose"],
        id="by-name",
        make=wide,
        after=PLAIN,
    ),
    Case(
        "Softmax",
        {"axis": 2},
        [IMAGE],
        IMAGE,
        of(lambda x: softmax(x, 2)),
        ["Transpose", "Softmax", "Transpose"],
        id="by-index",
        make=wide,
        after=PLAIN,
    ),
    Case(
        "Softmax",
        {"axis": "height"},
        [CLIPS],
        CLIPS,
        of(lambda x: softmax(x, 3)),
        ["Transpose", "Softmax", "Transpose"],
        id="more-axes-than-tensorflow-takes",
        make=wide,
        after=PLAIN,
    ),
    Case(
        "Softmax",
        {"axis": ["height", "width"]},
        [IMAGE],
        IMAGE,
        of(lambda x: softmax(x, (1, 2))),
        ["Transpose", "Reshape", "Softmax", "Transpose", "Reshape"],
        id="two-axes",
        make=wide,
        after=PLAIN,
    ),
    Case(
        "Softmax",
        {"axis": [-1, "width"]},
        [IMAGE],
        IMAGE,
        of(lambda x: softmax(x, (2, 3))),
        ["Reshape", "Softmax", "Reshape"],
        id="last-two-axes",
        make=wide,
        after=PLAIN,
    ),
    Case(
        "Softmax",
        None,
        [{"token": "T"}],
        {"token": "T", "embedding": 3},
        None,
        ["Gather", "Softmax"],
        id="masked",
        moves=False,
        before=[{"Embedding": {"input_dim": 9, "output_dim": 3, "mask_zero": True}}],
        make=lambda rng, shape: rng.integers(0, 9, size=shape),
        dtype="int32",
        after=PLAIN,
    ),
]
FORMS = {
    **{kind: Form(ANY) for kind in ("ReLU", "LeakyReLU", "ELU")},
    **{kind: Form(DEEP) for kind in ("Activation", "Softmax")},
    "PReLU": Form(FLOATS, {"shared_axes": lambda axes: maybe(some_axes(axes))}),
}
