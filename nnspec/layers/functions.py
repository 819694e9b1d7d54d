"""Activation functions as ONNX nodes, in whatever layout the tensor has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


def activate(lowering: Lowering, view: View, activation: Any) -> View:
    """The view after an activation named as in Keras; None is linear."""
    if activation in (None, "linear"):
        return view
    if activation == "softmax":
        return softmax(lowering, view, len(view.axes) - 1)
    op = {"relu": "Relu", "elu": "Elu", "sigmoid": "Sigmoid", "tanh": "Tanh"}[activation]
    return lowering.elementwise(op, view)


def softmax(lowering: Lowering, view: View, axis: int) -> View:
    """Softmax along one of the spec's axes (0 is batch)."""
    ready, place = lowering.with_axis_alone(view, axis)
    return lowering.elementwise("Softmax", ready, axis=place)
