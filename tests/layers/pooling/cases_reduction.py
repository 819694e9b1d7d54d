"""Cases of axes reduced to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import DEEP, Form, always, some_axes

STEPS = {"time": 7, "feature": 5}
IMAGE = {"height": 5, "width": 7, "channel": 3}
Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]


def by(function: Callable[..., Any], *axis: int, keepdims: bool = False) -> Oracle:
    return lambda weights, inputs: function(inputs[0], axis=axis, keepdims=keepdims)


def logsumexp(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def length(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def absolute_sum(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    return np.sum(np.abs(x), axis=axis, keepdims=keepdims)


LOG_SUM_EXP = ["ReduceMax", "Clip", "Sub", "Exp", "ReduceSum", "Log", "Add", "Squeeze"]
FUNCTIONS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "mean": (np.mean, ["ReduceMean"]),
    "sum": (np.sum, ["ReduceSum"]),
    "max": (np.max, ["ReduceMax"]),
    "min": (np.min, ["ReduceMin"]),
    "prod": (np.prod, ["ReduceProd"]),
    "var": (np.var, ["ReduceMean", "Sub", "Mul", "ReduceMean"]),
    "std": (np.std, ["ReduceMean", "Sub", "Mul", "ReduceMean", "Sqrt"]),
    "logsumexp": (logsumexp, LOG_SUM_EXP),
    "l1": (absolute_sum, ["Abs", "ReduceSum"]),
    "l2": (length, ["Mul", "ReduceSum", "Sqrt"]),
}

CASES = [
    *(
        Case("reduce", {"axis": "time", "by": name}, [STEPS], {"feature": 5}, by(function, 1), ops, id=name)
        for name, (function, ops) in FUNCTIONS.items()
    ),
    *(
        Case(
            "reduce",
            {"axis": "one", "by": name},
            [{"one": 1, "feature": 5}],
            {"feature": 5},
            by(function, 1),
            None,
            id=f"{name}-of-one",
        )
        for name, (function, _) in FUNCTIONS.items()
    ),
    Case(
        "reduce",
        {"axis": -1, "by": "mean", "keepdims": True},
        [STEPS],
        {"time": 7, "feature": 1},
        by(np.mean, 2, keepdims=True),
        ["ReduceMean", "Reshape"],
        id="kept",
    ),
    Case(
        "reduce",
        {"axis": ["height", "channel"], "by": "max"},
        [IMAGE],
        {"width": 7},
        by(np.max, 1, 3),
        ["ReduceMax"],
        id="two",
    ),
    Case(
        "reduce",
        {"axis": ["height", "width", "channel"], "by": "sum", "keepdims": True},
        [IMAGE],
        {"height": 1, "width": 1, "channel": 1},
        by(np.sum, 1, 2, 3, keepdims=True),
        ["ReduceSum", "Reshape"],
        id="all-kept",
    ),
    Case(
        "reduce", {"axis": ["time", "feature"], "by": "mean"}, [STEPS], {}, by(np.mean, 1, 2), ["ReduceMean"], id="all"
    ),
    Case(
        "reduce",
        {"axis": "time", "by": "logsumexp"},
        [{"time": "T", "feature": 5}],
        {"feature": 5},
        by(logsumexp, 1),
        LOG_SUM_EXP,
        id="open",
    ),
    Case(
        "reduce",
        {"axis": "time", "by": "l2"},
        [{"time": "T", "feature": 5}],
        {"feature": 5},
        by(length, 1),
        ["Mul", "ReduceSum", "Sqrt"],
        id="opset-17",
        opset=17,
    ),
    Case(
        "reduce",
        {"axis": "filter", "by": "std"},
        [IMAGE],
        {"height": 5, "width": 7},
        None,
        ["Transpose", "Conv", "ReduceMean", "Sub", "Mul", "ReduceMean", "Sqrt"],
        id="after-conv",
        before=[{"Conv2D": {"filters": 4, "kernel_size": 3, "padding": "same"}}],
        moves=False,
    ),
]

FORMS = {"reduce": Form(DEEP, {"axis": some_axes, "by": always(st.sampled_from(list(FUNCTIONS)))})}
