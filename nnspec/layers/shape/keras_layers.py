"""Keras' layers that reshape or reorder axes: Flatten, Reshape, Permute, RepeatVector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.document.types import JsonSchema
from nnspec.ir import axes as ax
from nnspec.ir.axes import Size, Symbolic
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.axis_lists import positions, require_permutation
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.habits import SEPARATE_ACTIVATION, Hint, keras_word
from nnspec.layers.kit.unknown_sizes import symbolic_recipe
from nnspec.layers.shape import rules as rules

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


class Rebracketing(Layer):
    """Changes axes but not values: nothing moves in memory."""

    reads_text = True
    moves_values = True

    def why(self, node: Node) -> dict[str, str]:
        return {"": say.contents_sentence(node)}

    def to_keras(self, node: Node) -> KerasCallable:
        """A layer that gives the output its sizes; nothing where they do not change and no mask is lost."""
        import keras

        layer: KerasCallable
        before, after = ax.sizes(node.inputs[0].axes), ax.sizes(node.outputs[0].axes)
        loses_mask = node.inputs[0].mask is not None and node.outputs[0].mask is None
        if before == after and not loses_mask:
            layer = keras.layers.Identity(name=keras_name(node.name))
            return layer
        unknown = [i for i, size in enumerate(after) if not isinstance(size, int)]
        if len(unknown) > 1:
            from nnspec.backends.keras.layers.axes import SymbolicReshape

            return SymbolicReshape(
                [str(size) for size in before], symbolic_recipe(before, after), name=keras_name(node.name)
            )
        target = [size if isinstance(size, int) else -1 for size in after]
        layer = keras.layers.Reshape(target, name=keras_name(node.name))
        return layer

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [lowering.rebracketed(inputs[0], node.outputs[0].axes)]


class Flatten(Layer):
    """Merges all axes into one; values keep their order.

    Input axes:  `batch time filter`
    Output axes: `batch time_filter` (or the name that `as` gives)
    """

    kind = "Flatten"
    habits = SEPARATE_ACTIVATION
    reads_text = True
    moves_values = True
    makes = "time_filter"
    args = {"data_format": a.data_format("channels_first: move the channel axis last before flattening.")}

    def infer(self, call: Call) -> Inferred:
        axes = call.axes
        if call.args["data_format"] == "channels_first" and len(axes) > 1:
            axes = (*axes[1:], axes[0])
        return Inferred((rules.merge_all_axes(call, axes),))

    def why(self, node: Node) -> dict[str, str]:
        return {"": say.contents_sentence(node)}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        groups = inputs[0].axes[1:]
        if node.args["data_format"] == "channels_first" and len(groups) > 1:
            groups = (*groups[1:], groups[0])
        return [inputs[0].with_axes((inputs[0].axes[0], tuple(f for group in groups for f in group)))]


class Reshape(Rebracketing):
    """Changes the axes and keeps all values in memory order. Allowed if every axis is kept, merged or split evenly.

    Takes Keras' `target_shape`, or `to:` with a name for every axis, which is checked too.

    Input axes:  `batch frequency time` of 128 × 1000, with `to: {band: 8, bin: 16, time: 1000}`
    Output axes: `batch band bin time`

    Not this: swapping two axes. A reshape to the swapped sizes keeps the memory order and scrambles the axes (NN301);
    `permute` swaps.
    """

    kind = "Reshape"
    habits = {
        "shape": keras_word("target_shape"),
        "as": Hint("name its axes, each with its size: `to: {height: 7, width: 7, channel: 128}`"),
    }
    args = {
        "target_shape": a.Arg(
            {"type": ["array", "integer", "null"], "items": {"type": "integer", "minimum": -1}},
            "Sizes without batch; one may be -1.",
            None,
        ),
        "to": a.Arg(
            {
                "type": ["object", "null"],
                "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_\-]*$"},
                "additionalProperties": {"type": ["integer", "string", "null"], "minimum": -1},
            },
            "Names and sizes of the output axes; one size may be -1 or null.",
            None,
        ),
    }

    def required_arguments(self) -> list[str]:
        return ["target_shape"]

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        return {**{k: v for k, v in schema.items() if k != "required"}, "minProperties": 1}

    def infer(self, call: Call) -> Inferred:
        target, to = call.args["target_shape"], call.args["to"]
        if (target is None) == (to is None):
            message = "takes `target_shape` or `to`, not both" if to is not None else "needs `target_shape` or `to`"
            fixes = [Fix("keep `to`, whose names are checked too")] if to is not None else []
            call.fail("NN208", f"`Reshape` {message}", "to" if to is not None else None, fixes=fixes)
        if to is not None:
            names: list[str | None] | None = list(to)
            wanted: list[Size | None] = [_declared_size(value) for value in to.values()]
        else:
            names = None
            wanted = [None if v == -1 else int(v) for v in ([target] if isinstance(target, int) else target)]
        arg = "to" if to is not None else "target_shape"
        axes = rules.reshape(call, wanted, names, arg)
        return Inferred((axes,), keras={"target_shape": None})


def _declared_size(value: int | str | None) -> Size | None:
    if value is None or value == -1:
        return None
    return Symbolic.symbol(value) if isinstance(value, str) else int(value)


def permute_view(view: View, order: Sequence[int]) -> View:
    """The view with its axes (batch left out of `order`) in another order: no memory moves."""
    return view.with_axes((view.axes[0], *(view.axes[1 + i] for i in order)))


class Permute(Layer):
    """Reorders axes; values move with their axes.

    Input axes:  `batch time mel`
    Output axes: `batch mel time`

    Not this: a Reshape with the same sizes; it keeps memory order and scrambles the axes (NN301).
    """

    kind = "Permute"
    reorders_axes = True
    habits = dict.fromkeys(("perm", "axes"), keras_word("dims"))
    reads_text = True
    moves_values = True
    args = {
        "dims": a.Arg(
            {"type": "array", "items": {"type": ["integer", "string"], "minimum": 1}, "minItems": 1},
            "Positions from 1 (batch excluded), as in Keras, or axis names.",
        )
    }

    def infer(self, call: Call) -> Inferred:
        order = positions(call, call.args["dims"], "dims")
        require_permutation(call, order, "dims")
        return Inferred((tuple(call.axes[i] for i in order),), keras={"dims": [i + 1 for i in order]})

    def why(self, node: Node) -> dict[str, str]:
        return {"": say.moves_sentence(node)}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [permute_view(inputs[0], [d - 1 for d in node.args["dims"]])]


class RepeatVector(Layer):
    """Repeats a vector `n` times along a new first axis.

    Input axes:  `batch feature`
    Output axes: `batch step feature`
    """

    kind = "RepeatVector"
    makes_repeats = True
    moves_values = True
    makes = "step"
    args = {"n": a.integer("Number of repetitions: the size of the new axis.")}

    def infer(self, call: Call) -> Inferred:
        call.require_rank(1)
        made = ax.fresh(call.axis_name or "step", call.args["n"], call.name)
        return Inferred((call.require_unique((made, *call.axes)),))

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        made = lowering.factor(node.outputs[0].axes[0].name, node.args["n"])
        ready = lowering.arrange(view, (view.axes[0], (), view.axes[1]))
        axes = (view.axes[0], made, view.axes[1])
        if not made:
            return [ready.with_axes(axes)]
        import numpy as np

        repeats = lowering.constant(np.asarray([1, node.args["n"], 1], np.int64), "repeats")
        return [replace(ready, tensor=lowering.node("Tile", ready.tensor, repeats), dims=axes, axes=axes)]


LAYERS = (Flatten(), Reshape(), Permute(), RepeatVector())
