"""MelSpectrogram: the power of a signal in mel bands, frame by frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node, Window
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import check_steps
from nnspec.lazy import np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor


class MelSpectrogram(Layer):
    """The mel spectrogram of a signal: the power of each frame in bands of the mel scale (HTK), in decibels.

    Frames are `sequence_stride` apart, the first one centred on the first sample; the ends are reflected. With
    `power_to_db`, values are limited to `top_db` below the maximum of the whole batch, as in Keras: the other
    signals of a batch can change a result.

    In ONNX a convolution with cosines and sines, and one with the band weights.

    Input axes:  `batch time`
    Output axes: `batch mel time`
    """

    kind = "MelSpectrogram"
    makes = "mel"
    steps = True
    args = {
        "fft_length": a.integer("FFT length in samples.", 2048, minimum=2),
        "sequence_stride": a.integer("Hop between frames, in samples.", 512),
        "sequence_length": a.integer("Window length in samples; default: the FFT length.", None),
        "window": a.Arg({"enum": ["hann", "hamming", None]}, "Window function; null: rectangular.", "hann"),
        "sampling_rate": a.integer("Sampling rate, in Hz.", 16000),
        "num_mel_bins": a.integer("Number of mel bands: the size of the new axis.", 128),
        "min_freq": a.number("Lower edge of the first band, in Hz.", 20.0, minimum=0),
        "max_freq": a.number("Upper edge of the last band, in Hz; default: half the sampling rate.", None, above=0),
        "power_to_db": a.boolean("Whether to convert power to decibels.", True),
        "top_db": a.number("Dynamic range below the maximum, in decibels.", 80.0),
        "mag_exp": a.number("Exponent of the magnitude: 1, or 2 for power.", 2.0),
        "min_power": a.number("Minimum power; smaller values are raised to it.", 1e-10, above=0),
        "ref_power": a.number("The power that corresponds to 0 decibels.", 1.0),
    }

    def runs_only_on_tensorflow(self, node: Node) -> bool:
        """Keras on JAX places a window that leaves an odd rest of the transform otherwise."""
        length, frame = node.args["fft_length"], node.args["sequence_length"]
        return bool(frame and node.args["window"] is not None and (length - frame) % 2)

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        call.require_rank(1, what="the samples of a signal")
        check_steps(call, (0,))
        signal, length, stride = call.axes[0], call.args["fft_length"], call.args["sequence_stride"]
        frame = call.args["sequence_length"] or length
        if frame > length:
            call.fail(
                "NN206",
                f"`sequence_length` must be at most `fft_length` ({length}), but it is {frame}",
                "sequence_length",
            )
        low, high = call.args["min_freq"], self.highest(call.args)
        if low >= high:
            call.fail("NN206", f"`min_freq` ({low} Hz) must be below `max_freq` ({high} Hz)", "min_freq")
        if isinstance(signal.size, int) and signal.size <= length // 2:
            call.fail(
                "NN312",
                f"`MelSpectrogram` reflects {length // 2} samples at each end of `{signal.name}`, but it has only "
                f"{signal.size}",
                "fft_length",
                about=[signal.name],
            )
        padded = signal.size + 2 * (length // 2) if isinstance(signal.size, int) else None
        if padded is not None:
            frames: ax.Size = 1 + (padded - length) // stride
        else:
            call.constraints.append(f"{signal.size} > {length // 2}")  # no more can be reflected than there is
            reach = f"{signal.size}" if length % 2 == 0 else f"({signal.size} - 1)"
            frames = ax.derived(f"(1 + floor({reach}/{stride}))")
        made = ax.fresh(call.axis_name or "mel", call.args["num_mel_bins"], call.name)
        axes = call.require_unique((made, ax.resized(signal, frames, call.name)))
        return Inferred((axes,), windows={0: Window(length, stride, length // 2)})

    def highest(self, args: Args) -> float:
        return float(args["max_freq"] or int(args["sampling_rate"] / 2))

    def to_keras(self, node: Node) -> KerasCallable:
        from nnspec.backends.keras.layers.preprocessing import SizedMelSpectrogram

        plain = super().to_keras(node)
        if self.is_sized_by_keras(plain, node):
            return plain
        return SizedMelSpectrogram(name=keras_name(node.name), **self.keras_arguments(node))

    def is_sized_by_keras(self, layer: KerasLayer, node: Node) -> bool:
        """Whether Keras says the right number of frames; for some lengths it does not."""
        samples, frames = node.inputs[0].axes[0].size, node.outputs[0].axes[1].size
        return not isinstance(samples, int) or layer.compute_output_shape((None, samples))[2] == frames

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        """The layer's result; where Keras does not know its size, all its frames are taken by number, which says it.

        An archive then needs Keras alone; a layer around this one calls it by itself.
        """
        from keras import ops

        plain = super().to_keras(node)
        if self.is_sized_by_keras(plain, node):
            return layer(tensors[0])
        frames = node.outputs[0].axes[1].size
        assert isinstance(frames, int), "Keras knows the size of what is open"
        return ops.take(plain(tensors[0]), np.arange(frames, dtype="int32"), axis=2)

    # ------------------------------------------------------------------------------------------------ ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        args, view = node.args, inputs[0]
        length, stride = args["fft_length"], args["sequence_stride"]
        frame = length if args["window"] is None else args["sequence_length"] or length  # no window leaves all samples
        batch, samples = view.axes
        ready = lowering.arrange(view, (batch, (), (), samples))
        before = (length - frame) // 2  # zeros of the window at both ends of a frame are left out
        ends = (length // 2 - before, length // 2 - (length - frame - before))
        pads = lowering.constant(np.asarray([0, 0, 0, ends[0], 0, 0, 0, ends[1]], np.int64), "pads")
        signal = lowering.node("Pad", ready.tensor, pads, mode="reflect")
        bins = length // 2 + 1
        waves = lowering.constant(self.wave_kernel(args, frame, bins), "waves")
        parts = lowering.node("Conv", signal, waves, kernel_shape=[1, frame], strides=[1, stride])
        square = lowering.node("Mul", parts, parts)
        bands = self.band_matrix(args, bins)
        if args["mag_exp"] == 2:  # the bands sum both parts
            tensor = self.mix_bands(lowering, square, np.concatenate([bands, bands], axis=1))
        else:
            both = lowering.constant(
                np.concatenate([np.eye(bins)] * 2, axis=1).astype(np.float32)[..., None, None], "sum"
            )
            power = lowering.node("Conv", square, both, kernel_shape=[1, 1])
            magnitude = lowering.node("Pow", power, lowering.scalar(args["mag_exp"] / 2))
            tensor = self.mix_bands(lowering, magnitude, bands)
        if args["power_to_db"]:
            tensor = self.write_decibels(lowering, tensor, args)
        mel, time = node.outputs[0].axes
        groups = (lowering.factor(mel.name, mel.size), lowering.factor(time.name, time.size))
        dims = (batch, groups[0], (), groups[1])
        return [replace(ready, tensor=tensor, dims=dims, axes=(batch, *groups), mask=None)]

    def mix_bands(self, lowering: Lowering, tensor: str, bands: np.ndarray) -> str:
        weights = lowering.constant(bands.astype(np.float32)[..., None, None], "bands")
        return lowering.node("Conv", tensor, weights, kernel_shape=[1, 1])

    def write_decibels(self, lowering: Lowering, tensor: str, args: Args) -> str:
        least = lowering.scalar(args["min_power"])
        scale = lowering.scalar(float(10 / np.log(10)))
        level = lowering.node("Mul", lowering.node("Log", lowering.node("Max", tensor, least)), scale)
        reference = float(10 * np.log10(max(abs(args["ref_power"]), args["min_power"])))
        if reference:
            level = lowering.node("Sub", level, lowering.scalar(reference))
        largest = lowering.node("ReduceMax", level, keepdims=1)
        return lowering.node("Max", level, lowering.node("Sub", largest, lowering.scalar(args["top_db"])))

    def wave_kernel(self, args: Args, frame: int, bins: int) -> np.ndarray:
        """Cosines, then sines, weighed by the window: axes `wave 1 1 sample`."""
        period = max(frame - frame % 2, 1)  # TensorFlow's windows of odd lengths are symmetric
        angle = 2 * np.pi * np.arange(frame) / period
        alone = frame == 1  # a window of one sample leaves it as it is
        weights = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), None: (1.0, 0.0)}[None if alone else args["window"]]
        window = weights[0] - weights[1] * np.cos(angle)
        turns = 2 * np.pi * (np.outer(np.arange(bins), np.arange(frame)) % args["fft_length"]) / args["fft_length"]
        return (np.concatenate([np.cos(turns), np.sin(turns)]) * window)[:, None, None, :].astype(np.float32)

    def band_matrix(self, args: Args, bins: int) -> np.ndarray:
        """Triangles over mel(f) = 1127·ln(1 + f/700): axes `band bin`; the first bin, the mean, counts nowhere."""

        def mel(frequency: ArrayLike) -> np.ndarray:
            return np.asarray(1127.0 * np.log1p(np.asarray(frequency) / 700.0))

        edges = np.linspace(mel(args["min_freq"]), mel(self.highest(args)), args["num_mel_bins"] + 2)
        places = mel(np.linspace(0.0, args["sampling_rate"] / 2, bins))[None, :]
        lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
        triangle = np.minimum((places - lower) / (centre - lower), (upper - places) / (upper - centre))
        triangle[:, 0] = 0.0
        return np.asarray(np.maximum(0.0, triangle))


LAYERS = (MelSpectrogram(),)
