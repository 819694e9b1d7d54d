"""AutoContrast: stretches every channel over the whole range of values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.image.base import VALUE_RANGE, ImageLayer
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.normalization.rescaling import cast_to_float32
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class AutoContrast(ImageLayer):
    """Stretches each channel of each image so that its values fill `value_range`, in training and at inference.

    (x - least)·(high - low) / (most - least) + low; a channel with a single value is unchanged. Integers become
    floats.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "AutoContrast"
    only_compares = True  # the least and the largest value, and only then is anything computed
    args = {"value_range": VALUE_RANGE}

    def infer(self, call: Call) -> Inferred:
        height, width, _ = self.places(call)
        whole = WHOLE
        return Inferred((call.axes,), ("float32",), windows={height: whole, width: whole})

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        ready = lowering.separable(cast_to_float32(lowering, inputs[0]), [1, 2])
        spatial = {factor for axis in (1, 2) for factor in ready.axes[axis]}
        if not spatial:  # one pixel
            return [ready]
        dims = [i for i, dim in enumerate(ready.dims) if set(dim) & spatial]
        x = ready.tensor
        least, most = (self.extreme(lowering, x, dims, sign) for sign in (-1, 1))
        low, high = sorted(float(value) for value in node.args["value_range"])
        span = lowering.node("Sub", most, least)
        stretched = lowering.node("Div", lowering.node("Sub", x, least), span)
        if high - low != 1:
            stretched = lowering.node("Mul", stretched, lowering.scalar(high - low))
        if low:
            stretched = lowering.node("Add", stretched, lowering.scalar(low))
        is_flat = lowering.node("Equal", most, least)
        return [replace(ready, tensor=lowering.node("Where", is_flat, x, stretched), mask=None)]

    def extreme(self, lowering: Lowering, tensor: str, dims: list[int], sign: int) -> str:
        op = "ReduceMax" if sign > 0 else "ReduceMin"
        if lowering.graph.opset < 18:
            return lowering.node(op, tensor, axes=dims, keepdims=1)
        return lowering.node(op, tensor, lowering.constant(np.asarray(dims, np.int64), "axes"), keepdims=1)


LAYERS = (AutoContrast(),)
