"""`take_along`: selects positions of an axis that another value says, for each sample its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.merging.joining import common_size
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor


class TakeAlong(Layer):
    """Selects positions along an axis by a second value: `take_along: {from: [x, positions], axis: expert}`.

    The second value is positions of `top_k` or `sort`, a formula's `argmax`, or an input of integers: counted from 0,
    negative ones from the end. Axes meet by name: an axis that the positions lack is taken whole; where they lack
    `axis` itself, each selects one position, and the axis is removed. A position that does not exist is an error, or
    gives an undefined value. The mask is dropped.

    Input axes:  `batch expert unit` and `batch expert` (or `batch`)
    Output axes: `batch expert unit`, expert as many as the positions are, or `batch unit`
    """

    kind = "take_along"
    examples_place = 1
    is_axis_operation = True
    pairs_positions = False
    arity = (2, 2)
    args = {"axis": a.axis("The axis of the first value to select from.", -1)}

    def infer(self, call: Call) -> Inferred:
        value, positions = call.inputs
        if positions.dtype != "float32" and not positions.dtype.startswith(("int", "uint")):
            call.fail(
                "NN407",
                f"`take_along` needs positions, but `{positions.node}` has dtype {positions.dtype}",
                "from",
                about=[positions.node],
            )
        place = call.axis_index(call.args["axis"], "axis")
        known = {axis.name: axis for axis in call.axes}
        along = call.axes[place]
        chosen: Axis | None = None
        for axis in positions.axes:
            if axis.name == along.name:
                chosen = axis
            elif axis.name not in known or common_size(call, known[axis.name].size, axis.size) is None:
                call.fail(
                    "NN311",
                    f"`take_along` selects from {ax.describe(call.axes)} by positions with "
                    f"{ax.describe(positions.axes)}: `{axis.name}` is not an axis of both, of one size",
                    "from",
                    fixes=[
                        Fix(f"`rename` the axes of the positions: the one that selects must be named `{along.name}`")
                    ],
                    about=[axis.name, value.node, positions.node],
                )
        for axis in call.axes:
            if axis.name != along.name and ax.index_of(positions.axes, axis.name) is None:
                call.require_size(axis, f"`{positions.node}` lacks it, and is repeated along it")
        made = list(call.axes)
        made[place : place + 1] = [ax.resized(along, chosen.size, call.name)] if chosen is not None else []
        return Inferred((tuple(made),), windows={place: WHOLE}, keras={"axis": 1 + place})

    def examples(self, node: Node) -> Sequence[str | int]:
        size = node.inputs[0].axes[node.args["axis"] - 1].size
        most = min(size, 100) if isinstance(size, int) else 1
        return list(range(-most, most))  # negative ones count from the end

    def why(self, node: Node) -> dict[str, str]:
        value, positions = node.inputs
        along = value.axes[node.args["axis"] - 1]
        gone = "" if ax.index_of(positions.axes, along.name) is not None else ", one each, without the axis"
        return {"axis": f"Selects the positions of {say.with_size(along)} given by `{positions.node}`{gone}."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        value, positions = node.inputs
        place = node.args["axis"]
        own = ax.names(positions.axes)
        order = [own.index(axis.name) for axis in value.axes if axis.name in own]
        missing = [i + 1 for i, axis in enumerate(value.axes) if axis.name not in own]

        def take(tensors: list[KerasTensor]) -> KerasTensor:
            tensor, found = tensors
            found = ops.cast(found, "int32")
            if order != sorted(order):
                found = ops.transpose(found, (0, *(i + 1 for i in order)))
            for i in missing:
                found = ops.expand_dims(found, i)
            made = ops.take_along_axis(tensor, found, axis=place)
            return ops.squeeze(made, place) if place in missing else made

        return take

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.builder import onnx_type

        value, positions = node.inputs
        place = node.args["axis"]
        ready, found = lowering.canonical(inputs[0]), lowering.canonical(inputs[1])
        own = ax.names(positions.axes)
        groups = [found.axes[1 + own.index(axis.name)] if axis.name in own else () for axis in value.axes]
        found = lowering.arrange(found, (found.axes[0], *groups))
        tensor = found.tensor
        if found.dtype != "int64":
            tensor = lowering.node("Cast", tensor, to=onnx_type("int64"))
        repeats = [1] + [
            int(axis.size) if axis.name not in own and i + 1 != place and isinstance(axis.size, int) else 1
            for i, axis in enumerate(value.axes)
        ]
        if any(count > 1 for count in repeats):
            tensor = lowering.node("Expand", tensor, lowering.constant(np.asarray(repeats, np.int64), "sizes"))
        tensor = lowering.node("GatherElements", ready.tensor, tensor, axis=place)
        kept = value.axes[place - 1].name in own
        size = node.outputs[0].axes[place - 1].size if kept else 1
        group = lowering.factor(value.axes[place - 1].name, size) if kept else ()
        dims = [*ready.axes[:place], group, *ready.axes[place + 1 :]]
        axes = [dim for i, dim in enumerate(dims) if i != place or kept]
        return [replace(ready, tensor=tensor, dims=tuple(dims), axes=tuple(axes), mask=None)]


LAYERS = (TakeAlong(),)
