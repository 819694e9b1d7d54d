"""Cases of layers that bring images to one size. The oracle sums pixel by pixel, with kernels from their papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import IMAGES, SMALL_IMAGES, always, image_form

IMAGE = {"height": 7, "width": 11, "channel": 3}
FIRST = {"channel": 3, "height": 7, "width": 11}
OPEN = {"height": "H", "width": "W", "channel": 2}


def keys(t: float) -> float:
    t = abs(t)
    return 1.5 * t**3 - 2.5 * t**2 + 1 if t < 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def lanczos(radius: int) -> Callable[[float], float]:
    def kernel(t: float) -> float:
        if abs(t) < 1e-9:
            return 1.0
        x = math.pi * t
        return radius * math.sin(x) * math.sin(x / radius) / x**2 if abs(t) < radius else 0.0

    return kernel


KERNELS = {"bilinear": lambda t: max(0.0, 1 - abs(t)), "bicubic": keys, "lanczos3": lanczos(3), "lanczos5": lanczos(5)}


def along(x: np.ndarray, axis: int, new: int, how: str, antialias: bool) -> np.ndarray:
    rows = np.moveaxis(x, axis, 0)
    old = len(rows)
    made = []
    for i in range(new):
        centre = (i + 0.5) * old / new - 0.5
        if how == "nearest":
            made.append(rows[min(math.floor(centre + 0.5), old - 1)])
            continue
        total, weight_sum = np.zeros(rows.shape[1:]), 0.0
        if how == "bilinear" and not antialias:  # beyond the edge the edge goes on
            low = math.floor(centre)
            near, far = rows[min(max(low, 0), old - 1)], rows[min(max(low + 1, 0), old - 1)]
            made.append(near * (low + 1 - centre) + far * (centre - low))
            continue
        for j in range(old):
            if how == "area":
                weight = max(0.0, min(j + 1, (i + 1) * old / new) - max(j, i * old / new))
            else:
                distance = j - centre
                if how == "bicubic" and not antialias:  # looked up in a table of 1024 places
                    distance = j - math.floor(centre) - round((centre - math.floor(centre)) * 1024) / 1024
                weight = KERNELS[how](distance / (max(old / new, 1.0) if antialias else 1.0))
            total, weight_sum = total + weight * rows[j], weight_sum + weight
        made.append(total / weight_sum)
    return np.moveaxis(np.stack(made), 0, axis)


def resized(height: int, width: int, how: str = "bilinear", antialias: bool = False, axis: int = 1) -> Any:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        return along(along(x, axis, height, how, antialias), axis + 1, width, how, antialias)

    return oracle


def part(rows: slice, columns: slice, height: int, width: int, how: str = "bilinear") -> Any:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        return resized(height, width, how)(weights, [inputs[0][:, rows, columns]])  # type: ignore[no-any-return]

    return oracle


def padded(rows: int, columns: int, value: float, height: int, width: int) -> Any:
    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        ends = ((0, 0), (rows, rows), (columns, columns), (0, 0))
        return resized(height, width)(weights, [np.pad(inputs[0], ends, constant_values=value)])  # type: ignore[no-any-return]

    return oracle


def size(height: int, width: int, **more: Any) -> dict[str, Any]:
    return {"height": height, "width": width, **more}


def pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 256, size=shape)


PRODUCTS = ["Transpose", "MatMul", "MatMul", "Transpose"]
ANY = ["Transpose", "Shape", "Concat", "Resize", "Transpose"]
SHAPE = frozenset({"Shape"})  # a Resize takes all four sizes, and only the running graph knows the batch
SIZES = [(5, 17), (13, 4)]
CASES = [
    Case(
        "Resizing", size(5, 17), [IMAGE], size(5, 17, channel=3), resized(5, 17), ["Transpose", "Resize", "Transpose"]
    ),
    Case(
        "Resizing",
        size(5, 4),
        [OPEN],
        size(5, 4, channel=2),
        resized(5, 4),
        ANY,
        id="open",
        needs=SHAPE,
    ),
    Case(
        "Resizing",
        size(5, 4, interpolation="nearest"),
        [OPEN],
        size(5, 4, channel=2),
        resized(5, 4, "nearest"),
        ANY,
        id="nearest-open",
        needs=SHAPE,
    ),
    *(
        Case(
            "Resizing",
            size(*new, interpolation="nearest"),
            [IMAGE],
            size(*new, channel=3),
            resized(*new, "nearest"),
            ["Transpose", "Gather", "Gather", "Transpose"],
            id=f"nearest-{new[0]}",
        )
        for new in SIZES
    ),
    *(
        Case(
            "Resizing",
            size(*new, interpolation=how, antialias=antialias),
            [IMAGE],
            size(*new, channel=3),
            resized(*new, how, antialias),
            PRODUCTS,
            id=f"{how}-{'antialias-' if antialias else ''}{new[0]}",
        )
        for new in SIZES
        for how, antialias in (
            ("bilinear", True),
            ("bicubic", False),
            ("bicubic", True),
            ("lanczos3", False),
            ("lanczos3", True),
            ("lanczos5", True),
            ("area", False),
        )
    ),
    Case(
        "Resizing",
        size(5, 11, interpolation="bicubic", data_format="channels_first"),
        [FIRST],
        {"channel": 3, "height": 5, "width": 11},
        resized(5, 11, "bicubic", axis=2),
        ["MatMul"],
        id="one-axis-channels-first",
    ),
    Case("Resizing", size(7, 11), [IMAGE], IMAGE, resized(7, 11), ["Identity"], id="nothing-to-do"),
    Case(  # the centre of new row 20 lies between both old ones, and in float32 a little before that
        "Resizing",
        size(41, 4, interpolation="nearest"),
        [size(2, 4, channel=3)],
        size(41, 4, channel=3),
        lambda weights, inputs: np.repeat(inputs[0], [21, 20], axis=1),
        None,
        id="nearest-between",
    ),
    Case(
        "Resizing",
        size(14, 5),
        [IMAGE],
        size(14, 5, channel=3),
        resized(14, 5),
        ["Cast", "Transpose", "Resize", "Transpose"],
        id="pixels",
        dtype="uint8",
        make=pixels,
    ),
    Case(
        "Resizing",
        size(6, 4, crop_to_aspect_ratio=True),
        [IMAGE],
        size(6, 4, channel=3),
        part(slice(0, 7), slice(3, 7), 6, 4),
        ["Transpose", "Slice", "Resize", "Transpose"],
        id="crop",
    ),
    Case(
        "Resizing",
        size(6, 5, pad_to_aspect_ratio=True, fill_value=-2.5),
        [IMAGE],
        size(6, 5, channel=3),
        padded(3, 0, -2.5, 6, 5),
        ["Transpose", "Pad", "Resize", "Transpose"],
        id="pad",
    ),
    Case(
        "Resizing",
        size(4, 12, pad_to_aspect_ratio=True),
        [IMAGE],
        size(4, 12, channel=3),
        padded(0, 5, 0, 4, 12),
        ["Transpose", "Pad", "Resize", "Transpose"],
        id="pad-width",
    ),
    Case(
        "CenterCrop",
        size(4, 6),
        [IMAGE],
        size(4, 6, channel=3),
        lambda weights, inputs: inputs[0][:, 1:5, 2:8],
        ["Transpose", "Slice", "Transpose"],
    ),
    Case(
        "CenterCrop",
        size(4, 8, data_format="channels_first"),
        [FIRST],
        {"channel": 3, "height": 4, "width": 8},
        lambda weights, inputs: inputs[0][:, :, 1:5, 1:9],
        ["Slice"],
        id="channels-first",
    ),
    Case(
        "CenterCrop",
        size(7, 11),
        [IMAGE],
        IMAGE,
        lambda weights, inputs: inputs[0],
        ["Identity"],
        id="same",
    ),
    Case(
        "CenterCrop",
        size(9, 6),
        [IMAGE],
        size(9, 6, channel=3),
        part(slice(0, 7), slice(3, 7), 9, 6),
        ["Transpose", "Slice", "Resize", "Transpose"],
        id="larger-one-way",
    ),
    Case(
        "RandomCrop",
        size(5, 6),
        [IMAGE],
        size(5, 6, channel=3),
        part(slice(0, 7), slice(1, 9), 5, 6),
        ["Transpose", "Slice", "Resize", "Transpose"],
    ),
    Case(
        "RandomCrop",
        size(14, 22),
        [IMAGE],
        size(14, 22, channel=3),
        resized(14, 22),
        ["Transpose", "Resize", "Transpose"],
        id="enlarges",
    ),
    Case(
        "RandomCrop",
        size(4, 6, data_format="channels_first"),
        [FIRST],
        {"channel": 3, "height": 4, "width": 6},
        lambda weights, inputs: resized(4, 6, axis=2)(weights, [inputs[0][:, :, :, 0:10]]),
        ["Slice", "Resize"],
        id="channels-first",
    ),
]
FORMS = {
    kind: image_form(axes, height=always(st.integers(1, 9)), width=always(st.integers(1, 9)))
    for kind, axes in (("Resizing", IMAGES), ("CenterCrop", SMALL_IMAGES), ("RandomCrop", SMALL_IMAGES))
}
