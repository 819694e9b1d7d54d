"""Layers that create, remove and copy masks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Value
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import check_steps
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


class Masking(Layer):
    """Marks the steps whose features all equal `mask_value` as padding and sets them to zero.

    The values carry the mask. Recurrent layers skip masked steps; layers that treat each step separately pass the mask
    on; others drop it (NN319).

    Input axes:  `batch step feature`
    Output axes: `batch step feature`, masked along `step`
    """

    short = "mask_value"
    kind = "Masking"
    steps = True
    uses_mask = True
    mask_argument = "mask_value"
    args = {"mask_value": a.number("The value of every feature of a padded step.", 0.0)}

    def infer(self, call: Call) -> Inferred:
        if len(call.axes) < 2:
            is_ids = call.input.dtype.startswith("int")
            ids = Fix("for ids, mask id 0 where they are looked up: `mask_zero: true` of the `Embedding`")
            call.require_rank(2, what="steps and features", fixes=[ids] if is_ids else [])
        last = len(call.axes) - 1
        _refuse_parts_of_steps(call)
        check_steps(call, (last - 1,))
        outer = (ax.names(call.axes[: last - 1]),)
        return Inferred(
            (call.axes,), windows={last: WHOLE}, mask=call.axes[last - 1].name, outer=outer, is_zero_at_padding=True
        )

    def masked_value(self, node: Node) -> float:
        return float(node.args["mask_value"])

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.builder import onnx_type
        from nnspec.backends.onnx.view import Mask

        value = node.args["mask_value"]
        view = lowering.separable(inputs[0], [len(inputs[0].axes) - 1])
        features = set(view.axes[-1])
        places = [i for i, dim in enumerate(view.dims) if features.intersection(dim)]
        tensor = view.tensor
        if value:
            tensor = lowering.node("Sub", tensor, lowering.scalar(value, view.dtype))
        if places:  # zero only where every feature is
            axes = lowering.constant(np.asarray(places, np.int64), "axes")
            # of magnitudes, rather than ReduceL1: before opset 18 OpenVINO adds up all axes for it
            tensor = lowering.node("ReduceSum", lowering.node("Abs", tensor), axes, keepdims=1 if value else 0)
        tensor = lowering.node("Cast", tensor, to=onnx_type("bool"))
        unit = [dim for i, dim in enumerate(view.dims) if i not in places]
        if value:
            unit = [() if i in places else dim for i, dim in enumerate(view.dims)]
        flags = replace(view, tensor=tensor, dims=tuple(unit), axes=view.axes[:-1], dtype="bool", mask=None)
        mask = Mask(flags)
        result = view
        if value:  # zeros are masked by zeros already
            zero = lowering.scalar(0, view.dtype)
            result = replace(view, tensor=lowering.node("Where", tensor, view.tensor, zero))
        lowering.harmless.add((result.tensor, flags.tensor))
        return [replace(result, mask=mask)]


def _refuse_parts_of_steps(call: Call) -> None:
    """Steps of several axes each, such as frames, would be masked row by row.

    Raises:
        Fault: NN308, with how to mask whole steps.
    """
    first, *rest = call.axes
    if call.over is not None or len(rest) < 2 or not ax.is_sequence(first) or any(map(ax.is_sequence, rest)):
        return
    if rest[-2].is_learned or not ax.names_places(rest[-2].name):
        return
    names = ", ".join(axis.name for axis in rest)
    sizes = ", ".join(f"{axis.name}: {axis.size}" for axis in rest)
    call.fail(
        "NN308",
        f"`{call.kind}` runs along `{rest[-2].name}`, while the steps are along `{first.name}`",
        label=f"reads {ax.describe(call.axes)}",
        notes=[f"if this is intended, write `over: {rest[-2].name}`"],
        fixes=[
            Fix(
                f"to mask whole steps, merge the others before it, `merge: {{feature: [{names}]}}`, split them again "
                f"after it, `split: {{feature: {{{sizes}}}}}`, and restore the mask with `mask_like`"
            )
        ],
        about=[rest[-2].name, *call.axes],
    )


class Unmask(Layer):
    """Removes the mask on purpose: from here on padding counts as data.

    A layer that drops a mask is reported as NN319; `unmask` states that this is intended. Keras drops masks in the same
    way where values pass an operator (`2 * x`) or a recurrent layer has an `initial_state`.

    Input axes:  `batch step …`, masked
    Output axes: the same, without a mask
    """

    kind = "unmask"
    is_axis_operation = True
    uses_mask = True
    ends_mask = True
    reads_text = True
    moves_values = True

    def infer(self, call: Call) -> Inferred:
        if call.input.mask is None:
            call.warn(
                "NN365",
                f"`unmask` reads `{call.input.node}`, which has no mask",
                notes=["`Masking` and an `Embedding` with `mask_zero` create masks"],
                fixes=[Fix("remove it")],
                about=[call.input.node],
            )
        return Inferred((call.axes,))

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        made: KerasCallable = ops.copy  # an operation: Keras hands a mask on from layer to layer alone
        return made

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [replace(inputs[0], mask=None)]


class MaskLike(Layer):
    """Applies the mask of another value: `mask_like: {from: [values, masked]}`.

    Both must have the masked axis, at the same position and with the same size. Restores a mask that a layer dropped.

    Input axes:  `batch step …`, and `batch step …`, masked along `step`
    Output axes: those of the first, masked along `step`
    """

    kind = "mask_like"
    is_axis_operation = True
    uses_mask = True
    replaces_mask = True
    arity = (2, 2)
    pairs_positions = False

    def infer(self, call: Call) -> Inferred:
        values, masked = call.inputs
        if masked.mask is None:
            call.fail(
                "NN366",
                f"`mask_like` takes the mask of `{masked.node}`, which has none",
                "from",
                fixes=[Fix("name a value that follows a `Masking` or an `Embedding` with `mask_zero`")],
                about=[masked.node],
            )
        place = ax.index_of(masked.axes, masked.mask)
        assert place is not None, "a mask runs along an axis of its value"
        if place >= len(values.axes) or values.axes[place].size != masked.axes[place].size:
            call.fail(
                "NN366",
                f"`mask_like` puts a mask along `{masked.mask}` ({masked.axes[place]}) on values of "
                f"{ax.describe(values.axes)}, which do not have this axis at that position",
                "from",
                fixes=[_mask_of_outer(masked)] if masked.outer and masked.outer[-1] in ax.names(values.axes) else [],
                about=[masked.mask, *values.axes],
            )
        outer = (ax.names(values.axes[: len(masked.outer)]),)
        return Inferred((call.axes,), mask=values.axes[place].name, outer=outer)

    def to_keras(self, node: Node) -> KerasCallable:
        from nnspec.backends.keras.layers.axes import WithMaskOf

        made: KerasCallable = WithMaskOf(name=keras_name(node.name))
        return made

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [replace(inputs[0], mask=inputs[1].mask)]


def _mask_of_outer(masked: Value) -> Fix:
    """Which sentences are padding, from which words of each are."""
    outer = masked.outer[-1]
    pooled = f"- TimeDistributed: {{name: present, from: {masked.node}, over: {outer}, layer: GlobalAveragePooling1D}}"
    return Fix(f"for the mask along `{outer}`, write `{pooled}` before it, and name `present` instead")


LAYERS = (Masking(), Unmask(), MaskLike())
