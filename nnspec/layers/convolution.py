"""Convolutions over one and two axes: plain, depthwise, separable."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec import axes as ax
from nnspec.axes import Axes
from nnspec.diagnostics import Fix
from nnspec.graph import Node, Weight
from nnspec.layers import args as a
from nnspec.layers.base import Call, Inferred, Layer, Window
from nnspec.layers.functions import activate
from nnspec.layers.windows import count_live_taps, live_taps, pads, slid_size, spatial_positions, window_over
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


def _sliding_arguments(rank: int, *, has_causal: bool = False) -> dict[str, a.Arg]:
    paddings = ["valid", "same", "causal"] if has_causal else ["valid", "same"]
    text = "valid: only whole windows; same: zeros at both ends keep the length"
    if has_causal:
        text += "; causal: zeros at the beginning only, so nothing sees its future"
    return {
        "strides": a.sizes("Positions between neighbouring windows.", rank, 1 if rank == 1 else [1] * rank),
        "padding": a.choice(f"{text}.", paddings, "valid"),
        "data_format": a.data_format(),
        "dilation_rate": a.sizes(
            "Positions between neighbouring taps of the kernel.", rank, 1 if rank == 1 else [1] * rank
        ),
    }


class Convolution(Layer):
    """What all convolutions share: the axes rule and the lowering of a kernel that slides."""

    rank: ClassVar[int]
    makes = "filter"
    steps = True

    def geometry(self, call_args: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel size, strides and dilation, one number an axis."""
        return (
            a.as_tuple(call_args["kernel_size"], self.rank),
            a.as_tuple(call_args["strides"], self.rank),
            a.as_tuple(call_args["dilation_rate"], self.rank),
        )

    def infer(self, call: Call) -> Inferred:
        self.check_rank(call)
        call.require_float()
        places, channel_place = spatial_positions(self.rank, call.args["data_format"])
        call.check_steps(places)
        channel = call.axes[channel_place]
        channels = call.require_size(channel, "its kernel has a slice for each channel")
        kernel, strides, dilation = self.geometry(call.args)
        padding = call.args["padding"]
        if any(s > 1 for s in strides) and any(d > 1 for d in dilation):
            fixes = [Fix("keep one of the two at 1; a pooling layer after a dilated convolution strides")]
            call.fail(
                "NN208", f"`{self.kind}` cannot have strides and dilation above 1 at once", "strides", fixes=fixes
            )
        axes: list[ax.Axis] = list(call.axes)
        windows: dict[int, Window] = {channel_place: Window(None, ahead=None)}
        notes: list[str] = []
        for place, k, s, d in zip(places, kernel, strides, dilation, strict=True):
            span = 1 + (k - 1) * d
            axes[place] = ax.resized(
                call.axes[place], slid_size(call, call.axes[place], span, s, padding, "kernel_size"), call.name
            )
            windows[place] = window_over(span, s, padding)
            notes += _dead_tap_notes(call.axes[place], k, s, d, padding)
            _warn_of_lone_tap(call, call.axes[place], k, s, d, padding)
        made, weights, formula = self.weights_rule(call, channels, kernel)
        axes[channel_place] = ax.fresh(call.axis_name or "filter", made, call.name, is_learned=True)
        return Inferred(
            (call.require_unique(tuple(axes)),), weights=weights, formula=formula, windows=windows, notes=tuple(notes)
        )

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        """Output channels, weights and their count in words."""
        raise NotImplementedError

    def check_rank(self, call: Call) -> None:
        """One axis too few is a channel axis that nobody wrote."""
        what = f"{self.rank} to slide along and one of channels"
        if len(call.axes) == self.rank:
            call.fail(
                "NN310",
                f"`{self.kind}` reads {self.rank + 1} axes ({what}), but it is given {ax.describe(call.axes)}",
                notes=("batch is not counted",),
                fixes=[call.insert_before("add a channel axis", ["insert: {channel: 1}"])],
            )
        call.require_float()
        call.require_rank(self.rank + 1, what=what)

    # -------------------------------------------------------------------------------------------- ONNX

    def slide(
        self,
        lowering: Lowering,
        node: Node,
        view: View,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        *,
        groups: int,
        hint: str = "kernel",
    ) -> View:
        """One Conv. `kernel` is (…spatial, in / groups, out); 1-D kernels slide as 1×k, which is faster."""
        _, strides, dilation = self.geometry(node.args)
        return self.convolve(
            lowering,
            node,
            view,
            kernel,
            bias,
            strides=strides,
            dilation=dilation,
            padding=node.args["padding"],
            groups=groups,
            hint=hint,
        )

    def convolve(
        self,
        lowering: Lowering,
        node: Node,
        view: View,
        kernel: np.ndarray,
        bias: np.ndarray | None,
        *,
        strides: tuple[int, ...],
        dilation: tuple[int, ...],
        padding: str,
        groups: int,
        hint: str = "kernel",
    ) -> View:
        from nnspec.backends.onnx.lowering import Affine

        places, channel_place = spatial_positions(self.rank, node.args["data_format"])
        before: list[int] = []
        after: list[int] = []
        auto = False
        for i, place in enumerate(places):
            size = ax.static(node.inputs[0].axes[place].size)
            taps = kernel.shape[i]
            first, last = live_taps(size, taps, dilation[i], padding, strides[i])
            both = pads(size, 1 + (taps - 1) * dilation[i], strides[i], padding)
            if both is None:
                auto = True
                both = (0, 0)
            before.append(both[0] - first * dilation[i])
            after.append(both[1] - (taps - last) * dilation[i])
            kernel = np.take(kernel, range(first, last), axis=i)
        spatial = [view.axes[1 + place] for place in places]
        unit: list[Group] = [()] if self.rank == 1 else []
        ready = lowering.arrange(view, (view.axes[0], view.axes[1 + channel_place], *unit, *spatial))
        weights = np.moveaxis(kernel, (-1, -2), (0, 1))
        lead = 1 if self.rank == 1 else 0
        if lead:
            weights = weights[:, :, None]
        weight = lowering.graph.own_constant(weights, f"{lowering.stem}/{hint}")
        bias_name = None if bias is None else lowering.graph.own_constant(bias, f"{lowering.stem}/bias")
        attributes: dict[str, Any] = {
            "kernel_shape": list(weights.shape[2:]),
            "strides": [1] * lead + list(strides),
            "dilations": [1] * lead + list(dilation),
            "group": groups,
        }
        if auto:
            attributes["auto_pad"] = "SAME_UPPER"
        else:
            attributes["pads"] = [0] * lead + before + [0] * lead + after
        tensor = lowering.node("Conv", ready.tensor, weight, *([bias_name] if bias_name else []), **attributes)
        out = node.outputs[0].axes
        made = lowering.factor(out[channel_place].name, int(weights.shape[0]))
        new_spatial = [
            old
            if out[place].size == node.inputs[0].axes[place].size
            else lowering.factor(out[place].name, out[place].size)
            for old, place in zip(spatial, places, strict=True)
        ]
        axes = list(view.axes)
        axes[1 + channel_place] = made
        for place, group in zip(places, new_spatial, strict=True):
            axes[1 + place] = group
        result = replace(
            ready, tensor=tensor, dims=(view.axes[0], made, *unit, *new_spatial), axes=tuple(axes), mask=None
        )
        lowering.affine[tensor] = Affine(
            weight,
            bias_name,
            lowering.graph.nodes[-1],
            lambda w, f: w * f.reshape([-1] + [1] * (w.ndim - 1)),
            np.asarray,
        )
        return result


