"""What stands behind the head of a quantile output: an axis for its levels, along which values cannot cross.

Neither is a kind that a spec names: `nnspec.inference.levels` puts them behind the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.ir.levels import LEVEL, middle
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.shape.keras_layers import Rebracketing
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor


class SplitLevels(Rebracketing):
    """Makes `level` of the last axis, or of its fastest part.

    Input axes:  `batch unit` of 18, for 3 levels
    Output axes: `batch unit level` of 6 × 3
    """

    kind = "split_levels"
    follows_head = True

    def __init__(self, count: int) -> None:
        self.count = count

    def infer(self, call: Call) -> Inferred:
        *others, last = call.axes
        size = ax.divide(last.size, self.count)
        rest = [] if size == 1 or size is None else [ax.fresh(last.name, size, call.name)]
        made = (*others, *rest, ax.fresh(LEVEL, self.count, call.name))
        return Inferred((call.require_unique(made),), mask=call.input.mask)


class OrderLevels(Layer):
    """Quantiles from what a head gives: the one nearest the median as it is, each other by a softplus further away.

    Formula: q(m) = z(m), q(i) = q(i - 1) + softplus(z(i)) above m, q(i) = q(i + 1) - softplus(z(i)) below it. Sorting
    would give ascending values too, but hands each unit the gradient of another level whenever two cross.

    Input axes:  `batch … level`
    Output axes: the same
    """

    kind = "order_levels"
    follows_head = True

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        place = ax.index_of(call.axes, LEVEL)
        assert place is not None, "`nnspec.inference.levels` found it"
        return Inferred((call.axes,), windows={place: WHOLE}, mask=call.input.mask, keras={"axis": place + 1})

    def to_keras(self, node: Node) -> KerasCallable:
        """A function of Keras' own operations, so that Keras alone loads the model."""
        from keras import ops

        place, last, m = node.args["axis"], len(node.outputs[0].axes), middle(self.levels)

        def order(values: KerasTensor) -> KerasTensor:
            moved = ops.moveaxis(values, place, -1) if place != last else values
            steps = ops.softplus(moved)
            parts = [moved[..., m : m + 1]]
            if m:
                below = ops.flip(ops.cumsum(ops.flip(steps[..., :m], axis=-1), axis=-1), axis=-1)
                parts.insert(0, parts[0] - below)
            if m + 1 < len(self.levels):
                parts.append(moved[..., m : m + 1] + ops.cumsum(steps[..., m + 1 :], axis=-1))
            whole = ops.concatenate(parts, axis=-1) if len(parts) > 1 else ops.copy(parts[0])
            return ops.moveaxis(whole, -1, place) if place != last else whole

        made: KerasCallable = order
        return made

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        count, m = len(self.levels), middle(self.levels)
        if count == 1:
            return [inputs[0]]
        view, place = lowering.with_axis_alone(inputs[0], node.args["axis"])
        axis = lowering.constant(np.asarray(place, np.int64), "axis")

        def cut(tensor: str, start: int, stop: int) -> str:
            bounds = [lowering.constant(np.asarray([i], np.int64), "bound") for i in (start, stop, place)]
            return lowering.node("Slice", tensor, *bounds)

        anchor, steps = cut(view.tensor, m, m + 1), activate(lowering, view, "softplus").tensor
        parts = [anchor]
        if m:
            below = lowering.node("CumSum", cut(steps, 0, m), axis, reverse=1)
            parts.insert(0, lowering.node("Sub", anchor, below))
        if m + 1 < count:
            above = lowering.node("CumSum", cut(steps, m + 1, count), axis)
            parts.append(lowering.node("Add", anchor, above))
        return [replace(view, tensor=lowering.node("Concat", *parts, axis=place))]
