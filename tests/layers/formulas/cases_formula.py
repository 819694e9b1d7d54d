"""Cases of formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.support.layer_cases import Case

X = {"time": 7, "feature": 5}
F = {"feature": 5}
Weights = dict[str, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def rms(w: Weights, inputs: list[np.ndarray]) -> Any:
    (x,) = inputs
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6) * w["gamma"].reshape(5)


def gaussians(w: Weights, inputs: list[np.ndarray]) -> Any:
    (x,) = inputs
    distances = ((x[:, None, :] - w["centers"].reshape(1, 3, 5)) ** 2).sum(-1)
    return np.exp(-0.5 * distances)


def of_x(function: Any) -> Any:
    return lambda w, inputs: function(*inputs)


ERF = np.vectorize(math.erf)
FUNCTIONS = "exp(x / 3) + log(x * x + 1) - sqrt(abs(x)) + tanh(x) * sin(x) + cos(x) + erf(x) + softplus(x) + sign(x)"
MORE = (
    "round(x * 3) + floor(x) - ceil(x / 2) + relu(x) + rsqrt(x * x + 1) + log1p(x * x) - -x ** 2 + clip(x, -1, 0.5)"
    " + expm1(x) + square(x) + reciprocal(x * x + 1) + silu(x) + gelu(x) + softsign(x)"
)
TRIGONOMETRY = (
    "tan(x / 9) + sinh(x) + cosh(x) + atan(x) + asinh(x) + asin(tanh(x) / 2) + acos(tanh(x) / 2) + acosh(x * x + 2)"
)

CASES = [
    Case(
        "formula",
        {"expression": "x * sigmoid(1.5 * x)"},
        [X],
        X,
        of_x(lambda x: x * sigmoid(1.5 * x)),
        ["Mul", "Sigmoid", "Mul"],
        id="swish",
    ),
    Case(
        "formula",
        {"expression": "3 * x", "dtype": "int32"},
        [X],
        X,
        of_x(lambda x: np.trunc(3 * x).astype(np.int32)),
        ["Mul", "Cast"],
        task="none",
        id="whole-numbers",
    ),
    Case(
        "formula",
        {"expression": "max(x, 0)", "dtype": "bool"},
        [X],
        X,
        of_x(lambda x: x > 0),
        ["Max", "Cast"],
        task="none",
        id="flags",
    ),
    Case("formula", "1 - x", [X], X, of_x(lambda x: 1 - x), ["Sub"], id="text-alone"),
    Case(
        "formula",
        "argmax(x, time) - argmin(x, time)",
        [X],
        F,
        of_x(lambda x: x.argmax(1) - x.argmin(1).astype(np.float32)),
        ["ArgMax", "Cast", "ArgMin", "Cast", "Sub", "Squeeze"],
        id="argmax",
    ),
    Case("formula", "cumsum(x, time)", [X], X, of_x(lambda x: np.cumsum(x, axis=1)), ["CumSum"], id="cumsum"),
    Case(
        "formula",
        {"expression": "x1 / 4 - x2"},
        [X, F],
        X,
        lambda w, inputs: inputs[0] / 4 - (inputs[1] != 0)[:, None],
        ["Cast", "Cast", "Reshape", "Div", "Sub"],
        make=lambda rng, shape: rng.integers(-5, 9, shape),
        dtypes=["int32", "bool"],
        id="integers-and-flags",
    ),
    Case(
        "formula",
        {
            "expression": "x / sqrt(mean(x * x, feature) + 1.0e-6) * gamma",
            "weights": {"gamma": {"axes": {"feature": None}, "initializer": "ones"}},
        },
        [X],
        X,
        rms,
        ["Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul"],
        id="rms-norm",
    ),
    Case(
        "formula",
        {"expression": "x + table", "weights": {"table": {"axes": {"feature": 5, "time": 7}}}},
        [X],
        X,
        lambda w, inputs: inputs[0] + w["table"].reshape(5, 7).T,
        ["Add"],
        id="weights-in-another-order",
    ),
    Case(
        "formula",
        {"expression": "x * scale + shift", "weights": {"scale": {"axes": {}}, "shift": {"axes": {}, "values": 2}}},
        [X],
        X,
        lambda w, inputs: inputs[0] * w["scale"].item() + w["shift"].item(),
        ["Mul", "Add"],
        id="weights-without-axes",
    ),
    Case(
        "formula",
        {"expression": "token * 2", "weights": {"token": {"axes": {"time": 1, "feature": 5}}}},
        [X],
        {"time": 1, "feature": 5},
        lambda w, inputs: np.broadcast_to(2 * w["token"].reshape(1, 1, 5), (len(inputs[0]), 1, 5)),
        ["Mul", "Shape", "Concat", "Expand"],
        id="the-same-for-all",
        needs=frozenset({"Shape"}),
    ),
    Case(
        "formula",
        {"expression": "mean(x, time) + token", "weights": {"token": {"axes": {"time": 1, "feature": 5}}}},
        [X],
        {"time": 1, "feature": 5},
        lambda w, inputs: inputs[0].mean(1, keepdims=True) + w["token"].reshape(1, 1, 5),
        ["ReduceMean", "Add"],
        id="one-position-of-a-longer-axis",
    ),
    Case(
        "formula",
        {
            "expression": "exp(-0.5 * sum((x - centers) ** 2, feature))",
            "weights": {"centers": {"axes": {"center": 3, "feature": None}, "initializer": "glorot_uniform"}},
        },
        [F],
        {"center": 3},
        gaussians,
        None,
        id="radial-basis",
    ),
    Case(
        "formula",
        {"expression": "x1 * sigmoid(x2) + maximum(x1, 0.2)"},
        [{"time": "T", "feature": 5}, F],
        {"time": "T", "feature": 5},
        of_x(lambda x, y: x * sigmoid(y)[:, None] + np.maximum(x, 0.2)),
        ["Reshape", "Sigmoid", "Mul", "Max", "Add"],
        id="two-values",
    ),
    Case(
        "formula",
        {"expression": "gate * all", "values": ["gate", "all"]},
        [F, {"time": "T", "feature": 5}],
        {"feature": 5, "time": "T"},
        of_x(lambda gate, x: gate[:, :, None] * x.transpose(0, 2, 1)),
        None,
        id="the-second-has-more-axes",
    ),
    Case(
        "formula",
        {"expression": "x1 - x2"},
        [{"time": 7, "feature": 5}, {"feature": 5, "time": 7}],
        X,
        of_x(lambda x, y: x - y.transpose(0, 2, 1)),
        ["Transpose", "Sub"],
        id="axes-in-another-order",
    ),
    Case(
        "formula",
        {"expression": "max(x, time) - min(x, time) + sum(x, time) ** 2"},
        [X],
        F,
        of_x(lambda x: x.max(1) - x.min(1) + x.sum(1) ** 2),
        ["ReduceMax", "ReduceMin", "Sub", "ReduceSum", "Pow", "Add", "Squeeze"],
        id="reductions",
    ),
    Case(
        "formula",
        {
            "expression": "where(x > 0.5, x, min(2 * x, 0.25, x)) + (x <= -1) * 3 - where(relu(x), 1, 2)"
            " + (x != x) + (x == x)"
        },
        [X],
        X,
        of_x(
            lambda x: (
                np.where(x > 0.5, x, np.minimum(np.minimum(2 * x, 0.25), x)) + 3 * (x <= -1) - np.where(x > 0, 1, 2) + 1
            )
        ),
        None,
        id="conditions",
    ),
    Case(
        "formula",
        {"expression": FUNCTIONS},
        [F],
        F,
        of_x(
            lambda x: (
                np.exp(x / 3)
                + np.log(x * x + 1)
                - np.sqrt(np.abs(x))
                + np.tanh(x) * np.sin(x)
                + np.cos(x)
                + ERF(x)
                + np.log1p(np.exp(x))
                + np.sign(x)
            )
        ),
        None,
        id="functions",
    ),
    Case(
        "formula",
        {"expression": MORE},
        [F],
        F,
        of_x(
            lambda x: (
                np.round(x * 3)
                + np.floor(x)
                - np.ceil(x / 2)
                + np.maximum(x, 0)
                + 1 / np.sqrt(x**2 + 1)
                + np.log1p(x**2)
                + x**2
                + x.clip(-1, 0.5)
                + np.expm1(x)
                + x**2
                + 1 / (x**2 + 1)
                + x * sigmoid(x)
                + 0.5 * x * (1 + ERF(x / np.sqrt(2)))
                + x / (1 + np.abs(x))
            )
        ),
        None,
        id="more-functions",
    ),
    Case(
        "formula",
        {"expression": TRIGONOMETRY},
        [F],
        F,
        of_x(
            lambda x: (
                np.tan(x / 9)
                + np.sinh(x)
                + np.cosh(x)
                + np.arctan(x)
                + np.arcsinh(x)
                + np.arcsin(np.tanh(x) / 2)
                + np.arccos(np.tanh(x) / 2)
                + np.arccosh(x * x + 2)
            )
        ),
        None,
        id="trigonometry",
    ),
]
NOT_DRAWN = {"formula": "an expression is no argument that can be drawn; its cases try every function"}