def _dead_tap_notes(axis: ax.Axis, taps: int, stride: int, dilation: int, padding: str) -> list[str]:
    dead = taps - count_live_taps(ax.static(axis.size), taps, dilation, padding, stride)
    if not dead:
        return []
    return [
        f"{dead} of {taps} taps only ever see padding along `{axis.name}` ({axis.size} positions, dilation {dilation})"
    ]


def _warn_of_lone_tap(call: Call, axis: ax.Axis, taps: int, stride: int, dilation: int, padding: str) -> None:
    """A kernel of which one tap alone ever sees data does not slide: it maps every position by itself."""
    alive = count_live_taps(ax.static(axis.size), taps, dilation, padding, stride)
    if taps > 1 and alive < 2:
        dead = "all" if not alive else f"{taps - 1} of the"
        note = "each output position sees its own input position alone, as in a Dense layer"
        call.warn(
            "NN320",
            f"{dead} {taps} taps of `{call.kind}` only ever see padding along `{axis.name}`, "
            f"which has {axis.size} positions: the dilation is {dilation}",
            "dilation_rate",
            notes=[note if alive else "its output does not depend on its input"],
            fixes=[Fix(f"keep the dilation below {axis.size}, or make `{axis.name}` longer")],
        )


def product(*numbers: int) -> str:
    return "·".join(str(n) for n in numbers)


