"""STFTSpectrogram: the spectrum of a signal as a layer of the graph."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Fix
from nnspec.document.types import JsonSchema
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, multiply
from nnspec.ir.graph import Node, Weight
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.kit.sliding_windows import pads, slid_size, window_over
from nnspec.lazy import np

if TYPE_CHECKING:
    from collections.abc import Callable

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View

EPSILON = 1e-7  # keras.config.epsilon()
WINDOWS = ["boxcar", "triang", "blackman", "hamming", "hann", "bartlett", "flattop", "parzen", "bohman",
           "blackmanharris", "nuttall", "barthann", "cosine", "exponential", "tukey", "taylor", "lanczos"]  # fmt: skip


class STFTSpectrogram(Layer):
    """The short-time Fourier transform (STFT) of a signal: the amplitude of each frequency in each frame.

    Frames of `frame_length` samples, `frame_step` apart, are multiplied by a window and transformed by two convolutions
    whose kernels are cosines and sines. The kernels are weights, initialized to the transform; `trainable: false` keeps
    them.

    Input axes:  `batch time channel`
    Output axes: `batch time frequency` with one channel, else `batch time channel_frequency`
    Weights:     real_kernel (frame_length, 1, fft_length / 2 + 1), imag_kernel likewise
    """

    kind = "STFTSpectrogram"
    is_transform = True
    makes = "frequency"
    steps = True
    for_silence = ("set `mode: psd`: the power of silence is 0, its magnitude and logarithm are bounded from below",)
    args = {
        "mode": a.choice(
            "log: logarithm of the magnitude; magnitude; psd: power density; real and imag: one part; stft: both; "
            "angle: the phase.",
            ["log", "magnitude", "psd", "real", "imag", "angle", "stft"],
            "log",
        ),
        "frame_length": a.integer("Frame length in samples.", 256),
        "frame_step": a.integer("Samples from one frame to the next; default: half a frame.", None),
        "fft_length": a.integer("Length of the transform; default: the next power of two.", None),
        "window": a.choice("Window function; null: rectangular.", [*WINDOWS], "hann"),
        "periodic": a.boolean("Whether the window is periodic rather than symmetric.", False),
        "scaling": a.choice(
            "density: per hertz; spectrum: per bin; null: no scaling.", ["density", "spectrum"], "density"
        ),
        "padding": a.choice("valid: only full frames; same: zero padding at both ends.", ["valid", "same"], "valid"),
        "expand_dims": a.boolean("Whether channels keep their own axis after the frequencies.", False),
        "data_format": a.data_format(),
    }

    def computes_in_float32(self, node: Node) -> bool:
        return True

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        for name in ("window", "scaling"):
            schema["properties"][name] = {**schema["properties"][name], "enum": [*self.args[name].schema["enum"], None]}
        return schema

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        require_channel_axis(call, 2, "one of samples and one of channels")
        first = call.args["data_format"] == "channels_first"
        places = (1,) if first else (0,)
        check_steps(call, places)
        signal, channel = call.axes[places[0]], call.axes[1 - places[0]]
        channels = call.require_size(channel, "each is transformed")
        length, mode = call.args["frame_length"], call.args["mode"]
        step = call.args["frame_step"] or length // 2
        transform = call.args["fft_length"] or 1 << (length - 1).bit_length()
        if step < 1:
            call.fail(
                "NN206",
                "`STFTSpectrogram` steps by half a frame by default, which is 0 with `frame_length: 1`",
                "frame_length",
                fixes=[Fix("set `frame_step: 1`")],
            )
        if step > length:
            call.fail(
                "NN206", f"`frame_step` must be at most `frame_length` ({length}), but it is {step}", "frame_step"
            )
        if transform < length:
            call.fail(
                "NN206", f"`fft_length` must be at least `frame_length` ({length}), but it is {transform}", "fft_length"
            )
        bins = transform // 2 + 1
        frames = ax.resized(
            signal, slid_size(call, signal, length, step, call.args["padding"], "frame_length"), call.name
        )
        name = call.axis_name or "frequency"
        frequency = ax.fresh(name, bins * (2 if mode == "stft" else 1), call.name)
        axes: tuple[Axis, ...]
        if call.args["expand_dims"]:
            axes = (channel, frames, frequency) if first else (frames, frequency, channel)
        else:
            if channels > 1:
                label = name if "as" in call.given else f"{channel.name}_{name}"
                atoms = (*channel.atoms, *frequency.atoms)
                frequency = Axis(name=label, size=multiply((channel.size, frequency.size)), atoms=atoms)
            axes = (frequency, frames) if first else (frames, frequency)
        shape = (length, 1, bins)
        weights = [
            Weight(f"{part}_kernel", shape)
            for part in ("real", "imag")
            if mode != ("imag" if part == "real" else "real")
        ]
        formula = " + ".join(f"{length}·{bins}" for _ in weights)
        windows = {places[0]: window_over(signal.size, length, step, call.args["padding"])}
        return Inferred((call.require_unique(axes),), weights=tuple(weights), formula=formula, windows=windows)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        first = node.args["data_format"] == "channels_first"
        samples, channel = (view.axes[2], view.axes[1]) if first else (view.axes[1], view.axes[2])
        folded = (*view.axes[0], *channel)
        ready = lowering.arrange(view, (folded, (), (), samples))
        step = node.args["frame_step"] or node.args["frame_length"] // 2
        size = ax.known_size(node.inputs[0].axes[1 if first else 0].size)
        both = pads(size, node.args["frame_length"], step, node.args["padding"])
        padding: dict[str, Any] = {"auto_pad": "SAME_UPPER"} if both is None else {"pads": [0, both[0], 0, both[1]]}

        def part(name: str) -> str:
            kernel = lowering.weights[f"{name}_kernel"].transpose(2, 1, 0)[:, :, None]
            weight = lowering.constant(kernel, f"{name}_kernel")
            shape = [1, kernel.shape[-1]]
            return lowering.node("Conv", ready.tensor, weight, kernel_shape=shape, strides=[1, step], **padding)

        tensor = self.combine(node, lowering, part)
        out = node.outputs[0].axes
        frames_axis = out[1] if first else out[0]
        bins = lowering.weights[next(iter(lowering.weights))].shape[-1] * (2 if node.args["mode"] == "stft" else 1)
        frames = lowering.factor(frames_axis.name, frames_axis.size)
        frequency = lowering.factor("frequency", bins)
        if node.args["expand_dims"]:
            groups: tuple[Group, ...] = (channel, frames, frequency) if first else (frames, frequency, channel)
        else:
            merged = (*channel, *frequency)
            groups = (merged, frames) if first else (frames, merged)
        axes = (view.axes[0], *groups)
        return [replace(ready, tensor=tensor, dims=(folded, frequency, (), frames), axes=axes, mask=None)]

    def padding_behind(self, node: Node, value: float) -> float | None:
        """Of silence: no power, but a magnitude is at least the root of `EPSILON`, and its logarithm is no zero."""
        if value:
            return None
        if node.args["mode"] not in ("magnitude", "log"):
            return 0.0
        least = math.sqrt(EPSILON)
        return least if node.args["mode"] == "magnitude" else math.log(least)

    def combine(self, node: Node, lowering: Lowering, part: Callable[[str], str]) -> str:
        """What the mode computes from the two parts."""
        mode = node.args["mode"]
        if mode in ("real", "imag"):
            return part(mode)
        real, imag = part("real"), part("imag")
        if mode == "stft":
            return lowering.node("Concat", real, imag, axis=1)
        if mode == "angle":
            return angle(lowering, real, imag)
        power = lowering.node("Add", lowering.node("Mul", real, real), lowering.node("Mul", imag, imag))
        if mode == "psd":  # every bin but the first and the last represents two
            bins = lowering.weights["real_kernel"].shape[-1]
            twice = np.full((1, bins, 1, 1), 2, np.float32)
            twice[:, [0, -1]] = 1
            return lowering.node("Mul", power, lowering.constant(twice, "twice"))
        magnitude = lowering.node("Sqrt", lowering.node("Max", power, lowering.scalar(EPSILON)))
        if mode == "magnitude":
            return magnitude
        return lowering.node("Log", lowering.node("Max", magnitude, lowering.scalar(EPSILON)))


def angle(lowering: Lowering, real: str, imag: str) -> str:
    """The two-argument arctangent of imag and real, which ONNX lacks.

    The angle against the nearer half of the real axis, turned round where that is the negative one. A real part of 0
    counts as the least number that is held exactly, so that the imaginary axis is at ±π/2 and the origin at 0.
    """
    zero = lowering.scalar(0.0)
    distance = lowering.node("Max", lowering.node("Abs", real), lowering.scalar(float(np.finfo(np.float32).tiny)))
    near = lowering.node("Atan", lowering.node("Div", imag, distance))
    half = lowering.node("Where", lowering.node("Less", imag, zero), lowering.scalar(-np.pi), lowering.scalar(np.pi))
    far = lowering.node("Sub", half, near)
    return lowering.node("Where", lowering.node("Less", real, zero), far, near)


LAYERS = (STFTSpectrogram(),)
