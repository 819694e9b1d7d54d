"""Joins of several inputs, element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, ClassVar

from nnspec.backends.onnx.ops.placement import broadcast_mask, broadcast_views, one_dim_each
from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.habits import SEPARATE_ACTIVATION
from nnspec.layers.merging import broadcasting
from nnspec.layers.merging.joining import join_axes

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, View
    from nnspec.backends.types import KerasCallable, KerasConfig, KerasTensor


class ElementwiseMerge(Layer):
    """Element by element over inputs with the same axes: data axes by name and size, learned axes by size.

    `broadcast` names axes along which an input that has one position there, or no such axis, is repeated.
    """

    short = "from"
    joins_masks = True
    arity: ClassVar[tuple[int, int | None]] = (2, None)
    args = {"broadcast": broadcasting.broadcast_argument()}
    op: ClassVar[str]
    is_sum: ClassVar[bool] = False
    several: ClassVar[str | None] = None  # an op that takes any number of inputs

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        repeated = broadcasting.broadcast_axes(call)
        if not repeated:
            return Inferred((join_axes(call),), mask=common_mask(call), keras={"places": None})
        given, places = broadcasting.expand_inputs(call)
        axes = call.require_unique(join_axes(call, repeated=repeated, given=given))
        for value, own in zip(call.inputs, places, strict=True):
            step = ax.index_of(value.axes, value.mask) if value.mask else None
            if step is not None and (None in own or value.axes[step].size != axes[step].size):
                call.fail(
                    "NN310",
                    f"`{self.kind}` cannot repeat `{value.node}` along `{value.mask}`, where it has a mask, or along "
                    "an axis that it lacks",
                    "broadcast",
                    fixes=[Fix(f"remove the mask first: `unmask` of `{value.node}`")],
                    about=[value.node, value.mask],
                )
        return Inferred((axes,), mask=common_mask(call, axes), keras={"places": places})

    def keras_arguments(self, node: Node) -> KerasConfig:
        return {}

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        masks = keras_masks(node, tensors)
        if node.args["places"] is None and self.is_keras_own(node):
            return layer(tensors)
        expanded = tensors if node.args["places"] is None else broadcasting.expand_tensors(node, tensors)
        if not any(mask is not None for mask in masks):
            return self.sum(expanded) if self.is_sum else layer(expanded)
        from nnspec.backends.keras.layers.masked_merges import with_mask_of_all

        return with_mask_of_all(self.merge_masked_keras(layer, expanded, masks), masks)

    def is_keras_own(self, node: Node) -> bool:
        """Whether Keras' layer does with the masks of inputs of equal axes what this one does."""
        return True

    def merge_masked_keras(
        self, layer: KerasCallable, tensors: list[KerasTensor], masks: Sequence[KerasTensor | None]
    ) -> KerasTensor:
        """The join of values some of which are masked; the mask of what it makes is no matter here."""
        from keras import ops

        return self.sum(tensors) if self.is_sum else layer([ops.copy(tensor) for tensor in tensors])

    def sum(self, tensors: Sequence[KerasTensor]) -> KerasTensor:
        """What a layer that adds makes of values some of which are repeated: Keras' own addition may get that wrong."""
        from nnspec.backends.keras.layers.addition import add

        return reduce(add, tensors)

    def why(self, node: Node) -> dict[str, str]:
        return {"": say.joining_sentence(node, "Reads")}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        if node.args["places"] is None:
            views = lowering.aligned(inputs)
        else:
            views = broadcast_views(lowering, broadcasting.expand_views(node, inputs))
        return [self.result(lowering, node, inputs, views, self.join(lowering, [view.tensor for view in views]))]

    def result(
        self, lowering: Lowering, node: Node, inputs: Sequence[View], views: Sequence[View], tensor: str
    ) -> View:
        """What the inputs make together, with the mask of all of them."""
        made = replace(views[0], tensor=tensor, mask=None)
        mask = any_mask(lowering, [view.mask for view in inputs]) if node.outputs[0].mask is not None else None
        if mask is None or node.args["places"] is None:
            return replace(made, mask=mask)
        step = _step(node.outputs[0].axes, node.outputs[0].mask)
        own = lowering.canonical(mask.view)
        pair = (made.axes[0], made.axes[step])
        return replace(made, mask=replace(mask, view=replace(own, dims=pair, axes=pair)))

    def join(self, lowering: Lowering, tensors: Sequence[str]) -> str:
        if self.several is not None and (len(tensors) > 2 or self.several == self.op):
            return lowering.node(self.several, *tensors)
        result = tensors[0]
        for tensor in tensors[1:]:
            result = lowering.node(self.op, result, tensor)
        return result


def _known(join: Callable[[Sequence[float]], float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return join(known) if len(known) == len(values) else None


def keras_masks(node: Node, tensors: Sequence[KerasTensor]) -> list[KerasTensor | None]:
    """The masks of what a node reads, in the graph of Keras tensors."""
    if all(value.mask is None for value in node.inputs):
        return [None] * len(tensors)
    from keras.src.backend import get_keras_mask

    return [get_keras_mask(tensor) if value.mask else None for tensor, value in zip(tensors, node.inputs, strict=True)]


def common_mask(call: Call, axes: ax.Axes | None = None) -> str | None:
    """As Keras: a mask where every input has one; a position counts where any of them has data.

    Args:
        axes: of the result, where they are not called as the first input's.
    """
    places = {ax.index_of(value.axes, value.mask) if value.mask else None for value in call.inputs}
    place = places.pop() if len(places) == 1 else None
    return None if place is None else (axes or call.axes)[place].name


def any_mask(lowering: Lowering, masks: Sequence[Mask | None]) -> Mask | None:
    """Where any of the masks holds; None where one is missing."""
    known = [mask for mask in masks if mask is not None]
    if not known or len(known) < len(masks):
        return None
    views = lowering.aligned([mask.view for mask in known])
    result = views[0]
    for view in views[1:]:
        if view.tensor != result.tensor:
            result = lowering.elementwise("Or", result, view.tensor)
    return replace(known[0], view=result)


class Add(ElementwiseMerge):
    """The sum of its inputs, element by element.

    Input axes:  `batch time filter`, each
    Output axes: those of the first
    """

    kind = "Add"
    habits = SEPARATE_ACTIVATION
    op, several = "Add", "Sum"
    is_sum = True

    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]:
        return (_known(sum, values),)


class Subtract(ElementwiseMerge):
    """The first input minus the second, element by element.

    Input axes:  `batch time filter`, both
    Output axes: those of the first
    """

    kind = "Subtract"
    arity = (2, 2)
    op = "Sub"

    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]:
        return (_known(lambda both: both[0] - both[1], values),)


