"""Plain convolutions over one to three axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate
from nnspec.diagnostics import Fix
from nnspec.ir.graph import Node, Weight
from nnspec.layers.convolution.base import Convolution, product_formula, sliding_arguments
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Conv(Convolution):
    """A convolution: kernels that slide along the spatial axes and read all channels (of their group)."""

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        filters, groups = call.args["filters"], call.args["groups"]
        if channels % groups or filters % groups:
            call.fail(
                "NN315",
                f"`{self.kind}` cannot divide {channels} channels and {filters} filters into {groups} groups",
                "groups",
                fixes=[Fix(f"use a number that divides both, such as {math.gcd(channels, filters)}")],
            )
        weights = [Weight("kernel", (*kernel, channels // groups, filters))]
        formula = product_formula(*kernel, channels // groups, filters)
        if call.args["use_bias"]:
            weights.append(Weight("bias", (filters,)))
            formula += f" + {filters}"
        return filters, tuple(weights), formula

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        weights = lowering.weights
        view = self.slide(lowering, node, inputs[0], weights["kernel"], weights.get("bias"), groups=node.args["groups"])
        return [activate(lowering, view, node.args["activation"])]


def _conv_arguments(rank: int) -> dict[str, a.Arg]:
    return {
        "filters": a.integer("Number of kernels: the size of the new axis."),
        "kernel_size": a.sizes("Kernel size along each spatial axis.", rank),
        **sliding_arguments(rank, has_causal=rank == 1),
        "groups": a.integer("Number of channel groups that are convolved separately.", 1),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether to add a bias.", True),
        **a.weight_arguments("kernel", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "bias"),
    }


class Conv1D(Conv):
    """Convolution of a sequence: `filters` kernels of `kernel_size` steps slide along it and read all channels.

    With `padding: causal` a position depends on itself and earlier ones only: 1 + (kernel_size - 1)·dilation_rate
    steps.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`
    Weights:     kernel (kernel_size, channel / groups, filters), bias (filters)

    Not this: an input of (feature, time), which would slide along the features (NN308).
    """

    kind = "Conv1D"
    has_one_kernel = True
    rank = 1
    args = _conv_arguments(1)


class Conv2D(Conv):
    """Convolution along two axes: `filters` kernels slide along them and read all channels.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`
    Weights:     kernel (kernel height, kernel width, channel / groups, filters), bias (filters)
    """

    kind = "Conv2D"
    has_one_kernel = True
    rank = 2
    args = _conv_arguments(2)


class Conv3D(Conv):
    """Convolution along three axes: `filters` kernels slide along them and read all channels.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width filter`
    Weights:     kernel (kernel depth, height, width, channel / groups, filters), bias (filters)
    """

    kind = "Conv3D"
    has_one_kernel = True
    rank = 3
    args = _conv_arguments(3)


LAYERS = (Conv1D(), Conv2D(), Conv3D())
