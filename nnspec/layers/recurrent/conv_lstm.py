"""Convolutional LSTMs over one, two and three spatial axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Weight
from nnspec.ir.merged_axes import names_grid
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.convolution.base import product_formula, sliding_arguments
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Window
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.sliding_windows import slid_size, spatial_positions, window_over
from nnspec.layers.recurrent.arguments import (
    ACTIVATION,
    DROPOUT,
    FORGET_BIAS,
    GATE_ACTIVATION,
    USE_BIAS,
    sequence_arguments,
)
from nnspec.layers.recurrent.base import Recurrent, loop_notes
from nnspec.layers.recurrent.states import StateSpec
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.layers.recurrent.cell_types import AnyCell

REASON = "ONNX has no convolutional LSTM"


def _arguments(rank: int) -> dict[str, a.Arg]:
    weights, constraints = ("kernel", "recurrent", "bias"), ("kernel", "recurrent", "bias")
    return {
        "filters": a.integer("Number of channels of the state: the size of the new axis."),
        "kernel_size": a.sizes("Kernel size along each spatial axis.", rank),
        **sliding_arguments(rank),
        **ACTIVATION,
        **GATE_ACTIVATION,
        **USE_BIAS,
        **FORGET_BIAS,
        **a.weight_arguments(*weights),
        **a.activity_regularizer(),
        **a.weight_constraints(*constraints),
        **DROPOUT,
        **sequence_arguments(has_unroll=False),
    }


class ConvLSTM(Recurrent):
    """An LSTM whose products are convolutions: steps along the first axis and slides along the next ones.

    Its state is an image (`hidden` and `cell`, Shi et al. 2015): the input's convolution sets its size, and
    a second one, with stride 1 and padding that keeps the size, carries it from step to step.
    """

    rank: ClassVar[int]
    makes = "filter"

    def infer(self, call: Call) -> Inferred:
        require_channel_axis(call, self.rank + 2, f"steps, {self.rank} to slide along and channels")
        call.require_float()
        places, channel_place = spatial_positions(self.rank, call.args["data_format"])
        spatial, channel = [1 + place for place in places], 1 + channel_place
        self.check_axes(call, spatial)
        filters, kernel = call.args["filters"], a.as_tuple(call.args["kernel_size"], self.rank)
        strides = a.as_tuple(call.args["strides"], self.rank)
        dilation = a.as_tuple(call.args["dilation_rate"], self.rank)
        if max(strides) > 1 and max(dilation) > 1:
            call.fail(
                "NN208",
                f"`{self.kind}` cannot have both strides and dilation above 1",
                "strides",
                fixes=[Fix("set one of the two to 1")],
            )
        channels = call.require_size(call.axes[channel], "its kernel has one slice per channel")
        step, padding = call.axes[0], call.args["padding"]
        made = list(call.axes)
        windows = {channel: WHOLE}
        for place, k, s, d in zip(spatial, kernel, strides, dilation, strict=True):
            axis = call.axes[place]
            call.require_size(axis, "its state has one cell per position")
            size = slid_size(call, axis, 1 + (k - 1) * d, s, padding, "kernel_size")
            made[place] = ax.resized(axis, size, call.name)
            windows[place] = _spread(window_over(axis.size, 1 + (k - 1) * d, s, padding), k, step.size)
        made[channel] = ax.fresh(call.axis_name or "filter", filters, call.name, is_learned=True)
        output = tuple(made[1:])
        weights = [
            Weight("kernel", (*kernel, channels, 4 * filters)),
            Weight("recurrent_kernel", (*kernel, filters, 4 * filters)),
        ]
        each = f"{product_formula(*kernel, filters)}·({channels} + {filters})"
        if call.args["use_bias"]:
            weights.append(Weight("bias", (4 * filters,)))
            each += f" + {filters}"
        return self.infer_sequence(
            call,
            output,
            [StateSpec(name, output) for name in ("hidden", "cell")],
            windows=windows,
            notes=loop_notes(REASON, step.size),
            weights=tuple(weights),
            formula=f"4·({each})",
        )

    def runs_only_on_tensorflow(self, node: Node) -> bool:
        """Keras on JAX fails on a mask here: it compares it with values that have more axes."""
        return node.inputs[0].mask is not None

    def why(self, node: Node) -> dict[str, str]:
        places, channel_place = spatial_positions(self.rank, node.args["data_format"])
        kernel, channel = a.as_tuple(node.args["kernel_size"], self.rank), node.inputs[0].axes[1 + channel_place]
        filters = node.args["filters"]
        blocks = f"4 gates · {filters} filters = {4 * filters} kernels"
        return {
            **super().why(node),
            "filters": f"The states are images of {say.with_count(filters, 'channel')}.",
            "kernel_size": say.kernel_sentence(node, [1 + place for place in places], kernel, channel),
            "kernel": f"{blocks}, over all {channel.size} of `{channel.name}`",
            "recurrent_kernel": f"{blocks}, over all {filters} channels of the state",
            "bias": "one for each kernel",
        }

    def check_axes(self, call: Call, spatial: Sequence[int]) -> None:
        """It steps along the first axis, which `over` may name alone or with those that it slides along."""
        over = call.over
        if over is not None and len(over) > 1:
            check_steps(call, (0, *spatial))
            return
        is_of_steps = not (names_grid(call.axes[0].name) or ax.is_unordered(call.axes[0]))
        channel = next(i for i in range(1, len(call.axes)) if i not in spatial)
        check_steps(call, (0,), [channel] if is_of_steps else None)  # windows of steps may slide along those of each
        call.over = None
        wrong = next((call.axes[i] for i in spatial if ax.is_unordered(call.axes[i])), None)
        if wrong is not None and over is None:
            check_steps(call, (0, *spatial))
        call.over = over

    def states_of(self, node: Node) -> tuple[StateSpec, ...]:
        axes = node.outputs[0].axes
        own = axes[1:] if node.args["return_sequences"] else axes
        return tuple(StateSpec(name, own) for name in ("hidden", "cell"))

    def loop_reason(self, node: Node) -> str | None:
        return REASON

    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        from nnspec.layers.recurrent.onnx_conv_lstm import conv_lstm

        sizes = [axis.size for axis in node.inputs[0].axes]
        return [conv_lstm(self.rank, node.args, weights, sizes, is_backwards=is_backwards)]


def _spread(window: Window, taps: int, steps: ax.Size) -> Window:
    """What the last step sees along a spatial axis: at each step the state looks further around."""
    if not isinstance(steps, int):
        return Window(None, window.stride, None)
    assert window.span is not None
    assert window.ahead is not None
    more = (steps - 1) * window.stride
    return Window(window.span + more * (taps - 1), window.stride, window.ahead + more * (taps // 2))


class ConvLSTM1D(ConvLSTM):
    """A convolutional LSTM over sequences of rows: steps along the first axis and slides along the second.

    With `return_sequences` every step gives an output, else only the last. Masked steps keep the state
    and repeat the previous output. With `return_state` the outputs `hidden` and `cell` follow. It starts from zeros,
    or from two further inputs. In ONNX the steps are written out, where their number is known.

    Input axes:  `batch step position channel`
    Output axes: `batch position filter`, with `return_sequences` `batch step position filter`
    Weights:     kernel (kernel_size, channel, 4 · filters), recurrent_kernel (kernel_size, filters, 4 · filters),
                 bias (4 · filters); columns i f c o
    """

    kind = "ConvLSTM1D"
    rank = 1
    args = _arguments(1)


class ConvLSTM2D(ConvLSTM):
    """A convolutional LSTM over sequences of images: steps along the first axis and slides along the next two.

    With `return_sequences` every step gives an output, else only the last. Masked steps keep the state
    and repeat the previous output. With `return_state` the outputs `hidden` and `cell` follow. It starts from zeros,
    or from two further inputs. In ONNX the steps are written out, where their number is known.

    Input axes:  `batch step height width channel`
    Output axes: `batch height width filter`, with `return_sequences` `batch step height width filter`
    Weights:     kernel (kernel height, kernel width, channel, 4 · filters), recurrent_kernel (kernel height,
                 kernel width, filters, 4 · filters), bias (4 · filters); columns i f c o
    """

    kind = "ConvLSTM2D"
    rank = 2
    args = _arguments(2)


class ConvLSTM3D(ConvLSTM):
    """A convolutional LSTM over sequences of volumes: steps along the first axis and slides along the next three.

    With `return_sequences` every step gives an output, else only the last. Masked steps keep the state
    and repeat the previous output. With `return_state` the outputs `hidden` and `cell` follow. It starts from zeros,
    or from two further inputs. In ONNX the steps are written out, where their number is known.

    Input axes:  `batch step depth height width channel`
    Output axes: `batch depth height width filter`, with `return_sequences` `batch step depth height width filter`
    Weights:     kernel (kernel depth, kernel height, kernel width, channel, 4 · filters), recurrent_kernel (the same
                 with filters for channel), bias (4 · filters); columns i f c o
    """

    kind = "ConvLSTM3D"
    rank = 3
    args = _arguments(3)


LAYERS = (ConvLSTM1D(), ConvLSTM2D(), ConvLSTM3D())
