"""The base of image layers: the positions of height, width and channel, dtypes and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from nnspec.diagnostics import Fix
from nnspec.ir.graph import Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import check_steps, require_channel_axis
from nnspec.layers.normalization.rescaling import cast_to_float32

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor

INTERPOLATION = a.choice("Interpolation method.", ["bilinear", "nearest"], "bilinear")
FILL_MODE = a.choice(
    "How to fill beyond the edge: reflect (c b a | a b c), constant (`fill_value`), wrap, or nearest (the last pixel).",
    ["constant", "nearest", "wrap", "reflect"],
    "reflect",
)
FILL_VALUE = a.number("Fill value if `fill_mode` is constant.", 0.0)
VALUE_RANGE = a.Arg(
    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    "The lowest and highest possible pixel value: [0, 255], or [0, 1] after a `Rescaling`.",
    [0, 255],
)
SEED = a.integer("Random seed.", None, minimum=0)


def range_argument(
    what: str, default: a.Default = a.REQUIRED, *, minimum: float = 0, maximum: float = 1, number: str = "number"
) -> a.Arg:
    """A number, or a list [least, most] that one is drawn from for each image; `number` may be "integer"."""
    bounds = {"minimum": minimum, "maximum": maximum}
    schema = {
        "type": [number, "array"] if default is not None else [number, "array", "null"],
        **bounds,
        "items": {"type": number, **bounds},
        "minItems": 2,
        "maxItems": 2,
    }
    return a.Arg(schema, what, default)


def probability(what: str) -> a.Arg:
    """How often an image is changed; `what` says how (`blurred`)."""
    return range_argument(f"Probability that an image is {what}, or bounds to draw it from.", 1.0)


class ImageLayer(Layer):
    """A layer over `height width channel`, or `channel height width` with `data_format: channels_first`.

    Attributes:
        channels: how many channels it can read; empty: any number.
        spatial_rank: how many axes it runs along.
    """

    spatial_rank: ClassVar[int] = 2
    steps = True
    is_recorded_in_training = True
    channels: ClassVar[Sequence[int]] = ()

    def places(self, call: Call) -> tuple[int, int, int]:
        """The positions of height, width and channel, once they are sure to be what stands there."""
        require_channel_axis(call, 3, "height, width and channel")
        is_first = call.args.get("data_format") == "channels_first"
        height, width, channel = (1, 2, 0) if is_first else (0, 1, 2)
        check_steps(call, (height, width))
        if "value_range" in call.args and call.args["value_range"][0] == call.args["value_range"][1]:
            call.fail("NN206", "`value_range` needs two different numbers, the lowest and the highest", "value_range")
        self.check_channels(call, channel)
        return height, width, channel

    def check_channels(self, call: Call, place: int) -> None:
        """That there are as many channels as it can read."""
        if self.channels:
            reason = f"`{self.kind}` works on RGB images"
            require_channels(call, place, self.channels, reason, "the channels are red, green and blue")

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        return layer(cast_keras_tensor(node, tensors[0]))


def require_channels(call: Call, place: int, counts: Sequence[int], reason: str, note: str = "") -> None:
    """The channel axis has one of these sizes.

    Raises:
        Fault: NN302, with the reason and what to know of it.
    """
    axis = call.axes[place]
    if axis.size not in counts:
        wanted = " or ".join(str(count) for count in counts)
        call.fail(
            "NN302",
            f"{reason}, so `{axis.name}` must have {wanted} positions, but it has {axis.size}",
            notes=[note] if note else [],
            about=[axis.name],
        )


def cast_keras_tensor(node: Node, tensor: KerasTensor) -> KerasTensor:
    """The tensor as float32, which all image layers compute with."""
    if node.inputs[0].dtype == "float32":
        return tensor
    from keras import ops

    return ops.cast(tensor, "float32")


class Augmentation(ImageLayer):
    """A random augmentation in training; at inference it returns the images unchanged, and exports no ONNX node."""

    is_training_only = True

    def infer(self, call: Call) -> Inferred:
        self.places(call)
        self.check(call)
        return Inferred((call.axes,), ("float32",), notes=("only in training",))

    def check(self, call: Call) -> None:
        """Arguments against each other."""

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [cast_to_float32(lowering, inputs[0])]


class ColorAugmentation(Augmentation):
    """An augmentation that tells red, green and blue apart."""

    channels = (3,)


def color_arguments(factor: str) -> dict[str, a.Arg]:
    """The arguments of a change of colours; `factor` describes how far it goes."""
    return {
        "factor": range_argument(factor),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


def resampling_arguments() -> dict[str, a.Arg]:
    """How pixels are computed that come from between others, or from outside the image."""
    return {
        "fill_mode": FILL_MODE,
        "interpolation": INTERPOLATION,
        "seed": SEED,
        "fill_value": FILL_VALUE,
        "data_format": a.data_format(),
    }


def refuse_channels_first(call: Call, why: str) -> None:
    """NN208 where Keras' layer is right for `channels_last` alone."""
    if call.args.get("data_format") == "channels_first":
        call.fail(
            "NN208",
            f"`{call.kind}` takes `data_format: channels_first`, but {why}",
            "data_format",
            fixes=[Fix("permute to `height width channel` first, and remove `data_format`")],
        )
