"""Cases of augmentations: at inference nothing happens, and nothing is written to ONNX. Training: test_augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.layer_cases import Case

IMAGE = {"height": 9, "width": 11, "channel": 3}
FIRST = {"channel": 3, "height": 9, "width": 11}
BANDS = {"height": 9, "width": 11, "channel": 5}
OPEN = {"height": "H", "width": "W", "channel": 3}


def pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 256, size=shape)


# kind -> arguments with which it surely changes an image in training
COLORS: dict[str, dict[str, Any]] = {
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
    "RandAugment": {"num_ops": 3, "factor": [0.5, 0.7], "interpolation": "nearest"},
    "AugMix": {"num_chains": 2, "chain_depth": 4, "alpha": 0.5, "factor": 0.6},
}
OTHERS: dict[str, dict[str, Any]] = {
    "RandomFlip": {"mode": "vertical"},
    "RandomRotation": {"factor": [-0.3, -0.1], "fill_mode": "constant", "fill_value": 7, "interpolation": "nearest"},
    "RandomTranslation": {"height_factor": [0.2, 0.4], "width_factor": -0.3, "fill_mode": "wrap"},
    "RandomZoom": {"height_factor": [0.3, 0.5], "width_factor": [-0.5, -0.3], "fill_mode": "nearest"},
    "RandomShear": {"x_factor": [0.3, 0.5], "y_factor": 0.2},
    "RandomPerspective": {"factor": [1, 1], "scale": 0.8},
    "RandomElasticTransform": {"factor": [1, 1], "scale": [0.7, 0.9]},
    "RandomBrightness": {"factor": [0.3, 0.5]},
    "RandomContrast": {"factor": [0.3, 0.6]},
    "RandomInvert": {"factor": [1, 1]},
    "RandomPosterization": {"factor": 2},
    "Solarization": {"addition_factor": [0.2, 0.4], "threshold_factor": 0.5},
    "Equalization": {"bins": 64},
    "RandomErasing": {"factor": [1, 1], "scale": [0.3, 0.6], "fill_value": 0},
    "RandomGaussianBlur": {"factor": [1, 1], "kernel_size": [3, 5], "sigma": [0.5, 1.0]},
    "RandomSharpness": {"factor": [0.8, 1]},
}
ARGUMENTS = {**COLORS, **OTHERS}
TAKES_FIRST = ["RandomHue", "RandomGrayscale", "RandomFlip", "RandomRotation", "RandomZoom", "RandomSharpness"]


def unchanged(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
    return inputs[0].astype(np.float32)


CASES = [
    *(Case(kind, body, [IMAGE], IMAGE, unchanged, ["Identity"]) for kind, body in ARGUMENTS.items()),
    *(
        Case(
            kind,
            {**ARGUMENTS[kind], "data_format": "channels_first"},
            [FIRST],
            FIRST,
            unchanged,
            ["Identity"],
            id="nchw",
        )
        for kind in TAKES_FIRST
    ),
    Case("RandomFlip", None, [OPEN], OPEN, unchanged, ["Identity"], id="any-size"),
    Case("RandomFlip", None, [BANDS], BANDS, unchanged, ["Cast"], id="pixels", dtype="uint8", make=pixels),
    Case("AugMix", {"all_ops": False}, [BANDS], BANDS, unchanged, ["Identity"], id="bands"),
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
