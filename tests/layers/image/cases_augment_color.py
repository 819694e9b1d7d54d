"""Cases of augmentations that change an image's colors. Training: test_augmentation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.layers.image.parts import unchanged_cases
from tests.support.strategies.form_parts import always, image_form

# kind -> arguments with which it surely changes an image in training
ARGUMENTS: dict[str, dict[str, Any]] = {
    "RandomBrightness": {"factor": [0.3, 0.5]},
    "RandomContrast": {"factor": [0.3, 0.6]},
    "RandomHue": {"factor": [0.3, 0.4]},
    "RandomSaturation": {"factor": [0.8, 0.9]},
    "RandomColorDegeneration": {"factor": [0.5, 1]},
    "RandomColorJitter": {
        "brightness_factor": 0.2,
        "contrast_factor": [0.1, 0.3],
        "saturation_factor": [0.8, 0.9],
        "hue_factor": 0.4,
    },
    "RandomGrayscale": {"factor": 1},
    "RandomInvert": {"factor": [1, 1]},
    "RandomPosterization": {"factor": 2},
    "Solarization": {"addition_factor": [0.2, 0.4], "threshold_factor": 0.5},
    "Equalization": {"bins": 64},
}
CASES = [
    *unchanged_cases(ARGUMENTS, ["RandomHue", "RandomGrayscale"]),
]
FORMS = {
    **dict.fromkeys(ARGUMENTS, image_form()),
    "RandomPosterization": image_form(factor=always(st.integers(1, 8))),
    "RandomGrayscale": image_form(factor=always(st.just(0.5))),
}
