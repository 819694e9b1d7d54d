"""Cases of upsampling: repeated and interpolated, where ONNX has the operator and where it has not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, spatial_axes

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]


def keys(x: float) -> float:
    """R. Keys' cubic with a = -1/2."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def lanczos(radius: int) -> Callable[[float], float]:
    def kernel(x: float) -> float:
        if x == 0:
            return 1.0
        lobe = math.sin(math.pi * x) * math.sin(math.pi * x / radius) * radius / (math.pi * x) ** 2
        return lobe if abs(x) < radius else 0.0

    return kernel


def interpolated(values: np.ndarray, factor: int, method: str) -> np.ndarray:
    """Along the first axis: what lies at (i + 1/2) / factor - 1/2."""
    size = len(values)
    places = [(i + 0.5) / factor - 0.5 for i in range(size * factor)]
    if method == "bilinear":
        flat = values.reshape(size, -1)
        columns = [np.interp(places, range(size), flat[:, j]) for j in range(flat.shape[1])]
        return np.stack(columns, axis=1).reshape(len(places), *values.shape[1:])
    rows = []
    for place in places:
        if method == "bicubic":  # TensorFlow looks the distance up in a table of 1024 places
            below = math.floor(place)
            place = below + round((place - below) * 1024) / 1024
        weights = np.array(
            [(keys if method == "bicubic" else lanczos(int(method[-1])))(i - place) for i in range(size)]
        )
        rows.append(np.tensordot(weights / weights.sum(), values, 1))
    return np.stack(rows)


def grown(factors: list[int], method: str = "nearest", first: int = 1) -> Oracle:
    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        for axis, factor in enumerate(factors, start=first):
            if method == "nearest":
                x = np.repeat(x, factor, axis)
            elif factor > 1:
                x = np.moveaxis(interpolated(np.moveaxis(x, axis, 0), factor, method), 0, axis)
        return x

    return oracle


def case(kind: str, body: Any, inputs: dict[str, Any], output: dict[str, Any], ops: list[str], id: str = "") -> Case:
    given = body or {}
    rank = int(kind[-2])
    size = given.get("size", 2)
    factors = [size] * rank if isinstance(size, int) else size
    first = 2 if given.get("data_format") == "channels_first" else 1
    oracle = grown(factors, given.get("interpolation", "nearest"), first)
    return Case(kind, body, [inputs], output, oracle, ops, id=id)


IMAGE = {"height": 5, "width": 7, "channel": 3}
FIRST = {"channel": 3, "height": 5, "width": 7}
VOLUME = {"depth": 3, "height": 5, "width": 2, "channel": 4}
AROUND = ["Transpose", "Resize", "Transpose"]
BOTH = ["MatMul", "MatMul"]

