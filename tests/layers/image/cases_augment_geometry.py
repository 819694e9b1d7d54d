"""Cases of augmentations that move an image's pixels. Training: test_augmentation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.layers.image.parts import BANDS, IMAGE, OPEN, pixels, unchanged, unchanged_cases
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import always, image_form

# kind -> arguments with which it surely changes an image in training
ARGUMENTS: dict[str, dict[str, Any]] = {
    "RandomFlip": {"mode": "vertical"},
    "RandomRotation": {"factor": [-0.3, -0.1], "fill_mode": "constant", "fill_value": 7, "interpolation": "nearest"},
    "RandomTranslation": {"height_factor": [0.2, 0.4], "width_factor": -0.3, "fill_mode": "wrap"},
    "RandomZoom": {"height_factor": [0.3, 0.5], "width_factor": [-0.5, -0.3], "fill_mode": "nearest"},
    "RandomShear": {"x_factor": [0.3, 0.5], "y_factor": 0.2},
    "RandomPerspective": {"factor": [1, 1], "scale": 0.8},
    "RandomElasticTransform": {"factor": [1, 1], "scale": [0.7, 0.9]},
}
CASES = [
    *unchanged_cases(ARGUMENTS, ["RandomFlip", "RandomRotation", "RandomZoom"]),
    Case("RandomFlip", None, [OPEN], OPEN, unchanged, ["Identity"], id="any-size"),
    Case("RandomFlip", None, [BANDS], BANDS, unchanged, ["Cast"], id="pixels", dtype="uint8", make=pixels),
    Case(
        "RandomTranslation",
        {"height_factor": 0.1, "width_factor": 0.1},
        [IMAGE],
        IMAGE,
        None,
        ["Transpose", "Conv", "Transpose"],
        id="before-conv",
        after=[{"Conv2D": {"filters": 4, "kernel_size": [3, 2]}}],
    ),
]
FORMS = {
    **dict.fromkeys(ARGUMENTS, image_form()),
    "RandomElasticTransform": image_form(scale=always(st.just(0.5))),
    "RandomPerspective": image_form(scale=always(st.just(0.5))),
}