class Conv(Convolution):
    """A convolution: kernels that slide along the spatial axes and read all channels (of their group)."""

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        filters, groups = call.args["filters"], call.args["groups"]
        if channels % groups or filters % groups:
            call.fail(
                "NN315",
                f"`{self.kind}` cannot cut {channels} channels and {filters} filters into {groups} groups",
                "groups",
                fixes=[Fix(f"take a number that divides both, such as {math.gcd(channels, filters)}")],
            )
        weights = [Weight("kernel", (*kernel, channels // groups, filters))]
        formula = product(*kernel, channels // groups, filters)
        if call.args["use_bias"]:
            weights.append(Weight("bias", (filters,)))
            formula += f" + {filters}"
        return filters, tuple(weights), formula

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        weights = lowering.weights
        view = self.slide(lowering, node, inputs[0], weights["kernel"], weights.get("bias"), groups=node.args["groups"])
        return [_activated(lowering, node, view)]


def _activated(lowering: Lowering, node: Node, view: View) -> View:
    return activate(lowering, view, node.args["activation"])


def _conv_arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "filters": a.integer("How many kernels: the size of the axis that it makes."),
        "kernel_size": a.sizes("Positions that a kernel looks at, along each spatial axis.", rank),
        **_sliding_arguments(rank, has_causal=rank == 1),
        "groups": a.integer("Groups of channels that are convolved apart from each other.", 1),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether a bias is added.", True),
        **a.weight_arguments("kernel", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "bias"),
    }


class Conv1D(Conv):
    """Kernels of `kernel_size` steps slide along a sequence and read all channels; `filters` of them.

    With `padding: causal` a position sees itself and what came before: 1 + (kernel_size - 1)·dilation_rate steps.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`
    Weights:     kernel (kernel_size, channel / groups, filters), bias (filters)

    Not this: an input of (feature, time), which would slide along the features (NN308).
    """

    kind = "Conv1D"
    rank = 1
    args = _conv_arguments(1)


class Conv2D(Conv):
    """Kernels slide along two axes and read all channels; `filters` of them.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`
    Weights:     kernel (kernel height, kernel width, channel / groups, filters), bias (filters)
    """

    kind = "Conv2D"
    rank = 2
    args = _conv_arguments(2)


def _depthwise_arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "kernel_size": a.sizes("Positions that a kernel looks at, along each spatial axis.", rank),
        **{k: v for k, v in _sliding_arguments(rank).items() if k in ("strides", "padding")},
        "depth_multiplier": a.integer("Kernels for each channel.", 1),
        **{k: v for k, v in _sliding_arguments(rank).items() if k in ("data_format", "dilation_rate")},
        "activation": a.activation(),
        "use_bias": a.boolean("Whether a bias is added.", True),
        **a.weight_arguments("depthwise", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("depthwise", "bias"),
    }


class Depthwise(Convolution):
    """A convolution in which every channel has kernels of its own and channels never meet."""

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        multiplier = call.args["depth_multiplier"]
        made = channels * multiplier
        weights = [Weight("kernel", (*kernel, channels, multiplier))]
        formula = product(*kernel, channels, multiplier)
        if call.args["use_bias"]:
            weights.append(Weight("bias", (made,)))
            formula += f" + {made}"
        return made, tuple(weights), formula

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        kernel = lowering.weights["kernel"]
        channels, multiplier = kernel.shape[-2:]
        grouped = kernel.reshape((*kernel.shape[:-2], 1, channels * multiplier))
        view = self.slide(lowering, node, inputs[0], grouped, lowering.weights.get("bias"), groups=channels)
        return [_activated(lowering, node, view)]


class DepthwiseConv1D(Depthwise):
    """`depth_multiplier` kernels for every channel slide along a sequence; channels never meet.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`, filter = channel · depth_multiplier
    Weights:     kernel (kernel_size, channel, depth_multiplier), bias (channel · depth_multiplier)
    """

    kind = "DepthwiseConv1D"
    rank = 1
    args = _depthwise_arguments(1)


class DepthwiseConv2D(Depthwise):
    """`depth_multiplier` kernels for every channel slide along two axes; channels never meet.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`, filter = channel · depth_multiplier
    Weights:     kernel (kernel height, kernel width, channel, depth_multiplier), bias (channel · depth_multiplier)
    """

    kind = "DepthwiseConv2D"
    rank = 2
    args = _depthwise_arguments(2)


def _separable_arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "filters": a.integer("Outputs of the pointwise step: the size of the axis that it makes."),
        "kernel_size": a.sizes("Positions that a kernel looks at, along each spatial axis.", rank),
        **_sliding_arguments(rank),
        "depth_multiplier": a.integer("Kernels for each channel in the depthwise step.", 1),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether a bias is added.", True),
        **a.weight_arguments("depthwise", "pointwise", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("depthwise", "pointwise", "bias"),
    }


class Separable(Convolution):
    """A depthwise convolution, then a mixture of the channels at each position."""

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        filters, multiplier = call.args["filters"], call.args["depth_multiplier"]
        ones = (1,) * self.rank
        weights = [
            Weight("depthwise_kernel", (*kernel, channels, multiplier)),
            Weight("pointwise_kernel", (*ones, channels * multiplier, filters)),
        ]
        formula = f"{product(*kernel, channels, multiplier)} + {product(channels * multiplier, filters)}"
        if call.args["use_bias"]:
            weights.append(Weight("bias", (filters,)))
            formula += f" + {filters}"
        return filters, tuple(weights), formula

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        depthwise, pointwise = lowering.weights["depthwise_kernel"], lowering.weights["pointwise_kernel"]
        channels, multiplier = depthwise.shape[-2:]
        grouped = depthwise.reshape((*depthwise.shape[:-2], 1, channels * multiplier))
        middle = self.slide(lowering, node, inputs[0], grouped, None, groups=channels, hint="depthwise_kernel")
        ones = (1,) * self.rank
        view = self.convolve(
            lowering,
            replace(node, inputs=(replace(node.inputs[0], axes=node.outputs[0].axes),)),
            middle,
            pointwise,
            lowering.weights.get("bias"),
            strides=ones,
            dilation=ones,
            padding="valid",
            groups=1,
            hint="pointwise_kernel",
        )
        return [_activated(lowering, node, view)]


class SeparableConv1D(Separable):
    """A depthwise convolution along a sequence, then `filters` mixtures of its channels at each step.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`
    Weights:     depthwise_kernel (kernel_size, channel, depth_multiplier),
                 pointwise_kernel (1, channel · depth_multiplier, filters), bias (filters)
    """

    kind = "SeparableConv1D"
    rank = 1
    args = _separable_arguments(1)


class SeparableConv2D(Separable):
    """A depthwise convolution along two axes, then `filters` mixtures of its channels at each position.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`
    Weights:     depthwise_kernel (kernel height, kernel width, channel, depth_multiplier),
                 pointwise_kernel (1, 1, channel · depth_multiplier, filters), bias (filters)
    """

    kind = "SeparableConv2D"
    rank = 2
    args = _separable_arguments(2)


def channel_axes(axes: Axes, data_format: str | None) -> int:
    """Which of a layer's axes holds the channels."""
    return 0 if data_format == "channels_first" else len(axes) - 1


LAYERS = (
    Conv1D(),
    Conv2D(),
    DepthwiseConv1D(),
    DepthwiseConv2D(),
    SeparableConv1D(),
    SeparableConv2D(),
)
