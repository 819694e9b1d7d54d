"""Depthwise and separable convolutions over one and two axes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate
from nnspec.ir.graph import Node, Weight
from nnspec.layers.convolution.base import Convolution, product_formula, sliding_arguments
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call
from nnspec.layers.kit.habits import SEPARATE_LAYERS
from nnspec.layers.kit.sliding_windows import spatial_positions

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


def _depthwise_arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "kernel_size": a.sizes("Kernel size along each spatial axis.", rank),
        **{k: v for k, v in sliding_arguments(rank).items() if k in ("strides", "padding")},
        "depth_multiplier": a.integer("Number of kernels per channel.", 1),
        **{k: v for k, v in sliding_arguments(rank).items() if k in ("data_format", "dilation_rate")},
        "activation": a.activation(),
        "use_bias": a.boolean("Whether to add a bias.", True),
        **a.weight_arguments("depthwise", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("depthwise", "bias"),
    }


class Depthwise(Convolution):
    """A depthwise convolution: every channel has separate kernels, and channels are not mixed."""

    habits = SEPARATE_LAYERS
    strides_dilated = True

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        multiplier = call.args["depth_multiplier"]
        made = channels * multiplier
        weights = [Weight("kernel", (*kernel, channels, multiplier))]
        formula = product_formula(*kernel, channels, multiplier)
        if call.args["use_bias"]:
            weights.append(Weight("bias", (made,)))
            formula += f" + {made}"
        return made, tuple(weights), formula

    def why(self, node: Node) -> dict[str, str]:
        *spatial, channels, each = node.weights[0].shape
        size = "×".join(str(n) for n in spatial)
        channel = node.inputs[0].axes[spatial_positions(self.rank, node.args["data_format"])[1]]
        return {
            **super().why(node),
            "kernel_size": f"Each kernel reads {say.kernel_extent(spatial)} of one position of "
            f"{say.with_size(channel)}; channels are not mixed.",
            "depth_multiplier": f"{say.with_count(each, 'kernel')} for each of {channels}: {channels * each} in all.",
            "kernel": f"{say.with_count(channels * each, 'kernel')} of {size}",
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        kernel = lowering.weights["kernel"]
        channels, multiplier = kernel.shape[-2:]
        grouped = kernel.reshape((*kernel.shape[:-2], 1, channels * multiplier))
        view = self.slide(lowering, node, inputs[0], grouped, lowering.weights.get("bias"), groups=channels)
        return [activate(lowering, view, node.args["activation"])]


class DepthwiseConv1D(Depthwise):
    """Depthwise convolution of a sequence: `depth_multiplier` kernels per channel; channels are not mixed.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`, filter = channel · depth_multiplier
    Weights:     kernel (kernel_size, channel, depth_multiplier), bias (channel · depth_multiplier)
    """

    kind = "DepthwiseConv1D"
    has_one_kernel = True
    rank = 1
    args = _depthwise_arguments(1)


class DepthwiseConv2D(Depthwise):
    """Depthwise convolution along two axes: `depth_multiplier` kernels per channel; channels are not mixed.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`, filter = channel · depth_multiplier
    Weights:     kernel (kernel height, kernel width, channel, depth_multiplier), bias (channel · depth_multiplier)
    """

    kind = "DepthwiseConv2D"
    has_one_kernel = True
    rank = 2
    args = _depthwise_arguments(2)


def _separable_arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "filters": a.integer("Number of outputs of the pointwise step: the size of the new axis."),
        "kernel_size": a.sizes("Kernel size along each spatial axis.", rank),
        **sliding_arguments(rank),
        "depth_multiplier": a.integer("Number of kernels per channel in the depthwise step.", 1),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether to add a bias.", True),
        **a.weight_arguments("depthwise", "pointwise", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("depthwise", "pointwise", "bias"),
    }


class Separable(Convolution):
    """A depthwise convolution, then a mixture of the channels at each position."""

    strides_dilated = True

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        filters, multiplier = call.args["filters"], call.args["depth_multiplier"]
        ones = (1,) * self.rank
        weights = [
            Weight("depthwise_kernel", (*kernel, channels, multiplier)),
            Weight("pointwise_kernel", (*ones, channels * multiplier, filters)),
        ]
        formula = (
            f"{product_formula(*kernel, channels, multiplier)} + {product_formula(channels * multiplier, filters)}"
        )
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
        return [activate(lowering, view, node.args["activation"])]


class SeparableConv1D(Separable):
    """A depthwise convolution along a sequence, then a pointwise one: `filters` weighted sums of the channels.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`
    Weights:     depthwise_kernel (kernel_size, channel, depth_multiplier),
                 pointwise_kernel (1, channel · depth_multiplier, filters), bias (filters)
    """

    kind = "SeparableConv1D"
    rank = 1
    args = _separable_arguments(1)


class SeparableConv2D(Separable):
    """A depthwise convolution along two axes, then a pointwise one: `filters` weighted sums of the channels.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`
    Weights:     depthwise_kernel (kernel height, kernel width, channel, depth_multiplier),
                 pointwise_kernel (1, 1, channel · depth_multiplier, filters), bias (filters)
    """

    kind = "SeparableConv2D"
    rank = 2
    args = _separable_arguments(2)


LAYERS = (DepthwiseConv1D(), DepthwiseConv2D(), SeparableConv1D(), SeparableConv2D())