class Average(ElementwiseMerge):
    """The mean of its inputs, element by element.

    Input axes:  `batch time filter`, each
    Output axes: those of the first
    """

    kind = "Average"
    combines = "mean"
    op, several = "Mean", "Mean"
    is_sum = True

    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]:
        return (_known(lambda each: sum(each) / len(each), values),)

    def sum(self, tensors: Sequence[KerasTensor]) -> KerasTensor:
        return super().sum(tensors) / len(tensors)


class MaskedMerge(ElementwiseMerge):
    """A join to which positions without data in one input contribute nothing, as in Keras."""

    def is_keras_own(self, node: Node) -> bool:
        return all(value.mask is None or (len(value.axes) == 2 and not value.outer) for value in node.inputs)

    def merge_masked_keras(
        self, layer: KerasCallable, tensors: list[KerasTensor], masks: Sequence[KerasTensor | None]
    ) -> KerasTensor:
        from keras import ops

        from nnspec.backends.keras.layers.masked_merges import extreme

        return extreme(getattr(ops, self.kind.lower()), tensors, masks)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        masks = [view.mask if value.mask else None for view, value in zip(inputs, node.inputs, strict=True)]
        if not any(masks):
            return super().to_onnx(node, inputs, lowering)
        if node.args["places"] is None:
            first = range(2 + max(len(value.outer) for value in node.inputs))
            views = [lowering.separable(view, first) for view in lowering.aligned(inputs)]
            whole = views
        else:
            views = one_dim_each(lowering, broadcasting.expand_views(node, inputs))
            whole = [views[0]] * len(views)
        against = [
            None if mask is None else broadcast_mask(lowering, view, _step(value.axes, value.mask), mask)
            for view, mask, value in zip(whole, masks, node.inputs, strict=True)
        ]
        tensor = self.merge_masked(lowering, [view.tensor for view in views], against, views[0].dtype)
        return [self.result(lowering, node, inputs, views, tensor)]

    def merge_masked(self, lowering: Lowering, tensors: list[str], masks: list[str | None], dtype: str) -> str:
        """Keras' running join: where one side has no data, the other's value stands for it."""
        result, known = tensors[0], masks[0]
        for tensor, mask in zip(tensors[1:], masks[1:], strict=True):
            other = tensor if mask is None else lowering.node("Where", mask, tensor, result)
            if known is not None:
                result = lowering.node("Where", known, result, other)
            known = lowering.node("Or", known, mask) if known is not None and mask is not None else None
            result = lowering.node(self.op, result, other)
        return result


def _step(axes: ax.Axes, name: str | None) -> int:
    place = ax.index_of(axes, name) if name else None
    assert place is not None
    return place + 1


class Multiply(MaskedMerge):
    """The product of its inputs, element by element.

    Input axes:  `batch time filter`, each
    Output axes: those of the first
    """

    kind = "Multiply"
    combines = "product"
    op = "Mul"

    def infer(self, call: Call) -> Inferred:
        made = super().infer(call)
        return replace(made, is_zero_at_padding=made.mask is not None)

    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]:
        return (0.0 if 0.0 in values else _known(prod, values),)

    def merge_masked_keras(
        self, layer: KerasCallable, tensors: list[KerasTensor], masks: Sequence[KerasTensor | None]
    ) -> KerasTensor:
        from nnspec.backends.keras.layers.masked_merges import multiply

        return multiply(tensors, masks)

    def merge_masked(self, lowering: Lowering, tensors: list[str], masks: list[str | None], dtype: str) -> str:
        result: str | None = None
        one = lowering.scalar(1.0, dtype)
        for tensor, mask in zip(tensors, masks, strict=True):
            factor = tensor if mask is None else lowering.node("Where", mask, tensor, one)
            result = factor if result is None else lowering.node("Mul", result, factor)
        assert result is not None
        known = [mask for mask in masks if mask is not None]
        if len(known) < len(masks):
            return result
        either = known[0]
        for mask in known[1:]:
            either = either if mask == either else lowering.node("Or", either, mask)
        return lowering.node("Where", either, result, lowering.scalar(0.0, dtype))


class Maximum(MaskedMerge):
    """The largest of its inputs, element by element.

    Input axes:  `batch time filter`, each
    Output axes: those of the first
    """

    kind = "Maximum"
    combines = "extreme"
    op, several = "Max", "Max"


class Minimum(MaskedMerge):
    """The smallest of its inputs, element by element.

    Input axes:  `batch time filter`, each
    Output axes: those of the first
    """

    kind = "Minimum"
    combines = "extreme"
    op, several = "Min", "Min"


LAYERS = (Add(), Subtract(), Multiply(), Average(), Maximum(), Minimum())
