"""Cases of adaptive pooling: windows that tile, that overlap, that repeat, and one over everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, spatial_axes

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]


def cut(reduce: str, counts: list[int], first: int = 1) -> Oracle:
    """Window i of `count` from floor(i·n / count) to ceil((i + 1)·n / count), one axis after the other."""

    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        for axis, count in enumerate(counts, start=first):
            n = x.shape[axis]
            bounds = [(int(np.floor(i * n / count)), int(np.ceil((i + 1) * n / count))) for i in range(count)]
            x = np.stack([getattr(np.take(x, range(a, b), axis), reduce)(axis=axis) for a, b in bounds], axis)
        return x

    return oracle


SERIES = {"time": 7, "channel": 5}
IMAGE = {"height": 6, "width": 7, "channel": 3}
VOLUME = {"depth": 4, "height": 6, "width": 7, "channel": 2}


def cases(word: str, reduce: str, pool: str, whole: str, parts: list[str]) -> list[Case]:
    """`parts`: the ops that make windows of different lengths along one axis."""

    def one(size: Any, inputs: dict[str, Any], output: dict[str, Any], ops: list[str] | None, id: str = "") -> Case:
        rank = len(inputs) - 1
        first = next(iter(inputs)) == "channel"
        body = {"output_size": size, **({"data_format": "channels_first"} if first else {})}
        counts = [size] * rank if isinstance(size, int) else size
        oracle = cut(reduce, counts, 2 if first else 1)
        return Case(f"Adaptive{word}Pooling{rank}D", body, [inputs], output, oracle, ops, id=id)

    lined = ["Transpose", "Reshape", pool, "Transpose", "Reshape"]
    return [
        one(3, SERIES, {"time": 3, "channel": 5}, parts),
        one([2], {"time": 8, "channel": 5}, {"time": 2, "channel": 5}, lined, "tiled"),
        one(1, SERIES, {"time": 1, "channel": 5}, [whole], "whole"),
        one(1, {"time": "T", "channel": 5}, {"time": 1, "channel": 5}, [whole], "whole-symbol"),
        one(7, SERIES, SERIES, ["Identity"], "nothing"),
        one(1, {"time": 1, "channel": 5}, {"time": 1, "channel": 5}, ["Identity"], "one-of-one"),
        one(9, SERIES, {"time": 9, "channel": 5}, parts, "longer"),
        one(14, SERIES, {"time": 14, "channel": 5}, ["Gather"], "repeated"),
        one(3, {"time": 1, "channel": 5}, {"time": 3, "channel": 5}, None, "of-one-step"),
        one(5, {"channel": 3, "time": 7}, {"channel": 3, "time": 5}, parts, "channels-first"),
        one([3, 2], {**IMAGE, "width": 8}, {"height": 3, "width": 2, "channel": 3}, ["Transpose", pool, "Transpose"]),
        one(4, IMAGE, {"height": 4, "width": 4, "channel": 3}, None, "overlapping"),
        one([2, 1], IMAGE, {"height": 2, "width": 1, "channel": 3}, None, "tiled-and-whole"),
        one(
            [1, 3],
            {"channel": 3, "height": "H", "width": 6},
            {"channel": 3, "height": 1, "width": 3},
            [pool, whole],
            "whole-symbol",
        ),
        one(1, {"channel": 3, "height": "H", "width": "W"}, {"channel": 3, "height": 1, "width": 1}, [whole], "whole"),
        one([1, 5], IMAGE, {"height": 1, "width": 5, "channel": 3}, None, "whole-and-overlapping"),
        one(2, {**VOLUME, "width": 8}, {"depth": 2, "height": 2, "width": 2, "channel": 2}, None),
        one([3, 1, 7], VOLUME, {"depth": 3, "height": 1, "width": 7, "channel": 2}, None, "mixed"),
        one(
            [2, 5, 3],
            {"channel": 2, "depth": 4, "height": 6, "width": 7},
            {"channel": 2, "depth": 2, "height": 5, "width": 3},
            None,
            "channels-first",
        ),
    ]


CASES = [
    *cases("Average", "mean", "AveragePool", "ReduceMean", ["MatMul"]),
    *cases("Max", "max", "MaxPool", "ReduceMax", ["Gather", "ReduceMax"]),
    Case(
        "AdaptiveAveragePooling1D",
        {"output_size": 2},
        [{"time": 9, "channel": 5}],
        {"time": 2, "filter": 4},
        None,
        ["Transpose", "Reshape", "Conv", "MatMul", "Transpose", "Reshape"],
        id="after-conv",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"}}],
    ),
]
FORMS = {
    f"Adaptive{name}Pooling{rank}D": Form(spatial_axes(rank), over=rank)
    for name in ("Max", "Average")
    for rank in (1, 2, 3)
}
