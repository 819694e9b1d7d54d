"""Pooling: windows that slide along one to three axes and keep their largest value or their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec import axes as ax
from nnspec.graph import Node
from nnspec.layers import args as a
from nnspec.layers.base import Call, Inferred, Layer, Window
from nnspec.layers.windows import pads, slid_size, spatial_positions, window_over

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View

Pads = Sequence[tuple[int, int] | None]


class Pooling(Layer):
    """What windows share: the axes rule, and a lowering in the layout of convolutions."""

    rank: ClassVar[int]
    op: ClassVar[str]
    steps = True

    def geometry(self, args: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Window sizes and strides, one number an axis; without strides windows do not overlap."""
        pool = a.as_tuple(args["pool_size"], self.rank)
        return pool, pool if args["strides"] is None else a.as_tuple(args["strides"], self.rank)

    def infer(self, call: Call) -> Inferred:
        call.require_rank(self.rank + 1, what=f"{self.rank} to slide along and one of channels")
        call.require_float()
        places, _ = spatial_positions(self.rank, call.args["data_format"])
        call.check_steps(places)
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

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        places, channel_place = spatial_positions(self.rank, node.args["data_format"])
        pool, strides = self.geometry(node.args)
        if set(pool) == set(strides) == {1}:
            return [replace(view, mask=None)]
        before, after = node.inputs[0].axes, node.outputs[0].axes
        both = [
            pads(ax.static(before[place].size), span, stride, node.args["padding"])
            for place, span, stride in zip(places, pool, strides, strict=True)
        ]
        lead = 1 if self.rank == 1 else 0  # 1-D windows slide as 1×k, as the convolutions around them do
        spatial = [view.axes[1 + place] for place in places]
        channel = view.axes[1 + channel_place]
        units: list[Group] = [()] * lead
        ready = lowering.arrange(view, (view.axes[0], channel, *units, *spatial))
        tensor = ready.tensor
        for part in _apart(pool, strides, both):
            tensor = self.slide(lowering, tensor, lead, *part)
        made = [
            old if after[place].size == before[place].size else lowering.factor(after[place].name, after[place].size)
            for old, place in zip(spatial, places, strict=True)
        ]
        axes = list(view.axes)
        for place, group in zip(places, made, strict=True):
            axes[1 + place] = group
        dims = (view.axes[0], channel, *units, *made)
        return [replace(ready, tensor=tensor, dims=dims, axes=tuple(axes), mask=None)]

    def slide(
        self, lowering: Lowering, tensor: str, lead: int, pool: Sequence[int], strides: Sequence[int], both: Pads
    ) -> str:
        """One node; pads that depend on an unknown size are left to it."""
        attributes: dict[str, Any] = {"kernel_shape": [1] * lead + list(pool), "strides": [1] * lead + list(strides)}
        known = [pair for pair in both if pair is not None]
        if len(known) < len(both):
            attributes["auto_pad"] = "SAME_UPPER"
        elif any(start or end for start, end in known):
            unit = [0] * lead
            attributes["pads"] = [*unit, *(start for start, _ in known), *unit, *(end for _, end in known)]
        return lowering.node(self.op, tensor, **attributes)


def _apart(pool: Sequence[int], strides: Sequence[int], both: Pads) -> list[tuple[Sequence[int], Sequence[int], Pads]]:
    """The windows of one node, or of two where one has no rule for all axes.

    ONNX Runtime finds pads by itself only where windows leave no gaps. Where another axis has gaps, it is pooled by a
    node of its own, which changes neither maxima nor means.
    """
    gaps = [span < stride for span, stride in zip(pool, strides, strict=True)]
    unknown = [pair is None for pair in both]
    if any(gap and is_unknown for gap, is_unknown in zip(gaps, unknown, strict=True)):
        raise NotImplementedError("windows with gaps between them over an unknown length")
    if not (any(unknown) and any(gaps)):
        return [(pool, strides, both)]
    parts: list[tuple[Sequence[int], Sequence[int], Pads]] = []
    for wanted in (True, False):
        mine = [is_unknown == wanted for is_unknown in unknown]
        parts.append(
            (
                [span if own else 1 for span, own in zip(pool, mine, strict=True)],
                [stride if own else 1 for stride, own in zip(strides, mine, strict=True)],
                [pair if own else (0, 0) for pair, own in zip(both, mine, strict=True)],
            )
        )
    return parts


def _pooling_arguments(rank: int, pool_size: Any) -> dict[str, a.Arg]:
    return {
        "pool_size": a.sizes("Positions that a window covers, along each spatial axis.", rank, pool_size),
        "strides": a.sizes("Positions between neighbouring windows; default: `pool_size`, side by side.", rank, None),
        "padding": a.choice(
            "valid: only whole windows; same: windows may stand over both ends.", ["valid", "same"], "valid"
        ),
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
