"""Global pooling: each channel's largest value or mean over all positions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from nnspec.backends.onnx.ops.placement import broadcast_mask, dims_over_axes
from nnspec.backends.onnx.ops.reductions import has_many, reduce_over
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Args, Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import check_pooled, check_steps, require_channel_axis
from nnspec.layers.kit.held_layer import HeldLayer
from nnspec.layers.kit.sliding_windows import spatial_positions
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor


class GlobalPooling(Layer):
    """Reduces the spatial axes, whatever their order in memory."""

    rank: ClassVar[int]
    op: ClassVar[str]

    @property
    def image_op(self) -> str:
        """The op that pools all but the first two dimensions."""
        return {"ReduceMax": "GlobalMaxPool", "ReduceMean": "GlobalAveragePool"}[self.op]

    steps = True
    args = {
        "data_format": a.data_format(),
        "keepdims": a.boolean("Whether to keep the pooled axes with size 1.", False),
    }

    def combination(self, args: Args) -> str:
        return "extreme" if self.op == "ReduceMax" else "mean"

    def infer(self, call: Call) -> Inferred:
        require_channel_axis(call, self.rank + 1, f"{self.rank} spatial and one channel axis")
        call.require_float()
        places, channel = spatial_positions(self.rank, call.args["data_format"])
        check_steps(call, places, takes_any=True)
        check_pooled(call, places, channel)
        axes: Axes = (call.axes[channel],)
        if call.args["keepdims"]:
            axes = tuple(ax.resized(axis, 1, call.name) if i in places else axis for i, axis in enumerate(call.axes))
        return Inferred((axes,), windows=dict.fromkeys(places, WHOLE))

    def why(self, node: Node) -> dict[str, str]:
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        pooled = lists.joined(say.with_size(node.inputs[0].axes[place]) for place in places)
        what = "largest value" if self.op == "ReduceMax" else "mean"
        keeps = node.args["keepdims"]
        left = "these axes stay with size 1" if len(places) > 1 else "the axis stays with size 1"
        gone = "these axes are removed" if len(places) > 1 else "the axis is removed"
        return {
            "": f"Each channel keeps one number of all positions of {pooled}, the {what}; {left if keeps else gone}."
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        places, channel = spatial_positions(self.rank, node.args["data_format"])
        ready, reduced = dims_over_axes(lowering, view, [1 + place for place in places])
        dims = tuple(dim for i, dim in enumerate(ready.dims) if i not in reduced)
        is_exact = self.op == "ReduceMax" or not has_many([ready.dims[dim] for dim in reduced])
        if (
            view.mask is None and is_exact and _is_image(ready, reduced)
        ):  # as a convolution leaves it, blocked in memory
            tensor = lowering.node(self.image_op, ready.tensor)
            dims = (*ready.dims[:2], *((),) * (len(ready.dims) - 2))
        else:
            tensor = self.reduce(node, ready, reduced, lowering)
        axes: tuple[Group, ...] = (view.axes[0], view.axes[1 + channel])
        if node.args["keepdims"]:
            axes = tuple(() if i - 1 in places else group for i, group in enumerate(view.axes))
        return [replace(ready, tensor=tensor, dims=dims, axes=axes, mask=None)]

    def reduce(self, node: Node, view: View, dims: list[int], lowering: Lowering) -> str:
        """The tensor without these dimensions."""
        if not dims:
            return view.tensor
        if self.op == "ReduceMean":
            return reduce_over(lowering, self.op, view.tensor, dims, view.dims, keepdims=0)
        return lowering.node(self.op, view.tensor, lowering.constant(np.asarray(dims, np.int64), "axes"), keepdims=0)


# Keras takes the maximum over padding too, which may be larger than all data.
_MASKED_MAXIMUM = (
    "`GlobalAveragePooling1D` leaves padding out; `nnspec explain NN319` shows the maximum of the data alone",
    "remove the mask with `unmask` if padding may count, or cannot be the maximum (zeros after a `relu`)",
)


class GlobalMaxPooling1D(GlobalPooling):
    """The largest value of each channel over all steps of a sequence.

    Input axes:  `batch time channel`
    Output axes: `batch channel`, or `batch time channel` with time 1 where `keepdims`
    """

    kind = "GlobalMaxPooling1D"
    without_mask = _MASKED_MAXIMUM
    rank = 1
    op = "ReduceMax"


class GlobalMaxPooling2D(GlobalPooling):
    """The largest value of each channel over two axes.

    Input axes:  `batch height width channel`
    Output axes: `batch channel`, or `batch height width channel` with height and width 1 where `keepdims`
    """

    kind = "GlobalMaxPooling2D"
    rank = 2
    op = "ReduceMax"


class GlobalMaxPooling3D(GlobalPooling):
    """The largest value of each channel over three axes.

    Input axes:  `batch depth height width channel`
    Output axes: `batch channel`, or `batch depth height width channel` with the pooled sizes 1 where `keepdims`
    """

    kind = "GlobalMaxPooling3D"
    rank = 3
    op = "ReduceMax"


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over all steps of a sequence; where the input has a mask, over those that hold data.

    The mean of a sequence that is all padding is 0, in Keras and in ONNX. Keras' own layer divides 0 by 0 there, so
    that one empty text would make the loss of its whole batch NaN.

    Input axes:  `batch time channel`
    Output axes: `batch channel`, or `batch time channel` with time 1 where `keepdims`
    """

    kind = "GlobalAveragePooling1D"
    rank = 1
    op = "ReduceMean"
    uses_mask = True

    def to_keras(self, node: Node) -> KerasCallable:
        if _is_masked(node):
            return _Average(super().to_keras(node))  # type: ignore[return-value]
        return super().to_keras(node)

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        if not isinstance(layer, _Average):
            if node.inputs[0].mask is None:
                return layer(tensors[0])
            from keras import ops

            return layer(ops.copy(tensors[0]))  # Keras takes a mask along another axis for one along this
        from keras import ops
        from keras.src.backend import get_keras_mask

        mask = get_keras_mask(tensors[0])
        some = ops.any(mask, axis=1, keepdims=True)
        averaged = ops.logical_or(mask, ops.logical_not(some))  # where no step holds data, over all of them
        made = layer.layer(tensors[0], mask=averaged)
        if node.args["keepdims"]:
            some = ops.expand_dims(some, 2)
        return ops.multiply(made, ops.cast(some, made.dtype))

    def reduce(self, node: Node, view: View, dims: list[int], lowering: Lowering) -> str:
        from nnspec.backends.onnx.builder import onnx_type

        place = spatial_positions(1, node.args["data_format"])[0][0]
        if view.mask is None or not _is_masked(node):
            return super().reduce(node, view, dims, lowering)
        ready = lowering.separable(view, [0])
        mask = broadcast_mask(lowering, ready, 1 + place, view.mask)
        kept = lowering.node("Where", mask, ready.tensor, lowering.scalar(0.0, view.dtype))
        if not dims:  # one step: it is the mean of itself, or padding
            return kept
        axes = lowering.constant(np.asarray(dims, np.int64), "axes")
        counted = lowering.node("Cast", mask, to=onnx_type(view.dtype))
        total = reduce_over(lowering, "ReduceSum", kept, dims, ready.dims, keepdims=0)
        count = lowering.node("ReduceSum", counted, axes, keepdims=0)
        return lowering.node("Div", total, lowering.node("Max", count, lowering.scalar(1.0, view.dtype)))


