"""Masking."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_steps
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Masking(Layer):
    """Marks the steps whose features all equal `mask_value` as padding and sets them to zero.

    The mask goes along with the values. Recurrent layers leave masked steps out; layers that work step by step pass the
    mask on; others lose it (NN319).

    Input axes:  `batch step feature`
    Output axes: `batch step feature`, masked along `step`
    """

    kind = "Masking"
    steps = True
    uses_mask = True
    args = {"mask_value": a.number("What every feature of a padded step is.", 0.0)}

    def infer(self, call: Call) -> Inferred:
        call.require_rank(2, what="steps and features")
        check_steps(call, (0,))
        return Inferred((call.axes,), windows={1: Window(None, ahead=None)}, mask=call.axes[0].name)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.builder import onnx_type
        from nnspec.backends.onnx.lowering import Packed
        from nnspec.backends.onnx.view import Mask

        value = node.args["mask_value"]
        view = lowering.separable(inputs[0], [2])
        features = set(view.axes[2])
        places = [i for i, dim in enumerate(view.dims) if features.intersection(dim)]
        tensor = view.tensor
        if value:
            tensor = lowering.node("Sub", tensor, lowering.scalar(value, view.dtype))
        if places:  # zero only where every feature is
            axes = lowering.constant(np.asarray(places, np.int64), "axes")
            tensor = lowering.node("ReduceL1", tensor, axes, keepdims=1 if value else 0)
        tensor = lowering.node("Cast", tensor, to=onnx_type("bool"))
        unit = [dim for i, dim in enumerate(view.dims) if i not in places]
        if value:
            unit = [() if i in places else dim for i, dim in enumerate(view.dims)]
        flags = replace(view, tensor=tensor, dims=tuple(unit), axes=view.axes[:2], dtype="bool", mask=None)
        mask = Mask(flags, lowering.is_right_padded)
        result = view
        if value:  # zeros are masked by zeros already
            zero = lowering.scalar(0, view.dtype)
            result = replace(view, tensor=lowering.node("Where", tensor, view.tensor, zero))
            lowering.packed[result.tensor] = Packed(view, flags.tensor)
        return [replace(result, mask=mask)]


LAYERS = (Masking(),)
