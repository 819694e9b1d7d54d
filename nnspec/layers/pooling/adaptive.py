"""Adaptive pooling: a fixed number of windows for any length; each keeps its largest value or its mean.

Window `i` of `made` over `size` positions runs from `floor(i · size / made)` to `ceil((i + 1) · size / made)`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.image.linear_maps import map_axis
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.sliding_windows import spatial_positions
from nnspec.layers.pooling.onnx_pool import Windows, write_windows
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


def windows_of(size: int, made: int) -> list[range]:
    """The positions of each window."""
    return [range(i * size // made, -(-(i + 1) * size // made)) for i in range(made)]


def window_seen(stride: Fraction) -> Window:
    """Position i covers what lies from ⌊stride·i⌋ to ⌈stride·(i + 1)⌉ - 1; both are on a grid of 1 / denominator."""
    grain = Fraction(1, stride.denominator)
    return Window(stride + 2 - 2 * grain, stride, stride - grain)


class AdaptivePooling(Layer):
    """Base of adaptive pooling: a fixed number of windows."""

    rank: ClassVar[int]
    op: ClassVar[str]
    global_op: ClassVar[str]
    steps = True

    def computes_in_float32(self, node: Node) -> bool:
        return self.rank == 3 or super().computes_in_float32(node)  # TensorFlow pools volumes in no 16 bits

    def infer(self, call: Call) -> Inferred:
        require_channel_axis(call, self.rank + 1, f"{self.rank} spatial and one channel axis")
        call.require_float()
        places, _ = spatial_positions(self.rank, call.args["data_format"])
        check_steps(call, places)
        axes: list[Axis] = list(call.axes)
        windows: dict[int, Window] = {}
        for place, made in zip(places, a.as_tuple(call.args["output_size"], self.rank), strict=True):
            axis = call.axes[place]
            if made == 1:
                windows[place] = WHOLE
            else:
                size = call.require_size(axis, "its window size follows from the number of windows")
                windows[place] = window_seen(Fraction(size, made))
            if axis.size != made:
                axes[place] = ax.resized(axis, made, call.name)
        return Inferred((tuple(axes),), windows=windows)

    def to_keras(self, node: Node) -> KerasCallable:
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        if all(ax.known_size(node.inputs[0].axes[p].size) != 1 != node.outputs[0].axes[p].size for p in places):
            return super().to_keras(node)
        from nnspec.backends.keras.layers.axes import SMALL_ADAPTIVE_POOLING

        layer: KerasCallable = SMALL_ADAPTIVE_POOLING[self.kind](
            name=keras_name(node.name), **self.keras_arguments(node)
        )
        return layer

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        """Windows of one length that tile an axis by a pooling node, whole axes by a reduction, others one by one."""
        view = replace(inputs[0], mask=None)
        before, after = node.inputs[0].axes, node.outputs[0].axes
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        changed = [place for place in places if before[place].size != after[place].size]
        tiled = [place for place in changed if after[place].size != 1 and _tile_length(before[place], after[place])]
        if tiled:  # the node takes whole axes along
            tiled += [p for p in changed if after[p].size == 1 and isinstance(before[p].size, int)]
            view = self.tile(lowering, node, view, tiled)
        whole = [place for place in changed if after[place].size == 1 and place not in tiled]
        if whole:
            ready, dims = separate_dims(lowering, view, [1 + place for place in whole])
            tensor = lowering.node(self.global_op, ready.tensor, lowering.constant(np.asarray(dims, np.int64), "axes"))
            view = replace_dims(ready, tensor, dims, [1 + place for place in whole], [()] * len(whole))
        for place in changed:
            if place not in tiled and place not in whole:
                view = self.gather(lowering, view, 1 + place, before[place], after[place])
        return [view]

    def tile(self, lowering: Lowering, node: Node, view: View, tiled: list[int]) -> View:
        before, after = node.inputs[0].axes, node.outputs[0].axes
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        spans = tuple((_tile_length(before[place], after[place]) or 1) if place in tiled else 1 for place in places)
        made: Axes = tuple(after[i] if i in tiled else axis for i, axis in enumerate(before))
        windows = Windows(self.op, spans, spans, "valid", node.args["data_format"])
        return write_windows(lowering, view, windows, before, made)

    def gather(self, lowering: Lowering, view: View, axis: int, before: Axis, after: Axis) -> View:
        """Windows of different lengths along one axis; those of one position each are only repeated."""
        assert isinstance(before.size, int)
        assert isinstance(after.size, int)
        windows = windows_of(before.size, after.size)
        widest = max(len(window) for window in windows)
        if widest > 1:
            return self.reduce(lowering, view, axis, before.size, windows, after.name)
        ready, dim, tensor = _gather(lowering, view, axis, [window[0] for window in windows], "indices")
        return replace_dims(ready, tensor, [dim], [axis], [lowering.factor(after.name, after.size)])

    @abstractmethod
    def reduce(self, lowering: Lowering, view: View, axis: int, size: int, windows: list[range], name: str) -> View:
        """One number for each window along the axis."""


def _gather(
    lowering: Lowering, view: View, axis: int, indices: Sequence[int] | Sequence[Sequence[int]], hint: str
) -> tuple[View, int, str]:
    """Positions along an axis: the view that they are taken from, which of its dimensions is the axis, the tensor."""
    ready, (dim,) = separate_dims(lowering, view, [axis])
    picked = lowering.constant(np.asarray(indices, np.int64), hint)
    return ready, dim, lowering.node("Gather", ready.tensor, picked, axis=dim)


def _tile_length(before: Axis, after: Axis) -> int | None:
    """How long windows of one length are that tile the axis; None where none do."""
    if not isinstance(before.size, int) or not isinstance(after.size, int) or before.size % after.size:
        return None
    return before.size // after.size


class AdaptiveAveragePooling(AdaptivePooling):
    op = "AveragePool"
    global_op = "ReduceMean"
    combines = "mean"

    def reduce(self, lowering: Lowering, view: View, axis: int, size: int, windows: list[range], name: str) -> View:
        matrix = np.zeros((len(windows), size))
        for row, window in enumerate(windows):
            matrix[row, window.start : window.stop] = 1 / len(window)
        return map_axis(lowering, view, axis, matrix, name)


class AdaptiveMaxPooling(AdaptivePooling):
    op = "MaxPool"
    global_op = "ReduceMax"
    combines = "extreme"

    def reduce(self, lowering: Lowering, view: View, axis: int, size: int, windows: list[range], name: str) -> View:
        """Every window gathered, the shorter ones with their first position repeated."""
        widest = max(len(window) for window in windows)
        indices = [[window[0]] * (widest - len(window)) + list(window) for window in windows]
        ready, dim, picked = _gather(lowering, view, axis, indices, "windows")
        inside = lowering.constant(np.asarray([dim + 1], np.int64), "axes")
        tensor = lowering.node("ReduceMax", picked, inside, keepdims=0)
        return replace_dims(ready, tensor, [dim], [axis], [lowering.factor(name, len(windows))])


def _arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "output_size": a.sizes("Number of windows along each spatial axis: the output size.", rank),
        "data_format": a.data_format(),
    }


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The mean of each of `output_size` windows along a sequence, channel by channel.

    Windows overlap by a position where their number does not divide the length. A length that is not known needs
    `output_size: 1`, one window over everything.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, of the sizes given
    """

    kind = "AdaptiveAveragePooling1D"
    rank = 1
    args = _arguments(1)


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean of each of `output_size` windows along each of two axes, channel by channel.

    Windows overlap by a position where their number does not divide the length. A length that is not known needs
    `output_size: 1`, one window over everything.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, of the sizes given
    """

    kind = "AdaptiveAveragePooling2D"
    rank = 2
    args = _arguments(2)


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The mean of each of `output_size` windows along each of three axes, channel by channel.

    Windows overlap by a position where their number does not divide the length. A length that is not known needs
    `output_size: 1`, one window over everything.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, of the sizes given
    """

    kind = "AdaptiveAveragePooling3D"
    rank = 3
    args = _arguments(3)


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest value of each of `output_size` windows along a sequence, channel by channel.

    Windows overlap by a position where their number does not divide the length. A length that is not known needs
    `output_size: 1`, one window over everything.

    Input axes:  `batch time channel`
    Output axes: `batch time channel`, of the sizes given
    """

    kind = "AdaptiveMaxPooling1D"
    rank = 1
    args = _arguments(1)


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest value of each of `output_size` windows along each of two axes, channel by channel.

    Windows overlap by a position where their number does not divide the length. A length that is not known needs
    `output_size: 1`, one window over everything.

    Input axes:  `batch height width channel`
    Output axes: `batch height width channel`, of the sizes given
    """

    kind = "AdaptiveMaxPooling2D"
    rank = 2
    args = _arguments(2)


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest value of each of `output_size` windows along each of three axes, channel by channel.

    Windows overlap by a position where their number does not divide the length. A length that is not known needs
    `output_size: 1`, one window over everything.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width channel`, of the sizes given
    """

    kind = "AdaptiveMaxPooling3D"
    rank = 3
    args = _arguments(3)


LAYERS = (
    AdaptiveAveragePooling1D(),
    AdaptiveAveragePooling2D(),
    AdaptiveAveragePooling3D(),
    AdaptiveMaxPooling1D(),
    AdaptiveMaxPooling2D(),
    AdaptiveMaxPooling3D(),
)
