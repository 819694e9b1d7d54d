"""Cases of normalizations by the statistics of each sample."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.layers.normalization.cases_batch import AROUND, CONV, IMAGE, MADE, OPEN, STEPS, Oracle, Weights, spread
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import DEEP, FLOATS, Form, always


def layer(*axes: int, epsilon: float = 1e-3) -> Oracle:
    def oracle(weights: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        w = {name: spread(value, axes, x.ndim) for name, value in weights.items()}
        centred = x - x.mean(axis=axes, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + epsilon)
        return normal * w.get("gamma", 1.0) + w.get("beta", 0.0)

    return oracle


def rms(*axes: int, epsilon: float = 1e-6) -> Oracle:
    def oracle(weights: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        mean = (x**2).mean(axis=axes, keepdims=True)
        return x / np.sqrt(mean + epsilon) * spread(weights["scale"], axes, x.ndim)

    return oracle


def unit(*axes: int) -> Oracle:
    return lambda weights, inputs: inputs[0] / np.sqrt((inputs[0] ** 2).sum(axis=axes, keepdims=True))


def grouped(axis: int, groups: int, epsilon: float = 1e-3) -> Oracle:
    def oracle(weights: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        x = np.moveaxis(inputs[0].astype(np.float64), axis, -1)
        parts = x.reshape(*x.shape[:-1], groups, -1)
        over = (*range(1, x.ndim - 1), x.ndim)
        centred = parts - parts.mean(axis=over, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(axis=over, keepdims=True) + epsilon)
        made = normal.reshape(x.shape) * weights.get("gamma", 1.0) + weights.get("beta", 0.0)
        return np.moveaxis(made, -1, axis)

    return oracle


UNIT_OPS = ["Mul", "ReduceSum", "Sqrt", "Max", "Div"]
MEAN_TWICE = ["ReduceMean", "ReduceMean"]

CASES = [
    Case("LayerNormalization", None, [OPEN], OPEN, layer(2), ["LayerNormalization"]),
    Case(
        "LayerNormalization",
        {"scale": False, "epsilon": 0.1},
        [STEPS],
        STEPS,
        layer(2, epsilon=0.1),
        ["LayerNormalization"],
        id="no-scale",
    ),
    Case("LayerNormalization", {"center": False}, [STEPS], STEPS, layer(2), ["LayerNormalization"], id="no-center"),
    Case(
        "LayerNormalization",
        {"axis": "time"},
        [STEPS],
        STEPS,
        layer(1),
        ["Transpose", "LayerNormalization", "Transpose"],
        id="by-name",
    ),
    Case(
        "LayerNormalization",
        {"axis": ["channel", "width"]},
        [IMAGE],
        IMAGE,
        layer(2, 3),
        ["Reshape", "LayerNormalization", "Reshape"],
        id="two-axes",
    ),
    Case(
        "LayerNormalization",
        {"axis": [1, 3]},
        [IMAGE],
        IMAGE,
        layer(1, 3),
        ["Transpose", "Reshape", "LayerNormalization", "Reshape", "Transpose"],
        id="axes-apart",
    ),
    Case(
        "LayerNormalization",
        {"axis": "time", "scale": False, "center": False},
        [OPEN],
        OPEN,
        layer(1),
        ["ReduceMean", "Sub", "Mul", "ReduceMean", "Add", "Sqrt", "Div"],
        id="over-symbol",
    ),
    Case(
        "LayerNormalization",
        {"axis": "channel"},
        [{"time": 7, "channel": 1}],
        {"time": 7, "channel": 1},
        layer(2),
        ["LayerNormalization"],
        id="one-channel",
        moves=False,
    ),
    Case(
        "LayerNormalization",
        None,
        [STEPS],
        MADE,
        None,
        ["Transpose", "Reshape", "Conv", "Transpose", "LayerNormalization", "Reshape"],
        id="after-conv",
        before=[CONV],
    ),
    Case("RMSNormalization", None, [OPEN], OPEN, rms(2), ["Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul"]),
    Case(
        "RMSNormalization",
        {"axis": ["time", "channel"], "epsilon": 0.1},
        [STEPS],
        STEPS,
        rms(1, 2, epsilon=0.1),
        ["Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul"],
        id="two-axes",
    ),
    *[
        Case(
            "RMSNormalization",
            {"axis": list(axes)},
            [shape],
            shape,
            rms(*axes),
            ["Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul"],
            id="-".join(["inner", *map(str, axes)]),
        )
        for axes, shape in [((1,), STEPS), ((1, 2), IMAGE), ((1, 3), IMAGE), ((2,), {**IMAGE, "height": "H"})]
    ],
    Case("UnitNormalization", None, [OPEN], OPEN, unit(2), UNIT_OPS),
    Case(
        "UnitNormalization",
        {"axis": [1, 2]},
        [IMAGE],
        IMAGE,
        unit(1, 2),
        UNIT_OPS,
        id="two-axes",
    ),
    Case(
        "GroupNormalization",
        {"groups": 2},
        [IMAGE],
        IMAGE,
        grouped(3, 2),
        ["Reshape", "Transpose", "Reshape", "InstanceNormalization", "Reshape", "Transpose", "Reshape", "Mul", "Add"],
    ),
    Case(
        "GroupNormalization",
        {"groups": -1, "axis": "channel", "scale": False},
        [{"channel": 4, "time": "T"}],
        {"channel": 4, "time": "T"},
        grouped(1, 4),
        ["InstanceNormalization", "Add"],
        id="every-channel-symbol",
    ),
    Case(
        "GroupNormalization",
        {"groups": 1, "center": False},
        [{"time": "T", "channel": 4}],
        {"time": "T", "channel": 4},
        grouped(2, 1),
        # over axes that may be long together
        ["Reshape", *MEAN_TWICE, "Sub", "Mul", *MEAN_TWICE, "Add", "Sqrt", "Div", "Reshape", "Mul"],
        id="one-group-symbol",
    ),
    Case(
        "GroupNormalization",
        {"groups": 2},
        [STEPS],
        MADE,
        None,
        [*AROUND[:3], "Reshape", "InstanceNormalization", "Reshape", "Mul", "Add", *AROUND[3:]],
        id="after-conv",
        before=[CONV],
    ),
]
FORMS = {
    **{kind: Form(DEEP) for kind in ("LayerNormalization", "RMSNormalization", "UnitNormalization")},
    "GroupNormalization": Form(FLOATS, {"groups": always(st.sampled_from([1, 2, -1]))}),
}
