"""`roll`: shifts positions along an axis, with wrap-around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.shape.axis_operations import MappingOperation
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor


class Roll(MappingOperation):
    """Shifts positions along an axis, `roll: {time: 2}`: positions beyond the end wrap around to the beginning.

    A negative number shifts the other way. The mask is dropped.

    Input axes:  `batch time feature`
    Output axes: the same
    """

    kind = "roll"
    moves_values = True
    values = {"type": "integer", "description": "By how many positions."}

    def infer(self, call: Call) -> Inferred:
        axes = list(call.axes)
        shifts = [0] * len(axes)
        for name, said in self.require_axis_entries(call).items():
            place = call.axis_index(name, name)
            shifts[place] = self.shift(call, axes[place], int(said))
            if shifts[place]:
                axes[place] = ax.resized(axes[place], axes[place].size, call.name)
        windows = {place: WHOLE for place, shift in enumerate(shifts) if shift}
        return Inferred((tuple(axes),), windows=windows, keras={"shifts": shifts})

    def shift(self, call: Call, axis: Axis, said: int) -> int:
        """How far positions move; once round is not at all."""
        if isinstance(axis.size, int):
            return said % axis.size
        if abs(said) > 1:
            call.constraints.append(f"{axis.size} > {abs(said) - 1}")
        return said

    def why(self, node: Node) -> dict[str, str]:
        pairs = zip(node.inputs[0].axes, node.args["shifts"], strict=True)
        said = [f"those of {say.with_size(axis)} by {shift}" for axis, shift in pairs if shift]
        return {"": f"Positions move, {lists.joined(said)}." if said else "Nothing changes."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        shifts: list[int] = node.args["shifts"]
        places = [place for place, shift in enumerate(shifts) if shift]

        def roll(tensor: KerasTensor) -> KerasTensor:
            for place in places:
                tensor = ops.roll(tensor, shifts[place], axis=1 + place)
            return tensor if places else ops.copy(tensor)

        return roll

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        for place, shift in enumerate(node.args["shifts"]):
            if not shift or view.axes[1 + place] == ():
                continue
            axis = node.outputs[0].axes[place]
            ready, (dim,) = separate_dims(lowering, view, [1 + place])
            last, first = (
                lowering.node(
                    "Slice",
                    ready.tensor,
                    *(
                        lowering.constant(np.asarray([number], np.int64), name)
                        for number, name in ((start, "start"), (end, "end"), (dim, "axis"))
                    ),
                )
                for start, end in ((-shift, 2**63 - 1), (0, -shift))
            )
            tensor = lowering.node("Concat", last, first, axis=dim)
            view = replace_dims(ready, tensor, [dim], [1 + place], [lowering.factor(axis.name, axis.size)])
        return [view]


LAYERS = (Roll(),)
