"""Augmentations that erase, blur or sharpen, and those that combine others."""

from __future__ import annotations

from nnspec.layers.image.base import (
    INTERPOLATION,
    SEED,
    VALUE_RANGE,
    Augmentation,
    ColorAugmentation,
    probability,
    range_argument,
    require_channels,
)
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call


class RandomErasing(Augmentation):
    """In training fills a rectangle of some images; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomErasing"
    args = {
        "factor": probability("changed"),
        "scale": range_argument("Area of the rectangle as a fraction of the image, or bounds.", [0.02, 0.33]),
        "fill_value": a.number("Fill value of the rectangle; null: normal noise.", None),
        "value_range": VALUE_RANGE,
        "seed": SEED,
        "data_format": a.data_format(),
    }


class RandomGaussianBlur(Augmentation):
    """In training blurs some images by a Gaussian kernel; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomGaussianBlur"
    args = {
        "factor": probability("blurred"),
        "kernel_size": a.sizes("Pixels of the kernel along height and width, odd.", 2, 3),
        "sigma": range_argument("Standard deviation of the kernel in pixels, or bounds.", 1.0),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }

    def check(self, call: Call) -> None:
        size = call.args["kernel_size"]
        if any(part % 2 == 0 for part in a.as_tuple(size, 2)):
            call.fail("NN206", f"`kernel_size` of `RandomGaussianBlur` must be odd, but it is {size}", "kernel_size")


class RandomSharpness(Augmentation):
    """In training blurs or sharpens each image; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomSharpness"
    args = {
        "factor": range_argument("0 blurs, 0.5 changes nothing, 1 sharpens; or bounds."),
        "value_range": VALUE_RANGE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


class RandAugment(ColorAugmentation):
    """In training applies a few augmentations, chosen at random (Cubuk and others 2020); at inference does nothing.

    Input axes:  `batch height width channel`, three channels
    Output axes: the same
    """

    kind = "RandAugment"
    moves_pixels = True
    args = {
        "value_range": VALUE_RANGE,
        "num_ops": a.integer("Number of augmentations applied one after another.", 2),
        "factor": range_argument("Strength of each: 0 none, 1 the most; or bounds.", 0.5),
        "interpolation": INTERPOLATION,
        "seed": SEED,
        "data_format": a.data_format(),
    }


class AugMix(Augmentation):
    """In training mixes each image with chains of augmentations of it; at inference does nothing.

    Hendrycks and others 2020.

    Input axes:  `batch height width channel`; three channels with `all_ops`
    Output axes: the same
    """

    kind = "AugMix"
    moves_pixels = True
    args = {
        "value_range": VALUE_RANGE,
        "num_chains": a.integer("Number of chains to mix.", 3),
        "chain_depth": a.integer("Maximum number of augmentations per chain.", 3),
        "factor": range_argument("Strength of each: 0 none, 1 the most; or bounds.", 0.3),
        "alpha": a.number("Parameter of the Beta and Dirichlet distributions of the mixing weights.", 1.0, above=0),
        "all_ops": a.boolean("Whether to include brightness, colour, contrast and sharpness.", True),
        "interpolation": INTERPOLATION,
        "seed": SEED,
        "data_format": a.data_format(),
    }

    def check_channels(self, call: Call, place: int) -> None:
        if call.args["all_ops"]:
            reason = "with `all_ops`, `AugMix` works on colours"
            require_channels(call, place, (3,), reason, "`all_ops: false` leaves out the changes of colour")


LAYERS = (RandomErasing(), RandomGaussianBlur(), RandomSharpness(), RandAugment(), AugMix())
