"""Augmentations that change brightness, contrast and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.layers.image.base import SEED, VALUE_RANGE, Augmentation, range_argument, refuse_channels_first
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call

if TYPE_CHECKING:
    from nnspec.backends.types import KerasCallable


class RandomBrightness(Augmentation):
    """In training makes each image lighter or darker; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomBrightness"
    args = {
        "factor": range_argument(
            "Fraction of the value range to add: 0.2 is up to 20% lighter or darker, 1 is white, -1 black.",
            minimum=-1,
        ),
        "value_range": VALUE_RANGE,
        "seed": SEED,
    }


class RandomContrast(Augmentation):
    """In training moves pixels towards or away from their channel's mean; at inference does nothing.

    (x - mean)·f + mean, with f drawn from [1 - lower, 1 + upper].

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomContrast"
    args = {
        "factor": range_argument("How far the factor may differ from 1, or [lower, upper]."),
        "value_range": VALUE_RANGE,
        "seed": SEED,
    }


class RandomHue(Augmentation):
    """In training turns the hue of each image; at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandomHue"
    channels = (3,)
    args = {
        "factor": range_argument("How far to rotate the hue: 0 not at all, 1 the full circle; or bounds."),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


class RandomSaturation(Augmentation):
    """In training makes the colours of each image paler or stronger; at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandomSaturation"
    channels = (3,)
    args = {
        "factor": range_argument("0 is grey, 0.5 leaves colours as they are, 1 saturates them; or bounds."),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


class RandomColorDegeneration(Augmentation):
    """In training mixes each image with its own grey version; at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandomColorDegeneration"
    channels = (3,)
    args = {
        "factor": range_argument("0 leaves colours as they are, 1 takes them all away; or bounds."),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


class RandomColorJitter(Augmentation):
    """In training changes brightness, contrast, saturation and hue at random; at inference does nothing.

    Input axes:  `batch height width channel`; three channels with `saturation_factor` or `hue_factor`
    Output axes: the same
    """

    kind = "RandomColorJitter"
    args = {
        "value_range": VALUE_RANGE,
        "brightness_factor": range_argument("As in `RandomBrightness`; null: unchanged.", None, minimum=-1),
        "contrast_factor": range_argument("As in `RandomContrast`; null: unchanged.", None),
        "saturation_factor": range_argument("As in `RandomSaturation`; null: unchanged.", None),
        "hue_factor": range_argument("As in `RandomHue`; null: unchanged.", None),
        "seed": SEED,
        "data_format": a.data_format(),
    }

    def check_channels(self, call: Call, place: int) -> None:
        if call.args["saturation_factor"] is None and call.args["hue_factor"] is None:
            return
        size = call.axes[place].size
        if size != 3:
            call.fail(
                "NN302",
                f"saturation and hue are defined for RGB only, so `{call.axes[place].name}` must have 3 positions, "
                f"but it has {size}",
                about=[call.axes[place].name],
            )

    def check(self, call: Call) -> None:
        refuse_channels_first(call, "in Keras the changes that it is made of read the last axis as channels")


class RandomGrayscale(Augmentation):
    """In training makes some images grey, with all channels alike; at inference does nothing.

    Input axes:  `batch height width channel`, one channel or three
    Output axes: the same
    """

    kind = "RandomGrayscale"
    channels = (1, 3)
    args = {
        "factor": a.number("Probability that an image is made grey.", 0.5, minimum=0, maximum=1),
        "data_format": a.data_format(),
        "seed": SEED,
    }


class RandomInvert(Augmentation):
    """In training inverts the values of some images within their range; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomInvert"
    args = {
        "factor": range_argument("Probability that an image is inverted, or bounds to draw it from.", 1.0),
        "value_range": VALUE_RANGE,
        "seed": SEED,
        "data_format": a.data_format(),
    }


class RandomPosterization(Augmentation):
    """In training keeps few bits of each value; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomPosterization"
    args = {
        "factor": a.Arg(
            {
                "type": ["integer", "array"],
                "minimum": 1,
                "maximum": 8,
                "items": {"type": "integer", "minimum": 1, "maximum": 8},
                "minItems": 2,
                "maxItems": 2,
            },
            "Maximum number of bits to keep of 8, or bounds.",
        ),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


class Solarization(Augmentation):
    """In training adds to each image and inverts what is above a threshold; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "Solarization"
    args = {
        "addition_factor": range_argument("Maximum fraction of the value range to add, or bounds.", 0.0),
        "threshold_factor": range_argument("Threshold as a fraction of the value range, or bounds.", 0.0),
        "value_range": VALUE_RANGE,
        "seed": SEED,
    }


class Equalization(Augmentation):
    """In training spreads the values of each channel, over all images of a batch, evenly; at inference does nothing.

    Keras' documentation speaks of inference too, but its code acts in training alone; `AutoContrast` acts in both.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "Equalization"
    args = {
        "value_range": VALUE_RANGE,
        "bins": a.integer("Number of histogram bins.", 256, minimum=2),
        "data_format": a.data_format(),
    }

    def to_keras(self, node: Node) -> KerasCallable:
        from nnspec.backends.keras.image_layers import GraphEqualization

        return GraphEqualization(name=keras_name(node.name), **self.keras_arguments(node))


LAYERS = (
    RandomBrightness(),
    RandomContrast(),
    RandomHue(),
    RandomSaturation(),
    RandomColorDegeneration(),
    RandomColorJitter(),
    RandomGrayscale(),
    RandomInvert(),
    RandomPosterization(),
    Solarization(),
    Equalization(),
)