CASES = [
    case("UpSampling1D", None, {"time": 7, "channel": 3}, {"time": 14, "channel": 3}, ["Resize"]),
    case("UpSampling1D", {"size": 3}, {"time": "T", "channel": 3}, {"time": "3·T", "channel": 3}, ["Resize"], "symbol"),
    case("UpSampling1D", {"size": 5}, {"time": 1, "channel": 3}, {"time": 5, "channel": 3}, ["Resize"], "one-step"),
    case("UpSampling1D", {"size": 1}, {"time": 7, "channel": 3}, {"time": 7, "channel": 3}, ["Identity"], "nothing"),
    case("UpSampling2D", None, IMAGE, {"height": 10, "width": 14, "channel": 3}, ["Resize"]),
    case(
        "UpSampling2D",
        {"size": [3, 2], "data_format": "channels_first"},
        {"channel": 3, "height": "H", "width": "W"},
        {"channel": 3, "height": "3·H", "width": "2·W"},
        ["Resize"],
        "channels-first-symbols",
    ),
    *[
        case(
            "UpSampling2D",
            {"size": size, "interpolation": "bilinear", "data_format": "channels_first"},
            inputs,
            output,
            ["Resize"],
            f"bilinear-{id}",
        )
        for size, inputs, output, id in [
            (2, FIRST, {"channel": 3, "height": 10, "width": 14}, "2"),
            ([3, 1], FIRST, {"channel": 3, "height": 15, "width": 7}, "3-1"),
            ([5, 7], {**FIRST, "width": 1}, {"channel": 3, "height": 25, "width": 7}, "one-column"),
            (
                [3, 4],
                {"channel": 3, "height": "H", "width": "W"},
                {"channel": 3, "height": "3·H", "width": "4·W"},
                "symbols",
            ),
        ]
    ],
    case(
        "UpSampling2D",
        {"interpolation": "bilinear"},
        IMAGE,
        {"height": 10, "width": 14, "channel": 3},
        AROUND,
        "bilinear-last",
    ),
    case(
        "UpSampling2D",
        {"interpolation": "bicubic", "size": [2, 4]},
        {"height": "H", "width": 7, "channel": 3},
        {"height": "2·H", "width": 28, "channel": 3},
        AROUND,
        "bicubic-powers-of-2",
    ),
    case(
        "UpSampling2D",
        {"interpolation": "bicubic", "size": [3, 5]},
        IMAGE,
        {"height": 15, "width": 35, "channel": 3},
        ["Reshape", "MatMul", "Reshape", "MatMul"],
        "bicubic",
    ),
    case(
        "UpSampling2D",
        {"interpolation": "bicubic", "size": [2, 3], "data_format": "channels_first"},
        {"channel": 3, "height": "H", "width": 7},
        {"channel": 3, "height": "2·H", "width": 21},
        ["Resize", "MatMul"],
        "bicubic-mixed",
    ),
    *[
        case(
            "UpSampling2D",
            {"interpolation": method, "size": size, "data_format": "channels_first"},
            inputs,
            output,
            BOTH[: 2 - sum(factor == 1 for factor in size)],
            f"{method}-{size[0]}-{size[1]}",
        )
        for method in ("lanczos3", "lanczos5")
        for size, inputs, output in [
            ([2, 3], FIRST, {"channel": 3, "height": 10, "width": 21}),
            ([4, 1], {"channel": 3, "height": 3, "width": "W"}, {"channel": 3, "height": 12, "width": "W"}),
        ]
    ],
    *[  # the axes that grow lie apart in memory, between convolutions
        Case(
            "UpSampling2D",
            {"size": 2, "interpolation": method, "data_format": "channels_first", "over": ["width", "filter"]},
            [{"height": 6, "width": width, "channel": 3}],
            {"height": 6, "width": "2·W" if width == "W" else 8, "filter": 10},
            None,
            ["Transpose", "Conv", *ops, "Conv", "Transpose"],
            id=f"{method}-apart-{width}",
            before=[{"Conv2D": {"filters": 5, "kernel_size": 1}}],
            after=[{"Conv2D": {"filters": 7, "kernel_size": 1}}],
        )
        for method, width, ops in [
            ("bilinear", 4, ["MatMul", "Reshape", "MatMul", "Reshape"]),
            ("bilinear", "W", ["Resize", "Reshape", "MatMul", "Reshape"]),
            ("bicubic", 4, ["MatMul", "Reshape", "MatMul", "Reshape"]),
        ]
    ],
    case("UpSampling3D", None, VOLUME, {"depth": 6, "height": 10, "width": 4, "channel": 4}, ["Resize"]),
    case(
        "UpSampling3D",
        {"size": [1, 3, 2], "data_format": "channels_first"},
        {"channel": 4, "depth": 3, "height": "H", "width": 2},
        {"channel": 4, "depth": 3, "height": "3·H", "width": 4},
        ["Resize"],
        "channels-first-symbol",
    ),
    Case(
        "UpSampling1D",
        {"size": 2},
        [{"time": "T", "channel": 3}],
        {"time": "2·T", "filter": 4},
        None,
        ["Transpose", "Reshape", "Conv", "Resize", "Transpose", "Reshape"],
        id="after-conv",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"}}],
    ),
]
FORMS = {f"UpSampling{rank}D": Form(spatial_axes(rank), over=rank) for rank in (1, 2, 3)}
