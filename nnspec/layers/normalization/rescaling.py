"""Rescaling: maps values to another range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


def cast_to_float32(lowering: Lowering, view: View) -> View:
    """The same values as float32: what Keras' preprocessing layers compute with, whatever they read."""
    if view.dtype == "float32":
        return view
    from nnspec.backends.onnx.builder import onnx_type

    return replace(lowering.elementwise("Cast", view, to=onnx_type("float32")), dtype="float32")


class Rescaling(Layer):
    """x·`scale` + `offset`: pixels from 0 to 255 become 0 to 1 with scale 1/255, -1 to 1 with 1/127.5 and offset -1.

    Integers become floats.

    Input axes:  `batch …`, numbers of any dtype
    Output axes: the same, float32
    """

    kind = "Rescaling"
    normalizes = True
    is_scaling = True
    args = {
        "scale": a.Arg(
            {"type": ["number", "array"], "items": {"type": ["number", "array"]}, "minItems": 1},
            "The factor: one number, or one per position of the last axis.",
        ),
        "offset": a.Arg(
            {"type": ["number", "array"], "items": {"type": ["number", "array"]}, "minItems": 1},
            "The offset added afterwards: one number, or one per position of the last axis.",
            0.0,
        ),
    }

    def infer(self, call: Call) -> Inferred:
        for name in ("scale", "offset"):
            self.check_shape(call, name)
        return Inferred((call.axes,), ("float32",), mask=call.input.mask)

    def check_shape(self, call: Call, name: str) -> None:
        shape = _shape(call.args[name])
        last = call.axes[len(call.axes) - len(shape) :] if shape is not None and len(shape) <= len(call.axes) else ()
        if shape is None or len(last) != len(shape):
            call.fail(
                "NN302",
                f"`{name}` of `Rescaling` must be a number, or one number per position of the last axes",
                name,
                about=[name],
            )
        for size, axis in zip(shape, last, strict=True):
            if size not in (1, axis.size):
                call.fail(
                    "NN302",
                    f"`{name}` of `Rescaling` has {size} numbers for `{axis.name}`, which has size {axis.size}",
                    name,
                    about=[name, axis.name],
                )

    def padding_behind(self, node: Node, value: float) -> float | None:
        scale, offset = node.args["scale"], node.args["offset"]
        if isinstance(offset, list) or (isinstance(scale, list) and value):
            return None
        return value * scale + offset if value else float(offset)

    def invert_scaling(self, node: Node, values: np.ndarray, weights: Mapping[str, np.ndarray]) -> np.ndarray | None:
        scale = np.asarray(node.args["scale"], np.float64)
        return (values - np.asarray(node.args["offset"], np.float64)) / scale if np.all(scale) else None

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = cast_to_float32(lowering, inputs[0])
        for op, name, neutral in (("Mul", "scale", 1.0), ("Add", "offset", 0.0)):
            values = np.asarray(node.args[name], np.float32)
            if np.all(values == neutral):
                continue
            first = len(view.axes) - values.ndim
            axes = [first + i for i, size in enumerate(values.shape) if size > 1]
            view = lowering.separable(view, axes)
            view = lowering.elementwise(op, view, lowering.along(view, np.squeeze(values), axes, name))
        return [view]


def _shape(value: object) -> tuple[int, ...] | None:
    """The shape of nested lists of numbers, None where rows differ in length."""
    if not isinstance(value, list):
        return ()
    inner = {_shape(item) for item in value}
    only = next(iter(inner)) if len(inner) == 1 else None
    return None if only is None else (len(value), *only)


LAYERS = (Rescaling(),)
