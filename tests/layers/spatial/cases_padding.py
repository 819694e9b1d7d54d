"""Cases of zero padding and cropping."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import border_form

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]


def padded(*pairs: tuple[int, int]) -> Oracle:
    """By assignment into zeros; a pair for every axis after batch."""

    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        made = np.zeros((len(x), *(n + a + b for n, (a, b) in zip(x.shape[1:], pairs, strict=True))))
        place = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape[1:], pairs, strict=True))
        made[(slice(None), *place)] = x
        return made

    return oracle


def cropped(*pairs: tuple[int, int]) -> Oracle:
    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0]
        for axis, (before, after) in enumerate(pairs, 1):
            x = np.take(x, range(before, x.shape[axis] - after), axis=axis)
        return x

    return oracle


STEPS = {"time": 7, "channel": 3}
IMAGE = {"height": 5, "width": 7, "channel": 3}
VOLUME = {"depth": 5, "height": 7, "width": 6, "channel": 4}
NONE = (0, 0)

CASES = [
    Case("ZeroPadding1D", None, [STEPS], {"time": 9, "channel": 3}, padded((1, 1), NONE), ["Pad"]),
    Case(
        "ZeroPadding1D",
        {"padding": [2, 0]},
        [{"time": "T", "channel": 3}],
        {"time": "(T + 2)", "channel": 3},
        padded((2, 0), NONE),
        ["Pad"],
        id="before-symbol",
    ),
    Case(
        "ZeroPadding1D",
        {"padding": 2, "data_format": "channels_first"},
        [{"channel": 3, "time": 7}],
        {"channel": 3, "time": 11},
        padded(NONE, (2, 2)),
        ["Pad"],
        id="channels-first",
    ),
    Case("ZeroPadding1D", {"padding": 0}, [STEPS], STEPS, padded(NONE, NONE), ["Identity"], id="nothing"),
    Case(
        "ZeroPadding1D",
        {"padding": [2, 1]},
        [{"time": 1, "channel": 3}],
        {"time": 4, "channel": 3},
        padded((2, 1), NONE),
        ["Pad"],
        id="one-step",
    ),
    Case(
        "ZeroPadding1D",
        {"padding": 1},
        [STEPS],
        {"time": 9, "filter": 4},
        None,
        ["Transpose", "Reshape", "Conv", "Pad", "Transpose", "Reshape"],
        id="after-conv",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"}}],
    ),
    Case(
        "ZeroPadding2D", None, [IMAGE], {"height": 7, "width": 9, "channel": 3}, padded((1, 1), (1, 1), NONE), ["Pad"]
    ),
    Case(
        "ZeroPadding2D",
        {"padding": [[1, 2], [0, 3]]},
        [{"height": "H", "width": 7, "channel": 3}],
        {"height": "(H + 3)", "width": 10, "channel": 3},
        padded((1, 2), (0, 3), NONE),
        ["Pad"],
        id="pairs-symbol",
    ),
    Case(
        "ZeroPadding2D",
        {"padding": [2, 0], "data_format": "channels_first"},
        [{"channel": 3, "height": 5, "width": 7}],
        {"channel": 3, "height": 9, "width": 7},
        padded(NONE, (2, 2), NONE),
        ["Pad"],
        id="channels-first",
    ),
    Case(
        "ZeroPadding2D",
        {"padding": [1, [0, 2]]},
        [{"height": 1, "width": 1, "channel": 3}],
        {"height": 3, "width": 3, "channel": 3},
        padded((1, 1), (0, 2), NONE),
        ["Pad"],
        id="one-pixel",
    ),
    Case(
        "ZeroPadding2D",
        {"padding": [1, 2]},
        [{"pixels": 35, "channel": 3}],
        {"height": 7, "width": 11, "channel": 3},
        lambda w, x: padded((1, 1), (2, 2), NONE)(w, [x[0].reshape(-1, 5, 7, 3)]),
        ["Reshape", "Pad"],
        id="after-split",
        before=[{"split": {"pixels": {"height": 5, "width": 7}}}],
    ),
    Case("Cropping1D", None, [STEPS], {"time": 5, "channel": 3}, cropped((1, 1)), ["Slice"]),
    Case("Cropping1D", {"cropping": 2}, [STEPS], {"time": 3, "channel": 3}, cropped((2, 2)), ["Slice"], id="number"),
    Case(
        "Cropping1D",
        {"cropping": [3, 0]},
        [{"time": "T", "channel": 3}],
        {"time": "(T - 3)", "channel": 3},
        cropped((3, 0)),
        ["Slice"],
        id="before-symbol",
    ),
    Case(
        "Cropping1D",
        {"cropping": [1, 2]},
        [{"time": "T", "channel": 3}],
        {"time": "(T - 3)", "channel": 3},
        cropped((1, 2)),
        ["Slice"],
        id="both-symbol",
    ),
    Case(
        "Cropping1D",
        {"cropping": [4, 2]},
        [STEPS],
        {"time": 1, "channel": 3},
        cropped((4, 2)),
        ["Slice"],
        id="to-one-step",
    ),
    Case("Cropping2D", None, [IMAGE], IMAGE, cropped(), ["Identity"]),
    Case(
        "Cropping2D",
        {"cropping": [[1, 2], [0, 3]]},
        [IMAGE],
        {"height": 2, "width": 4, "channel": 3},
        cropped((1, 2), (0, 3)),
        ["Slice"],
        id="pairs",
    ),
    Case(
        "Cropping2D",
        {"cropping": [1, 2], "data_format": "channels_first"},
        [{"channel": 3, "height": 5, "width": "W"}],
        {"channel": 3, "height": 3, "width": "(W - 4)"},
        cropped(NONE, (1, 1), (2, 2)),
        ["Slice"],
        id="channels-first-symbol",
        make=lambda rng, shape: rng.normal(size=(*shape[:3], shape[3] + 2)),
    ),
    Case(
        "ZeroPadding3D",
        None,
        [VOLUME],
        {"depth": 7, "height": 9, "width": 8, "channel": 4},
        padded((1, 1), (1, 1), (1, 1), NONE),
        ["Pad"],
    ),
    Case(
        "ZeroPadding3D",
        {"padding": [[1, 2], 0, [0, 3]]},
        [{"depth": 5, "height": 7, "width": "W", "channel": 4}],
        {"depth": 8, "height": 7, "width": "(W + 3)", "channel": 4},
        padded((1, 2), NONE, (0, 3), NONE),
        ["Pad"],
        id="pairs-symbol",
    ),
    Case(
        "ZeroPadding3D",
        {"padding": [2, 0, 1], "data_format": "channels_first"},
        [{"channel": 4, "depth": 5, "height": 7, "width": 1}],
        {"channel": 4, "depth": 9, "height": 7, "width": 3},
        padded(NONE, (2, 2), NONE, (1, 1)),
        ["Pad"],
        id="channels-first",
    ),
    Case(
        "Cropping3D",
        None,
        [VOLUME],
        {"depth": 3, "height": 5, "width": 4, "channel": 4},
        cropped((1, 1), (1, 1), (1, 1)),
        ["Slice"],
    ),
    Case(
        "Cropping3D",
        {"cropping": [[1, 2], 0, [0, 3]]},
        [{"depth": "D", "height": 7, "width": 6, "channel": 4}],
        {"depth": "(D - 3)", "height": 7, "width": 3, "channel": 4},
        cropped((1, 2), NONE, (0, 3)),
        ["Slice"],
        id="pairs-symbol",
    ),
    Case(
        "Cropping3D",
        {"cropping": 2, "data_format": "channels_first"},
        [{"channel": 4, "depth": 5, "height": 7, "width": 6}],
        {"channel": 4, "depth": 1, "height": 3, "width": 2},
        cropped(NONE, (2, 2), (2, 2), (2, 2)),
        ["Slice"],
        id="channels-first",
    ),
]
FORMS = {
    f"{kind}{rank}D": border_form(rank, argument)
    for kind, argument in (("ZeroPadding", "padding"), ("Cropping", "cropping"))
    for rank in (1, 2, 3)
}
