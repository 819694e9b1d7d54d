"""Pooling with sliding windows along one to three axes: largest value or mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.habits import SEPARATE_ACTIVATION, keras_word
from nnspec.layers.kit.sliding_windows import slid_size, spatial_positions, window_over
from nnspec.layers.pooling.onnx_pool import Windows, write_windows

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Pooling(Layer):
    """Base of pooling layers: output axes, and a lowering in the layout of convolutions."""

    habits = {**SEPARATE_ACTIVATION, "kernel_size": keras_word("pool_size")}
    short = "pool_size"
    rank: ClassVar[int]
    op: ClassVar[str]
    steps = True

    def combination(self, args: Args) -> str:
        return "extreme" if self.op == "MaxPool" else "mean"

    def computes_in_float32(self, node: Node) -> bool:
        return self.rank == 3 or super().computes_in_float32(node)  # TensorFlow pools volumes in no 16 bits

    def geometry(self, args: Args) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Window sizes and strides, one number an axis; without strides windows do not overlap."""
        pool = a.as_tuple(args["pool_size"], self.rank)
        return pool, pool if args["strides"] is None else a.as_tuple(args["strides"], self.rank)

    def infer(self, call: Call) -> Inferred:
        require_channel_axis(call, self.rank + 1, f"{self.rank} spatial and one channel axis")
        call.require_float()
        places, _ = spatial_positions(self.rank, call.args["data_format"])
        check_steps(call, places, spans=self.geometry(call.args)[0])
        padding = call.args["padding"]
        axes: list[ax.Axis] = list(call.axes)
        windows: dict[int, Window] = {}
        for place, span, stride in zip(places, *self.geometry(call.args), strict=True):
            if span == stride == 1:
                continue
            size = slid_size(call, call.axes[place], span, stride, padding, "pool_size")
            axes[place] = ax.resized(call.axes[place], size, call.name)
            windows[place] = window_over(call.axes[place].size, span, stride, padding)
        return Inferred((tuple(axes),), windows=windows)

    def why(self, node: Node) -> dict[str, str]:
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        pool, strides = self.geometry(node.args)
        axes = node.inputs[0].axes
        covered = lists.joined(
            f"{say.with_count(size, 'position')} of `{axes[place].name}`"
            for place, size in zip(places, pool, strict=True)
        )
        kept = "largest value" if self.op == "MaxPool" else "mean"
        return {
            "pool_size": f"A window covers {covered} and keeps the {kept}, channel by channel.",
            "strides": say.stride_sentence(node, places, strides)
            + (" By default this is the window size." if node.args["strides"] is None else ""),
            "padding": say.padding_sentence(node, places, pool, strides, node.args["padding"], "empty position"),
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        pool, strides = self.geometry(node.args)
        if set(pool) == set(strides) == {1}:
            return [replace(inputs[0], mask=None)]
        before, after = node.inputs[0].axes, node.outputs[0].axes
        windows = Windows(self.op, pool, strides, node.args["padding"], node.args["data_format"])
        return [write_windows(lowering, inputs[0], windows, before, after)]


def _pooling_arguments(rank: int, pool_size: a.Default) -> dict[str, a.Arg]:
    return {
        "pool_size": a.sizes("Window size along each spatial axis.", rank, pool_size),
        "strides": a.sizes("Stride between neighbouring windows; default: `pool_size`.", rank, None),
        "padding": a.choice("valid: no padding; same: padding at both ends.", ["valid", "same"], "valid"),
        "data_format": a.data_format(),
    }


class MaxPooling1D(Pooling):
    """Windows of `pool_size` steps slide along a sequence; each keeps its largest value, channel by channel.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, time = (time - pool_size) // strides + 1

    Not this: an input of (feature, time), which would pool features that have no order (NN308).
    """

    kind = "MaxPooling1D"
    rank = 1
    op = "MaxPool"
    args = _pooling_arguments(1, 2)


class MaxPooling2D(Pooling):
    """Windows slide along two axes; each keeps its largest value, channel by channel.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, each length = (length - pool_size) // strides + 1
    """

    kind = "MaxPooling2D"
    rank = 2
    op = "MaxPool"
    args = _pooling_arguments(2, [2, 2])


class AveragePooling1D(Pooling):
    """Windows of `pool_size` steps slide along a sequence; each keeps its mean, channel by channel.

    With `padding: same` a window over an end averages the positions that exist.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, time = (time - pool_size) // strides + 1
    """

    kind = "AveragePooling1D"
    rank = 1
    op = "AveragePool"
    args = _pooling_arguments(1, a.REQUIRED)


class AveragePooling2D(Pooling):
    """Windows slide along two axes; each keeps its mean, channel by channel.

    With `padding: same` a window over an edge averages the positions that exist.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, each length = (length - pool_size) // strides + 1
    """

    kind = "AveragePooling2D"
    rank = 2
    op = "AveragePool"
    args = _pooling_arguments(2, a.REQUIRED)


class MaxPooling3D(Pooling):
    """Windows slide along three axes; each keeps its largest value, channel by channel.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, each length = (length - pool_size) // strides + 1
    """

    kind = "MaxPooling3D"
    rank = 3
    op = "MaxPool"
    args = _pooling_arguments(3, [2, 2, 2])


class AveragePooling3D(Pooling):
    """Windows slide along three axes; each keeps its mean, channel by channel.

    With `padding: same` a window over an edge averages the positions that exist.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, each length = (length - pool_size) // strides + 1
    """

    kind = "AveragePooling3D"
    rank = 3
    op = "AveragePool"
    args = _pooling_arguments(3, a.REQUIRED)


LAYERS = (
    MaxPooling1D(),
    MaxPooling2D(),
    MaxPooling3D(),
    AveragePooling1D(),
    AveragePooling2D(),
    AveragePooling3D(),
)
