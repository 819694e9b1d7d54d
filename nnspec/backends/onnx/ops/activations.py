"""Activation functions as ONNX nodes, in whatever layout the tensor has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import move_together_last
from nnspec.catalogue import keras_objects
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Window
from nnspec.ir.receptive_field import WHOLE
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View

# One ONNX op with fixed attributes each.
SINGLE: dict[str, tuple[str, dict[str, float]]] = {
    "celu": ("Celu", {"alpha": 1.0}),
    "elu": ("Elu", {}),
    "exponential": ("Exp", {}),
    "hard_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.0}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_silu": ("HardSwish", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "relu": ("Relu", {}),
    "selu": ("Selu", {}),
    "sigmoid": ("Sigmoid", {}),
    "soft_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.5}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "sparse_sigmoid": ("HardSigmoid", {"alpha": 0.5, "beta": 0.5}),
    "tanh": ("Tanh", {}),
}
# Those that read the whole last axis.
ALONG_AXIS = ("softmax", "log_softmax", "sparsemax")


def activate(lowering: Lowering, view: View, activation: str | None) -> View:
    """The view after an activation named as in Keras, by any alias; None is linear."""
    name = "linear" if activation is None else keras_objects.canonical("activations", activation)[0]
    if name == "linear":
        return view
    if name in SINGLE:
        op, attributes = SINGLE[name]
        return lowering.elementwise(op, view, **attributes)
    last = len(view.axes) - 1
    if name in ("softmax", "log_softmax"):
        return softmax(lowering, view, last, op="Softmax" if name == "softmax" else "LogSoftmax")
    if name == "sparsemax":
        return _sparsemax(lowering, view, last)
    return _COMPOSED[name](lowering, view)


def activation_windows(axes: Axes, activation: str | None) -> dict[int, Window]:
    """What an activation reads besides the position itself."""
    if activation is None or keras_objects.canonical("activations", activation)[0] not in ALONG_AXIS:
        return {}
    return {len(axes) - 1: WHOLE}


def softmax(lowering: Lowering, view: View, axis: int | Sequence[int], op: str = "Softmax") -> View:
    """Softmax along one of the spec's axes (0 is batch), or over several at once.

    The axis goes last: ONNX Runtime would transpose to there and back by itself.
    """
    ready, _ = move_together_last(lowering, view, [axis] if isinstance(axis, int) else axis)
    return lowering.elementwise(op, ready, axis=len(ready.dims) - 1)


def clip(lowering: Lowering, view: View, least: float | None, most: float | None) -> View:
    """Values below `least` and above `most` replaced by them."""
    if least is None and most is None:
        return view
    if least is None or most is None:
        op, bound = ("Min", most) if least is None else ("Max", least)
        assert bound is not None
        return lowering.elementwise(op, view, lowering.scalar(bound, view.dtype))
    return lowering.elementwise("Clip", view, lowering.scalar(least, view.dtype), lowering.scalar(most, view.dtype))


# ------------------------------------------------------------------------------------------------- composed of ops


def _relu6(lowering: Lowering, view: View) -> View:
    return clip(lowering, view, 0.0, 6.0)


def _hard_tanh(lowering: Lowering, view: View) -> View:
    return clip(lowering, view, -1.0, 1.0)


def _gelu(lowering: Lowering, view: View) -> View:
    """The exact form x·Φ(x), in the pattern that ONNX Runtime fuses; an op of its own from opset 20."""
    if lowering.graph.opset >= 20:
        return lowering.elementwise("Gelu", view)
    scaled = lowering.elementwise("Div", view, lowering.scalar(math.sqrt(2.0), view.dtype))
    error = lowering.elementwise("Erf", scaled)
    shifted = lowering.elementwise("Add", error, lowering.scalar(1.0, view.dtype))
    product = lowering.elementwise("Mul", view, shifted.tensor)
    return lowering.elementwise("Mul", product, lowering.scalar(0.5, view.dtype))


def _silu(lowering: Lowering, view: View) -> View:
    return lowering.elementwise("Mul", view, lowering.elementwise("Sigmoid", view).tensor)


def _mish(lowering: Lowering, view: View) -> View:
    """x·tanh(softplus(x)): the op of opset 18 is this to ONNX Runtime, and unknown to many others."""
    tanh = lowering.elementwise("Tanh", lowering.elementwise("Softplus", view))
    return lowering.elementwise("Mul", view, tanh.tensor)


def _log_sigmoid(lowering: Lowering, view: View) -> View:
    """-softplus(-x)."""
    softplus = lowering.elementwise("Softplus", lowering.elementwise("Neg", view))
    return lowering.elementwise("Neg", softplus)


def _tanh_shrink(lowering: Lowering, view: View) -> View:
    return lowering.elementwise("Sub", view, lowering.elementwise("Tanh", view).tensor)


def _sparse_plus(lowering: Lowering, view: View) -> View:
    """max(x, s(x)²) with the sparse sigmoid s: 0 up to -1, ((x + 1) / 2)² between, x from 1."""
    sigmoid = lowering.elementwise("HardSigmoid", view, alpha=0.5, beta=0.5)
    square = lowering.elementwise("Mul", sigmoid, sigmoid.tensor)
    return lowering.elementwise("Max", square, view.tensor)


def _squareplus(lowering: Lowering, view: View) -> View:
    """(x + √(x² + 4)) / 2."""
    square = lowering.elementwise("Mul", view, view.tensor)
    root = lowering.elementwise("Sqrt", lowering.elementwise("Add", square, lowering.scalar(4.0, view.dtype)))
    return lowering.elementwise("Mul", lowering.elementwise("Add", root, view.tensor), lowering.scalar(0.5, view.dtype))


_COMPOSED: dict[str, Callable[[Lowering, View], View]] = {
    "gelu": _gelu,
    "hard_tanh": _hard_tanh,
    "log_sigmoid": _log_sigmoid,
    "mish": _mish,
    "relu6": _relu6,
    "silu": _silu,
    "sparse_plus": _sparse_plus,
    "squareplus": _squareplus,
    "tanh_shrink": _tanh_shrink,
}


def _sparsemax(lowering: Lowering, view: View, axis: int) -> View:
    """max(x - τ, 0) as Keras 3.15 computes τ: (Σ of the cumulative sums in the support - 1) / size of the support."""
    ready, group = move_together_last(lowering, view, [axis])
    dim = len(ready.dims) - 1
    size = 1
    for factor in group:
        assert factor.size is not None, "sparsemax needs to know how long its axis is"
        size *= factor.size
    one = lowering.scalar(1.0, view.dtype)
    last = lowering.constant(np.asarray([dim], np.int64), "axes")
    count = lowering.constant(np.asarray([size], np.int64), "size")
    descending = lowering.nodes("TopK", ready.tensor, count, outputs=2, axis=dim)[0]
    sums = lowering.node("CumSum", descending, lowering.constant(np.asarray(dim, np.int64), "axis"))
    ranks = lowering.constant(np.arange(1, size + 1, dtype=view.dtype), "ranks")
    bound = lowering.node("Div", lowering.node("Sub", sums, one), ranks)
    support = lowering.node("Greater", descending, bound)
    inside = lowering.node("Where", support, sums, lowering.scalar(0.0, view.dtype))
    total = lowering.node("Sub", lowering.node("ReduceSum", inside, last), one)
    from nnspec.backends.onnx.builder import onnx_type

    members = lowering.node("ReduceSum", lowering.node("Cast", support, to=onnx_type(view.dtype)), last)
    above = lowering.node("Sub", ready.tensor, lowering.node("Div", total, members))
    return replace(ready, tensor=lowering.node("Relu", above))
