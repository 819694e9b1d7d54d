"""`pad`: pads any axes by a constant, or by mirrored values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node, Window
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable

_PAIR = {
    "type": ["integer", "array"],
    "minimum": 0,
    "items": {"type": "integer", "minimum": 0},
    "minItems": 2,
    "maxItems": 2,
}


class Pad(Layer):
    """Pads axes at both ends: `pad: {axes: {height: 1, width: [2, 0]}, mode: reflect}`.

    `constant` pads with a number; `reflect` mirrors at the last position, `symmetric` after it. Takes any axis.
    The mask is dropped.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, height and width longer
    """

    kind = "pad"
    is_axis_operation = True
    args = {
        "axes": a.Arg(
            {
                "type": "object",
                "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_\-]*$"},
                "additionalProperties": _PAIR,
                "minProperties": 1,
            },
            "Number of positions by axis: at each end, or [before, after].",
        ),
        "mode": a.choice("How the new positions are filled.", ["constant", "reflect", "symmetric"], "constant"),
        "value": a.number("The number of `mode: constant`.", 0.0),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        axes = list(call.axes)
        windows: dict[int, Window] = {}
        sides = [[0, 0] for _ in axes]
        mode = call.args["mode"]
        for name, said in call.args["axes"].items():
            place = call.axis_index(name, "axes")
            before, after = (said, said) if isinstance(said, int) else (int(said[0]), int(said[1]))
            if not before + after:
                continue
            axis = axes[place]
            self.check_mirrored(call, axis, max(before, after))
            sides[place] = [before, after]
            more = before + after
            size = axis.size + more if isinstance(axis.size, int) else ax.derived(f"({axis.size} + {more})")
            axes[place] = ax.resized(axis, size, call.name)
            windows[place] = Window(1, 1, -before) if mode == "constant" else WHOLE
        return Inferred((tuple(axes),), windows=windows, keras={"sides": sides})

    def check_mirrored(self, call: Call, axis: Axis, most: int) -> None:
        """A mirror shows no more than there is.

        Raises:
            Fault: NN370 where the axis is too short.
        """
        mode = call.args["mode"]
        if mode == "constant":
            return
        least = most + (mode == "reflect")
        if not isinstance(axis.size, int):
            if least > 1:
                call.constraints.append(f"{axis.size} > {least - 1}")
        elif axis.size < least:
            call.fail(
                "NN370",
                f"`pad` mirrors {say.with_count(most, 'position')} of `{axis.name}`, which has {axis.size}: "
                f"`mode: {mode}` needs {least}",
                "axes",
                about=[axis.name],
            )

    def why(self, node: Node) -> dict[str, str]:
        pairs = zip(node.inputs[0].axes, node.outputs[0].axes, node.args["sides"], strict=True)
        parts = [
            f"{before} before and {after} after: {say.size_change(old, new)}"
            for old, new, (before, after) in pairs
            if before or after
        ]
        what = f"The number {node.args['value']:g} is" if node.args["mode"] == "constant" else "Mirrored values are"
        return {"axes": f"{what} added at the ends, {lists.joined(parts)}." if parts else "Nothing changes."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        mode = node.args["mode"]
        more = {"constant_values": float(node.args["value"])} if mode == "constant" else {}
        return lambda tensor: ops.pad(tensor, [[0, 0], *node.args["sides"]], mode=mode, **more)

    def padding_behind(self, node: Node, value: float) -> float | None:
        return None if any(map(any, node.args["sides"])) and value != node.args["value"] else value

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        sides = node.args["sides"]
        places = [place for place, side in enumerate(sides) if any(side)]
        if not places:
            return [inputs[0]]
        axes = [1 + place for place in places]
        ready, dims = separate_dims(lowering, inputs[0], axes)
        made = node.outputs[0].axes
        groups = [lowering.factor(made[place].name, made[place].size) for place in places]
        if node.args["mode"] == "symmetric":
            tensor = ready.tensor
            for dim, place in zip(dims, places, strict=True):
                tensor = _mirror_ends(lowering, tensor, dim, *sides[place])
        else:
            amounts = np.zeros((2, len(ready.dims)), np.int64)
            amounts[:, dims] = np.asarray([sides[place] for place in places]).T
            pads = lowering.constant(amounts.reshape(-1), "pads")
            value = float(node.args["value"])
            if node.args["mode"] == "reflect":
                tensor = lowering.node("Pad", ready.tensor, pads, mode="reflect")
            else:
                more = [lowering.scalar(value, ready.dtype)] if value else []
                tensor = lowering.node("Pad", ready.tensor, pads, *more)
        return [replace_dims(ready, tensor, dims, axes, groups)]


def _mirror_ends(lowering: Lowering, tensor: str, dim: int, before: int, after: int) -> str:
    """The tensor with its first and last positions once more, turned round: no mode of ONNX' Pad does that."""

    def turned(start: int, end: int) -> str:
        bounds = [
            lowering.constant(np.asarray([number], np.int64), name)
            for number, name in ((start, "start"), (end, "end"), (dim, "axis"), (-1, "step"))
        ]
        return lowering.node("Slice", tensor, *bounds)

    parts = [turned(before - 1, -(2**63))] if before else []
    parts.append(tensor)
    parts += [turned(-1, -after - 1)] if after else []
    return lowering.node("Concat", *parts, axis=dim)


LAYERS = (Pad(),)
