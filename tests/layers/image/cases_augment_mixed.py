"""Cases of augmentations that do several things to an image, or touch a part of it. Training: test_augmentation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.layers.image.parts import BANDS, unchanged, unchanged_cases
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import always, image_form

# kind -> arguments with which it surely changes an image in training
ARGUMENTS: dict[str, dict[str, Any]] = {
    "RandomErasing": {"factor": [1, 1], "scale": [0.3, 0.6], "fill_value": 0},
    "RandomGaussianBlur": {"factor": [1, 1], "kernel_size": [3, 5], "sigma": [0.5, 1.0]},
    "RandomSharpness": {"factor": [0.8, 1]},
    "RandAugment": {"num_ops": 3, "factor": [0.5, 0.7], "interpolation": "nearest"},
    "AugMix": {"num_chains": 2, "chain_depth": 4, "alpha": 0.5, "factor": 0.6},
}
CASES = [
    *unchanged_cases(ARGUMENTS, ["RandomSharpness"]),
    Case("AugMix", {"all_ops": False}, [BANDS], BANDS, unchanged, ["Identity"], id="bands"),
]
FORMS = {
    **dict.fromkeys(ARGUMENTS, image_form()),
    "RandomErasing": image_form(scale=always(st.just([0.02, 0.33]))),
    "RandomGaussianBlur": image_form(kernel_size=always(st.just(3)), sigma=always(st.just(1.0))),
}