class _Average(HeldLayer):
    """Keras' layer of a masked mean, to be called on what is never masked altogether."""


def _is_image(view: View, reduced: list[int]) -> bool:
    """Whether memory is (batch, channel, spatial …) and all that is spatial is pooled."""
    rest = [i for i, dim in enumerate(view.dims) if i > 1 and dim]
    return len(view.dims) == 4 and rest == reduced and bool(view.dims[0] and view.dims[1])


def _is_masked(node: Node) -> bool:
    """Whether the mask is one of the pooled axis."""
    place = spatial_positions(1, node.args["data_format"])[0][0]
    return node.inputs[0].mask == node.inputs[0].axes[place].name


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel over two axes.

    Input axes:  `batch height width channel`
    Output axes: `batch channel`, or `batch height width channel` with height and width 1 where `keepdims`
    """

    kind = "GlobalAveragePooling2D"
    rank = 2
    op = "ReduceMean"


class GlobalAveragePooling3D(GlobalPooling):
    """The mean of each channel over three axes.

    Input axes:  `batch depth height width channel`
    Output axes: `batch channel`, or `batch depth height width channel` with the pooled sizes 1 where `keepdims`
    """

    kind = "GlobalAveragePooling3D"
    rank = 3
    op = "ReduceMean"


LAYERS = (
    GlobalMaxPooling1D(),
    GlobalMaxPooling2D(),
    GlobalMaxPooling3D(),
    GlobalAveragePooling1D(),
    GlobalAveragePooling2D(),
    GlobalAveragePooling3D(),
)
