"""Cases of normalizations by the statistics of a batch and by fixed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import FLOATS, Form, some_axes

Weights = dict[str, np.ndarray]
Oracle = Callable[[Weights, list[np.ndarray]], np.ndarray]


def spread(vector: Any, axes: Sequence[int], rank: int) -> Any:
    """An array over some axes, broadcastable against all of them."""
    shape = [1] * rank
    for axis, size in zip(axes, np.shape(vector), strict=True):
        shape[axis] = size
    return np.asarray(vector).reshape(shape)


def batch(axis: int, epsilon: float = 1e-3) -> Oracle:
    def oracle(weights: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        w = {name: spread(value, [axis], x.ndim) for name, value in weights.items()}
        normal = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + epsilon)
        return normal * w.get("gamma", 1.0) + w.get("beta", 0.0)

    return oracle


def standard(mean: Any, variance: Any) -> Oracle:
    return lambda weights, inputs: (inputs[0] - np.asarray(mean)) / np.sqrt(np.asarray(variance))


def adapted(axes: Sequence[int], invert: bool = False) -> Oracle:
    def oracle(weights: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        mean, deviation = (spread(v, axes, x.ndim) for v in (weights["mean"], np.sqrt(weights["variance"])))
        return x * deviation + mean if invert else (x - mean) / deviation

    return oracle


STEPS = {"time": 7, "channel": 5}
OPEN = {"time": "T", "channel": 5}
IMAGE = {"height": 3, "width": 7, "channel": 4}
CONV = {"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"}}
MADE = {"time": 7, "filter": 4}
AROUND = ["Transpose", "Reshape", "Conv", "Transpose", "Reshape"]

# A bias before a BatchNormalization cancels: training cannot move it, hence `moves=False` in some cases.
BATCH = [
    Case("BatchNormalization", None, [STEPS], STEPS, batch(2), ["Mul", "Add"]),
    Case("BatchNormalization", {"synchronized": True}, [STEPS], STEPS, batch(2), ["Mul", "Add"], id="synchronized"),
    Case("BatchNormalization", {"scale": False}, [OPEN], OPEN, batch(2), ["Mul", "Add"], id="no-scale-symbol"),
    Case(
        "BatchNormalization",
        {"center": False, "epsilon": 0.1},
        [STEPS],
        STEPS,
        batch(2, 0.1),
        ["Mul", "Add"],
        id="no-center",
    ),
    Case("BatchNormalization", {"axis": "time"}, [STEPS], STEPS, batch(1), ["BatchNormalization"], id="by-name"),
    Case("BatchNormalization", {"axis": 1}, [IMAGE], IMAGE, batch(1), ["BatchNormalization"], id="by-index"),
    Case("BatchNormalization", {"axis": "width"}, [IMAGE], IMAGE, batch(2), ["Mul", "Add"], id="middle"),
    Case("BatchNormalization", None, [{"feature": 5}], {"feature": 5}, batch(1), ["BatchNormalization"], id="features"),
    Case(
        "BatchNormalization",
        {"renorm": True, "renorm_clipping": {"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}, "momentum": 0.9},
        [STEPS],
        STEPS,
        batch(2),
        ["Mul", "Add"],
        id="renorm",
    ),
    Case(
        "BatchNormalization",
        None,
        [{"time": 7, "channel": 1}],
        {"time": 7, "channel": 1},
        batch(2),
        ["Mul", "Add"],
        id="one-channel",
    ),
    Case("BatchNormalization", None, [STEPS], MADE, None, AROUND, id="folds-into-conv", moves=False, before=[CONV]),
    Case(
        "BatchNormalization",
        {"scale": False},
        [STEPS],
        MADE,
        None,
        AROUND,
        id="folds-into-conv-without-bias",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same", "use_bias": False}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [IMAGE],
        {"height": 3, "width": 7, "filter": 6},
        None,
        ["Transpose", "Conv", "Transpose"],
        id="folds-into-conv-2d",
        moves=False,
        before=[{"Conv2D": {"filters": 6, "kernel_size": 3, "padding": "same"}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [IMAGE],
        {"height": 3, "width": 7, "filter": 8},
        None,
        ["Transpose", "Conv", "Transpose"],
        id="folds-into-depthwise",
        before=[{"DepthwiseConv2D": {"kernel_size": 3, "padding": "same", "depth_multiplier": 2, "use_bias": False}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [STEPS],
        {"time": 7, "filter": 1},
        None,
        ["Transpose", "Reshape", "Conv", "Reshape"],
        id="folds-into-one-filter",
        moves=False,
        before=[{"Conv1D": {"filters": 1, "kernel_size": 3, "padding": "same"}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [{"feature": 5}],
        {"unit": 3},
        None,
        ["Gemm"],
        id="folds-into-dense",
        moves=False,
        before=[{"Dense": {"units": 3}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [{"feature": 5}],
        {"unit": 3},
        None,
        ["Gemm"],
        id="folds-into-dense-without-bias",
        before=[{"Dense": {"units": 3, "use_bias": False}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [OPEN],
        {"time": "T", "unit": 3},
        None,
        ["MatMul", "Add"],
        id="folds-into-dense-steps",
        moves=False,
        before=[{"Dense": {"units": 3}}],
    ),
    Case(
        "BatchNormalization",
        {"axis": "time"},
        [STEPS],
        MADE,
        None,
        ["Transpose", "Reshape", "Conv", "Mul", "Add", "Transpose", "Reshape"],
        id="other-axis-after-conv",
        before=[CONV],
    ),
    Case(
        "BatchNormalization",
        None,
        [STEPS],
        MADE,
        None,
        ["Transpose", "Reshape", "Conv", "Relu", "BatchNormalization", "Transpose", "Reshape"],
        id="after-activation",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}}],
    ),
    Case(
        "BatchNormalization",
        {"axis": "part"},
        [STEPS],
        {"time": 7, "whole": 2, "part": 2},
        None,
        AROUND,
        id="folds-a-part-of-the-filters",
        before=[CONV, {"split": {"filter": {"whole": 2, "part": 2}}}],
    ),
    Case(
        "BatchNormalization",
        None,
        [STEPS],
        {"time": 7, "swapped": 6},
        None,
        ["Transpose", "Reshape", "Conv", "Reshape", "Transpose", "Reshape"],
        id="folds-reordered-filters",
        moves=False,
        before=[
            {"Conv1D": {"filters": 6, "kernel_size": 3, "padding": "same"}},
            {"split": {"filter": {"whole": 2, "part": 3}}},
            {"permute": ["time", "part", "whole"]},
            {"merge": {"swapped": ["part", "whole"]}},
        ],
    ),
    Case(
        "BatchNormalization",
        None,
        [{"token": "T"}],
        {"token": "T", "embedding": 3},
        None,
        ["Gather", "Mul", "Add"],
        id="masked",
        before=[{"Embedding": {"input_dim": 9, "output_dim": 3, "mask_zero": True}}],
        make=lambda rng, shape: rng.integers(1, 9, size=shape),
        dtype="int32",
    ),
]

FIXED = [
    Case("Normalization", None, [STEPS], STEPS, adapted([2]), ["Sub", "Div"]),
    Case("Normalization", {"axis": "time"}, [STEPS], STEPS, adapted([1]), ["Sub", "Div"], id="by-name"),
    Case("Normalization", {"axis": None}, [OPEN], OPEN, adapted([]), ["Sub", "Div"], id="all"),
    Case("Normalization", {"axis": ["channel", 1]}, [IMAGE], IMAGE, adapted([1, 3]), ["Sub", "Div"], id="two-axes"),
    Case("Normalization", {"invert": True}, [OPEN], OPEN, adapted([2], True), ["Mul", "Add"], id="invert"),
    Case(
        "Normalization",
        {"mean": [1, 2, 3, 4, 5], "variance": [0.1, 0.2, 0.3, 0.4, 4]},
        [OPEN],
        OPEN,
        standard([1, 2, 3, 4, 5], [0.1, 0.2, 0.3, 0.4, 4]),
        ["Sub", "Div"],
        id="given",
    ),
    Case(
        "Normalization",
        {"mean": 2.5, "variance": 4},
        [STEPS],
        STEPS,
        standard(2.5, 4),
        ["Sub", "Div"],
        id="given-numbers",
    ),
    Case(
        "Normalization",
        {"axis": ["height", "channel"], "mean": [1, 2, 3, 4], "variance": [4, 3, 2, 1]},
        [IMAGE],
        IMAGE,
        standard([1, 2, 3, 4], [4, 3, 2, 1]),
        ["Sub", "Div"],
        id="given-for-the-last",
    ),
    Case(
        "Normalization",
        {"mean": [1, 2, 3, 4, 5], "variance": [1, 2, 3, 4, 5]},
        [STEPS],
        STEPS,
        standard([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ["Cast", "Sub", "Div"],
        id="integers",
        make=lambda rng, shape: rng.integers(-9, 9, size=shape),
        dtype="int32",
    ),
]

CASES = [*BATCH, *FIXED]


CASES += [
    Case(  # what follows is folded into the kernel
        "BatchNormalization",
        None,
        [{"height": 5, "width": 7, "channel": 3}],
        {"height": 10, "width": 14, "filter": 4},
        None,
        ["Transpose", "ConvTranspose", "Slice", "Transpose"],
        id="after-transposed",
        before=[
            {"Conv2DTranspose": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False}}
        ],
    ),
]
FORMS = {
    # A layer with `renorm` is a layer with other weights and training alone.
    "BatchNormalization": Form(FLOATS, without=frozenset({"renorm_clipping"})),
    "Normalization": Form(
        FLOATS, {"axis": lambda axes: st.one_of(st.none(), some_axes(axes))}, frozenset({"mean", "variance"})
    ),
}
