"""Augmentations that change brightness, contrast and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.layers.image.base import (
    SEED,
    VALUE_RANGE,
    Augmentation,
    ColorAugmentation,
    color_arguments,
    probability,
    range_argument,
    refuse_channels_first,
    require_channels,
)
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


class RandomHue(ColorAugmentation):
    """In training turns the hue of each image; at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandomHue"
    args = color_arguments("How far to rotate the hue: 0 not at all, 1 the full circle; or bounds.")


class RandomSaturation(ColorAugmentation):
    """In training makes the colours of each image paler or stronger; at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandomSaturation"
    args = color_arguments("0 is grey, 0.5 leaves colours as they are, 1 saturates them; or bounds.")


class RandomColorDegeneration(ColorAugmentation):
    """In training mixes each image with its own grey version; at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandomColorDegeneration"
    args = color_arguments("0 leaves colours as they are, 1 takes them all away; or bounds.")


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
        require_channels(call, place, (3,), "saturation and hue are defined for RGB only")

    def check(self, call: Call) -> None:
        refuse_channels_first(call, "the Keras layers that it combines take the last axis as channels")


class RandomGrayscale(Augmentation):
    """In training makes some images grey, with equal channels; at inference does nothing.

    Input axes:  `batch height width channel`, one channel or three
    Output axes: the same
    """

    kind = "RandomGrayscale"
    channels = (1, 3)
    args = {
        "factor": a.number("Probability that an image is converted to grey.", 0.5, minimum=0, maximum=1),
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
        "factor": probability("inverted"),
        "value_range": VALUE_RANGE,
        "seed": SEED,
        "data_format": a.data_format(),
    }


class RandomPosterization(Augmentation):
    """In training reduces the number of bits of each value; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomPosterization"
    args = {
        "factor": range_argument(
            "Maximum number of bits to keep of 8, or bounds.", minimum=1, maximum=8, number="integer"
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
    """In training equalizes the histogram of each channel over all images of a batch; at inference does nothing.

    Keras' documentation mentions inference too, but its code acts only in training; `AutoContrast` acts in both.

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
        from nnspec.backends.keras.layers.image import GraphEqualization

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
