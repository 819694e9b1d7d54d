"""Concatenate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Edit, Fix, lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.habits import SEPARATE_ACTIVATION, keras_word
from nnspec.layers.merging.elementwise import any_mask, common_mask
from nnspec.layers.merging.joining import join_axes
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor


class Concatenate(Layer):
    """Concatenates its inputs along an axis; all other axes must agree. The values can be numbers or ids.

    Input axes:  `batch time filter`, each
    Output axes: `batch time filter`, filter the sum; `as` names it
    """

    short = "from"
    joins_end_to_end = True
    kind = "Concatenate"
    joins_masks = True
    habits = {**SEPARATE_ACTIVATION, "dim": keras_word("axis")}
    arity = (2, None)
    makes = "filter"
    args = {"axis": a.axis("The axis to concatenate along.", -1)}

    def infer(self, call: Call) -> Inferred:
        call.require_one_dtype()
        place = call.axis_index(call.args["axis"], "axis")
        axes = list(join_axes(call, place))
        parts = [value.axes[place] for value in call.inputs]
        _warn_of_twice_the_steps(call, place, parts)
        size = _sum(ax.sizes(parts))
        origin = parts[0].origin if len({part.origin for part in parts}) == 1 else None
        learned = any(part.is_learned for part in parts)
        name = call.axis_name or parts[0].name
        axes[place] = ax.fresh(name, size, call.name, is_learned=learned, origin=origin)
        return Inferred(
            (call.require_unique(tuple(axes)),),
            mask=self.mask(call, place),
            keras={"axis": place + 1},
            end_to_end=place,
        )

    def why(self, node: Node) -> dict[str, str]:
        place = node.args["axis"] - 1
        made = node.outputs[0].axes[place]
        sizes = " + ".join(str(value.axes[place].size) for value in node.inputs)
        parts = lists.joined(f"{value.axes[place].size} of `{value.node}`" for value in node.inputs)
        return {"axis": f"`{made.name}` contains {parts}, one after the other: {sizes} = {made.size}."}

    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]:
        if ax.is_sequence(node.outputs[0].axes[node.args["axis"] - 1]):  # steps of one input may be masked still
            return ()
        return (values[0] if len({*values}) == 1 else None,)

    def mask(self, call: Call, place: int) -> str | None:
        masked = [value for value in call.inputs if value.mask is not None]
        if not masked:
            return None
        if any(len(value.axes) != 2 for value in masked):
            call.fail(
                "NN319",
                f"Keras' `Concatenate` cannot join a mask along `{masked[0].mask}` with inputs "
                f"{', '.join(ax.describe(value.axes) for value in call.inputs)}",
                "from",
                notes=["masks can be joined if every input has two axes"],
                about=[masked[0].mask],
            )
        if place == 0:
            return call.axis_name or call.axes[0].name
        return common_mask(call)

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        return keras.layers.Concatenate(node.args["axis"], name=keras_name(node.name))  # type: ignore[no-any-return]

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        """Without a mask where not every input has one: Keras makes one then that hides nothing, which a `Softmax` that
        reads it refuses."""
        from keras import ops

        is_partly = node.outputs[0].mask is None and any(value.mask is not None for value in node.inputs)
        return layer([ops.copy(tensor) for tensor in tensors] if is_partly else tensors)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        axis = node.args["axis"]
        made = node.outputs[0]
        result = concatenate(lowering, inputs, axis, made.axes[axis - 1].name, made.axes[axis - 1].size)
        masks = [view.mask for view in inputs]
        if made.mask is None:
            return [replace(result, mask=None)]
        if axis != 1:
            return [replace(result, mask=any_mask(lowering, masks))]
        known = [mask for mask in masks if mask is not None]
        flags = [_all_data(lowering, view) if view.mask is None else view.mask.view for view in inputs]
        steps = concatenate(lowering, flags, 1, made.mask, made.axes[0].size)
        steps = steps.with_axes(result.axes[:2])
        steps = replace(
            steps, dims=tuple(result.axes[1] if dim and dim != result.axes[0] else dim for dim in steps.dims)
        )
        return [replace(result, mask=replace(known[0], view=steps))]


def _warn_of_twice_the_steps(call: Call, place: int, parts: Sequence[ax.Axis]) -> None:
    """NN378: branches of one input are joined end to end along its steps or places; an axis that is named is meant."""
    first, given = parts[0], call.args["axis"]
    channels = [axis for i, axis in enumerate(call.axes) if i != place and ax.is_unordered(axis)]
    is_one = first.origin is not None and len({(part.origin, part.size) for part in parts}) == 1
    if isinstance(given, str) or not is_one or not ax.names_places(first.name) or not channels or first.size == 1:
        return
    seen = [field for value in call.inputs if (field := value.fields.get(str(first.origin))) is not None]
    if any((field.behind or 0) < 0 or (field.ahead or 0) < 0 for field in seen):
        return  # pieces of the input, such as its halves
    node, meant = call.node("axis"), channels[-1].name
    call.warn(
        "NN378",
        f"`Concatenate` puts the same positions of `{first.name}` one after another, {len(parts)} times",
        "axis",
        label=f"joins {', '.join(ax.describe(value.axes) for value in call.inputs)}",
        notes=[f"if this is intended, write `axis: {first.name}`"],
        fixes=[Fix(f"join `{meant}`: `axis: -1`", (Edit(node.span, "-1"),) if node is not None else ())]
        if channels[-1] is call.axes[-1]
        else [Fix(f"join `{meant}`: `axis: {meant}`")],
        about=[first.name, meant, *call.axes],
    )


def _all_data(lowering: Lowering, view: View) -> View:
    """The mask of a view (batch, step, …) that has none: every step counts."""
    ready = lowering.arrange(view, view.axes)
    shape = lowering.node("Shape", ready.tensor, start=0, end=2)
    axes = view.axes[:2]
    tensor = lowering.node("Expand", lowering.constant(np.ones((1, 1), bool), "data"), shape)
    return replace(view, tensor=tensor, dims=axes, axes=axes, dtype="bool", mask=None)


def concatenate(lowering: Lowering, inputs: list[View], axis: int, name: str, size: ax.Size) -> View:
    """Views joined along one of their axes (0 is batch), which is then `size` long."""
    views = lowering.aligned(inputs, free_axis=axis)
    place = next((place for view in views if (place := view.dim_of(axis)) is not None), axis)
    tensor = lowering.node("Concat", *(view.tensor for view in views), axis=place)
    group = lowering.factor(name, size)
    first = views[0]
    dims = tuple(group if i == place else dim for i, dim in enumerate(first.dims))
    axes = tuple(group if i == axis else old for i, old in enumerate(first.axes))
    return replace(first, tensor=tensor, dims=dims, axes=axes, mask=None)


def _sum(sizes: Sequence[ax.Size]) -> ax.Size:
    if all(isinstance(size, int) for size in sizes):
        return sum(size for size in sizes if isinstance(size, int))
    if len(set(sizes)) == 1:
        return ax.multiply((len(sizes), sizes[0]))
    return ax.derived(f"({' + '.join(str(size) for size in sizes)})")


LAYERS = (Concatenate(),)
