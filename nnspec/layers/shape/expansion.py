"""`expand`: repeats an axis of size 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.shape.axis_operations import MappingOperation
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


class Expand(MappingOperation):
    """Repeats values along an axis of size 1: `expand: {copy: 3}`. `insert` creates such an axis.

    With `merge` it repeats each step (`[time, copy]`) or the whole sequence (`[copy, time]`). The mask is dropped.

    Input axes:  `batch time copy` of 10 × 1
    Output axes: `batch time copy` of 10 × 3
    """

    kind = "expand"
    moves_values = True
    values = {"type": "integer", "minimum": 1, "description": "Number of repetitions: the new size."}

    def infer(self, call: Call) -> Inferred:
        axes = list(call.axes)
        repeats = [1] * len(axes)
        for name, count in self.require_axis_entries(call).items():
            place = call.axis_index(name, name)
            if axes[place].size != 1:
                call.fail(
                    "NN317",
                    f"`expand` repeats along axes of size 1, but `{name}` has size {axes[place].size}",
                    name,
                    notes=["to repeat the positions of an axis, `insert` one, `expand` it, and `merge` the two"],
                    about=[name],
                )
            repeats[place] = int(count)
            axes[place] = ax.fresh(name, int(count), call.name)
        return Inferred((tuple(axes),), keras={"repeats": repeats})

    def why(self, node: Node) -> dict[str, str]:
        pairs = zip(node.outputs[0].axes, node.args["repeats"], strict=True)
        said = [f"{say.with_count(count, 'time')} along `{axis.name}`" for axis, count in pairs if count > 1]
        return {"": f"Repeats all values {lists.joined(said)}." if said else "Nothing changes."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        return lambda tensor: ops.tile(tensor, [1, *node.args["repeats"]])

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        places = [place for place, count in enumerate(node.args["repeats"]) if count > 1]
        if not places:
            return [inputs[0]]
        axes = [1 + place for place in places]
        ready, dims = separate_dims(lowering, inputs[0], axes)
        repeats = np.ones(len(ready.dims), np.int64)
        repeats[dims] = [node.args["repeats"][place] for place in places]
        tensor = lowering.node("Tile", ready.tensor, lowering.constant(repeats, "repeats"))
        made = node.outputs[0].axes
        groups = [lowering.factor(made[place].name, made[place].size) for place in places]
        return [replace_dims(ready, tensor, dims, axes, groups)]


LAYERS = (Expand(),)
