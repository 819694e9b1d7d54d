"""Augmentations that move pixels: flips, rotations, shifts, zooms and distortions."""

from __future__ import annotations

from nnspec.layers.image.base import (
    FILL_MODE,
    FILL_VALUE,
    INTERPOLATION,
    SEED,
    VALUE_RANGE,
    Augmentation,
    probability,
    range_argument,
    resampling_arguments,
)
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call


class _Moving(Augmentation):
    moves_pixels = True


class RandomFlip(_Moving):
    """In training mirrors images at random, left to right, top to bottom or both; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomFlip"
    args = {
        "mode": a.choice(
            "horizontal: left to right; vertical: top to bottom; or both, independently.",
            ["horizontal", "vertical", "horizontal_and_vertical"],
            "horizontal_and_vertical",
        ),
        "seed": SEED,
        "data_format": a.data_format(),
    }


class RandomRotation(_Moving):
    """In training rotates each image by a random angle; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomRotation"
    args = {
        "factor": range_argument(
            "Angle as a fraction of a full turn: 0.1 is up to 36° either way, [-0.2, 0.3] from 72° clockwise to 108° "
            "counter-clockwise.",
            minimum=-1,
        ),
        **resampling_arguments(),
    }


class RandomTranslation(_Moving):
    """In training shifts each image by a random distance; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomTranslation"
    args = {
        "height_factor": range_argument(
            "Shift as a fraction of the height: 0.2 is up to 20% up or down; [-0.2, 0.3]: 20% up to 30% down.",
            minimum=-1,
        ),
        "width_factor": range_argument("Shift as a fraction of the width, negative to the left.", minimum=-1),
        **resampling_arguments(),
    }


class RandomZoom(_Moving):
    """In training zooms each image in or out by a random amount; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomZoom"
    args = {
        "height_factor": range_argument(
            "Amount by height: 0.2 is up to 20% in or out; [0.2, 0.3] is out, [-0.3, -0.2] is in.", minimum=-1
        ),
        "width_factor": range_argument("The same for the width; null: as for the height.", None, minimum=-1),
        **resampling_arguments(),
    }

    def check(self, call: Call) -> None:
        for name in ("height_factor", "width_factor"):
            value = call.args[name]
            if value is not None and -1 in (value if isinstance(value, list) else [value]):
                call.fail("NN206", f"`{name}` of `RandomZoom` must be greater than -1, at which nothing remains", name)


class RandomShear(_Moving):
    """In training shears each image by a random amount; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomShear"
    args = {
        "x_factor": range_argument("Shear along the width, as a fraction of it: 0.3 is up to 30% either way.", 0.0),
        "y_factor": range_argument("Shear along the height, as a fraction of it.", 0.0),
        "interpolation": INTERPOLATION,
        "fill_mode": FILL_MODE,
        "fill_value": FILL_VALUE,
        "data_format": a.data_format(),
        "seed": SEED,
    }


class RandomPerspective(_Moving):
    """In training applies a random perspective transform to some images; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomPerspective"
    args = {
        "factor": probability("changed"),
        "scale": a.number("How far corners move: 0 not at all, 1 the most.", 1.0, minimum=0, maximum=1),
        "interpolation": INTERPOLATION,
        "fill_value": FILL_VALUE,
        "seed": SEED,
        "data_format": a.data_format(),
    }


class RandomElasticTransform(_Moving):
    """In training applies a random elastic deformation to some images; at inference does nothing.

    Input axes:  `batch height width channel`
    Output axes: the same
    """

    kind = "RandomElasticTransform"
    needs_tensorflow = True  # JAX cannot trace its training step
    args = {
        "factor": probability("changed"),
        "scale": range_argument("Strength of the distortion, or bounds to draw it from.", 1.0),
        "interpolation": INTERPOLATION,
        "fill_mode": FILL_MODE,
        "fill_value": FILL_VALUE,
        "value_range": VALUE_RANGE,
        "seed": SEED,
        "data_format": a.data_format(),
    }


LAYERS = (
    RandomFlip(),
    RandomRotation(),
    RandomTranslation(),
    RandomZoom(),
    RandomShear(),
    RandomPerspective(),
    RandomElasticTransform(),
)
