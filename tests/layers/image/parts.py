"""What the cases of augmentations are made of: at inference nothing happens, and nothing is written to ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.support.layer_cases import Case

IMAGE = {"height": 9, "width": 11, "channel": 3}
FIRST = {"channel": 3, "height": 9, "width": 11}
BANDS = {"height": 9, "width": 11, "channel": 5}
OPEN = {"height": "H", "width": "W", "channel": 3}


def pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 256, size=shape)


def unchanged(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
    return inputs[0].astype(np.float32)


def unchanged_cases(arguments: Mapping[str, dict[str, Any]], channels_first: Sequence[str]) -> list[Case]:
    """A case for each kind, and one more of channels first for some.

    Args:
        arguments: of each kind, with which it surely changes an image in training.
    """
    return [
        *(Case(kind, body, [IMAGE], IMAGE, unchanged, ["Identity"]) for kind, body in arguments.items()),
        *(
            Case(
                kind,
                {**arguments[kind], "data_format": "channels_first"},
                [FIRST],
                FIRST,
                unchanged,
                ["Identity"],
                id="nchw",
            )
            for kind in channels_first
        ),
    ]
