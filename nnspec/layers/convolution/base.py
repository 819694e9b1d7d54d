"""The base of all convolutions: arguments, output axes, and the lowering to one Conv."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size
from nnspec.ir.graph import Args, Node, Weight
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.convolution.dead_taps import Taps, dead_tap_notes, warn_of_dead_taps
from nnspec.layers.convolution.onnx_kernel import Kernel, write_kernel
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.habits import SEPARATE_LAYERS, Hint
from nnspec.layers.kit.sliding_windows import live_taps, pads, slid_size, spatial_positions, window_over
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


def sliding_arguments(rank: int, *, has_causal: bool = False) -> dict[str, a.Arg]:
    paddings = ["valid", "same", "causal"] if has_causal else ["valid", "same"]
    text = "valid: no padding; same: zeros at both ends keep the length"
    if has_causal:
        text += "; causal: zeros at the start only, so no position sees later ones"
    return {
        "strides": a.sizes("Stride between neighbouring windows, in positions.", rank, 1 if rank == 1 else [1] * rank),
        "padding": a.choice(f"{text}.", paddings, "valid"),
        "data_format": a.data_format(),
        "dilation_rate": a.sizes(
            "Distance between neighbouring kernel taps, in positions.", rank, 1 if rank == 1 else [1] * rank
        ),
    }


class Convolution(Layer):
    """Base of all convolutions: output axes, and the lowering of a sliding kernel.

    Attributes:
        strides_dilated: whether Keras lets it have strides and dilation above 1 at once.
    """

    habits: ClassVar[Mapping[str, Hint]] = {**SEPARATE_LAYERS, "units": Hint("a convolution has `filters`", "filters")}
    rank: ClassVar[int]
    strides_dilated: ClassVar[bool] = False
    makes = "filter"
    steps = True

    def geometry(self, call_args: Args) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
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
        check_steps(call, places, spans=self.geometry(call.args)[0])
        channel = call.axes[channel_place]
        channels = call.require_size(channel, "its kernel has one slice per channel")
        kernel, strides, dilation = self.geometry(call.args)
        if any(s > 1 for s in strides) and any(d > 1 for d in dilation) and not self.strides_dilated:
            fixes = [Fix("set one of the two to 1; to stride after a dilated convolution, add a pooling layer")]
            call.fail("NN208", f"`{self.kind}` cannot have both strides and dilation above 1", "strides", fixes=fixes)
        axes: list[ax.Axis] = list(call.axes)
        windows: dict[int, Window] = {channel_place: WHOLE}
        notes: list[str] = []
        for i, place in enumerate(places):
            size, windows[place] = self.slide_axis(call, i, call.axes[place])
            axes[place] = ax.resized(call.axes[place], size, call.name)
            notes += self.axis_notes(call, i, call.axes[place])
        made, weights, formula = self.weights_rule(call, channels, kernel)
        axes[channel_place] = ax.fresh(call.axis_name or "filter", made, call.name, is_learned=True)
        return Inferred(
            (call.require_unique(tuple(axes)),), weights=weights, formula=formula, windows=windows, notes=tuple(notes)
        )

    def slide_axis(self, call: Call, i: int, axis: Axis) -> tuple[Size, Window]:
        """How long the i-th spatial axis becomes, and what its positions see.

        Raises:
            Fault: where the kernel does not fit.
        """
        kernel, strides, dilation = self.geometry(call.args)
        span = 1 + (kernel[i] - 1) * dilation[i]
        padding = call.args["padding"]
        size = slid_size(call, axis, span, strides[i], padding, "kernel_size")
        return size, window_over(axis.size, span, strides[i], padding, dilation[i])

    def axis_notes(self, call: Call, i: int, axis: Axis) -> list[str]:
        """What is worth saying of the kernel along the i-th spatial axis."""
        kernel, strides, dilation = self.geometry(call.args)
        taps = Taps(axis, kernel[i], dilation[i], call.args["padding"], strides[i])
        warn_of_dead_taps(call, taps)
        return dead_tap_notes(taps)

    @abstractmethod
    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        """Output channels, weights and their count in words."""

    def check_rank(self, call: Call) -> None:
        require_channel_axis(call, self.rank + 1, f"{self.rank} spatial and one channel axis")
        call.require_float()

    def why(self, node: Node) -> dict[str, str]:
        places, channel_place = spatial_positions(self.rank, node.args["data_format"])
        kernel, strides, dilation = self.geometry(node.args)
        channel, made = node.inputs[0].axes[channel_place], node.outputs[0].axes[channel_place]
        groups = node.args.get("groups", 1)
        spans = [1 + (k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
        return {
            "filters": f"{say.with_count(made.size, 'kernel')} slide over the input; each computes one position of "
            f"`{made.name}`.",
            "kernel_size": say.kernel_sentence(node, places, kernel, channel, groups),
            "strides": say.stride_sentence(node, places, strides),
            "padding": say.padding_sentence(node, places, spans, strides, node.args["padding"]),
            "dilation_rate": say.dilation_sentence(node, places, kernel, dilation),
            "kernel": say.kernel_weights(node.weights[0].shape),
            "bias": f"one for each position of `{made.name}`",
        }

    def to_keras(self, node: Node) -> KerasCallable:
        axes = node.outputs[0].axes
        is_alike = ax.known_size(axes[-1].size) in (None, axes[0].size)
        if node.args["data_format"] != "channels_first" or not node.args["use_bias"] or not is_alike:
            return super().to_keras(node)
        from nnspec.backends.keras.layers.axes import BIASED_CHANNELS_FIRST

        layer: KerasCallable = BIASED_CHANNELS_FIRST[self.kind](
            name=keras_name(node.name), **self.keras_arguments(node)
        )
        return layer

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
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        sizes = [ax.known_size(node.inputs[0].axes[place].size) for place in places]
        spans = [1 + (taps - 1) * d for taps, d in zip(kernel.shape[: self.rank], dilation, strict=True)]
        both = [pads(n, span, s, padding) for n, span, s in zip(sizes, spans, strides, strict=True)]
        auto = None in both
        if auto and max(dilation) > 1:  # ONNX Runtime does not compute pads for a dilated kernel
            kernel, dilation = _dilate_kernel(kernel, dilation), (1,) * self.rank
        before: list[int] = []
        after: list[int] = []
        for i, pair in enumerate(both):
            start, end = pair or (0, 0)
            taps = kernel.shape[i]
            first, last = live_taps(sizes[i], taps, dilation[i], padding, strides[i])
            first = min(first, start // dilation[i])  # no more taps go than there is padding for them
            last = max(last, taps - end // dilation[i])
            before.append(start - first * dilation[i])
            after.append(end - (taps - last) * dilation[i])
            if last - first < taps:
                kernel = np.take(kernel, range(first, last), axis=i)
        lead = [0] if self.rank == 1 else []
        around = {"auto_pad": "SAME_UPPER"} if auto else {"pads": [*lead, *before, *lead, *after]}
        return write_kernel(
            lowering,
            node,
            view,
            "Conv",
            Kernel(
                weights=np.moveaxis(kernel, (-1, -2), (0, 1)),
                bias=bias,
                strides=strides,
                dilation=dilation,
                outputs=0,
                hint=hint,
            ),
            group=groups,
            **around,
        )


def _dilate_kernel(kernel: np.ndarray, dilation: tuple[int, ...]) -> np.ndarray:
    """The kernel with zeros between its taps."""
    taps = kernel.shape[: len(dilation)]
    made = np.zeros((*(1 + (k - 1) * d for k, d in zip(taps, dilation, strict=True)), *kernel.shape[-2:]), kernel.dtype)
    made[tuple(slice(None, None, d) for d in dilation)] = kernel
    return made


def product_formula(*numbers: int) -> str:
    return "·".join(str(n) for n in numbers)
