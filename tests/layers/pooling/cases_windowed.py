"""Cases of pooling in windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import pooling_form

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]
Reduce = Callable[[np.ndarray], np.ndarray]


def largest(window: np.ndarray) -> np.ndarray:
    return window.max(axis=0)


def mean(window: np.ndarray) -> np.ndarray:
    return window.mean(axis=0)


def slide(x: np.ndarray, axis: int, span: int, stride: int, padding: str, reduce: Reduce) -> np.ndarray:
    """Windows along one axis; positions that do not exist are left out."""
    x = np.moveaxis(x, axis, 0)
    length = len(x)
    count = -(-length // stride) if padding == "same" else (length - span) // stride + 1
    before = max((count - 1) * stride + span - length, 0) // 2 if padding == "same" else 0
    starts = [i * stride - before for i in range(count)]
    rows = [reduce(x[max(start, 0) : min(start + span, length)]) for start in starts]
    return np.moveaxis(np.stack(rows), 0, axis)


def pooled(reduce: Reduce, spans: list[int], strides: list[int], padding: str = "valid", first: int = 1) -> Oracle:
    """One axis after the other: for the largest value and for means of full rectangles that is the same."""

    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        for i, (span, stride) in enumerate(zip(spans, strides, strict=True)):
            x = slide(x, first + i, span, stride, padding, reduce)
        return x

    return oracle


def windows(
    kind: str, body: Any, inputs: dict[str, Any], output: dict[str, Any], oracle: Oracle, ops: list[str] | None, id: str
) -> Case:
    return Case(kind, body, [inputs], output, oracle, ops, id=id)


LAST = {"time": 11, "channel": 5}
IMAGE = {"height": 11, "width": 7, "channel": 3}
ONE = ["Transpose", "Reshape", "{}", "Transpose", "Reshape"]
TWO = ["Transpose", "{}", "Transpose"]


def ops(names: list[str], op: str) -> list[str]:
    return [name.format(op) for name in names]


def one_dimensional(kind: str, op: str, reduce: Reduce, default: Any) -> list[Case]:
    own = ops(ONE, op)
    return [
        windows(kind, default, LAST, {"time": 5, "channel": 5}, pooled(reduce, [2], [2]), own, ""),
        windows(
            kind,
            {"pool_size": 3, "strides": 1},
            LAST,
            {"time": 9, "channel": 5},
            pooled(reduce, [3], [1]),
            own,
            "overlap",
        ),
        windows(
            kind,
            {"pool_size": 4, "strides": 3, "padding": "same"},
            LAST,
            {"time": 4, "channel": 5},
            pooled(reduce, [4], [3], "same"),
            own,
            "same",
        ),
        windows(
            kind,
            {"pool_size": [3], "padding": "same"},
            {"time": "T", "channel": 5},
            {"time": "ceil(T/3)", "channel": 5},
            pooled(reduce, [3], [3], "same"),
            own,
            "same-symbol",
        ),
        windows(
            kind,
            {"pool_size": 2},
            {"time": "T", "channel": 5},
            {"time": "ceil((T - 1)/2)", "channel": 5},
            pooled(reduce, [2], [2]),
            own,
            "symbol",
        ),
        windows(
            kind,
            {"pool_size": 2, "data_format": "channels_first"},
            {"channel": 5, "time": 11},
            {"channel": 5, "time": 5},
            pooled(reduce, [2], [2], first=2),
            ["Reshape", op, "Reshape"],
            "channels-first",
        ),
        windows(
            kind,
            {"pool_size": 3, "over": "feature"},
            {"feature": 7, "channel": 5},
            {"feature": 2, "channel": 5},
            pooled(reduce, [3], [3]),
            own,
            "over",
        ),
        windows(
            kind,
            {"pool_size": 11},
            LAST,
            {"time": 1, "channel": 5},
            pooled(reduce, [11], [11]),
            [*own[:3], "Reshape"],
            "whole",
        ),
        windows(kind, {"pool_size": 1}, LAST, LAST, pooled(reduce, [1], [1]), ["Identity"], "nothing"),
    ]


def two_dimensional(kind: str, op: str, reduce: Reduce, default: Any) -> list[Case]:
    own = ops(TWO, op)
    smaller = {"height": 5, "width": 3, "channel": 3}
    return [
        windows(kind, default, IMAGE, smaller, pooled(reduce, [2, 2], [2, 2]), own, ""),
        windows(
            kind,
            {"pool_size": [3, 2], "strides": [1, 3]},
            IMAGE,
            {"height": 9, "width": 2, "channel": 3},
            pooled(reduce, [3, 2], [1, 3]),
            own,
            "strides",
        ),
        windows(
            kind,
            {"pool_size": [3, 4], "strides": 2, "padding": "same"},
            IMAGE,
            {"height": 6, "width": 4, "channel": 3},
            pooled(reduce, [3, 4], [2, 2], "same"),
            own,
            "same",
        ),
        windows(
            kind,
            {"pool_size": 2, "strides": 1, "padding": "same"},
            {"height": "H", "width": "W", "channel": 3},
            {"height": "H", "width": "W", "channel": 3},
            pooled(reduce, [2, 2], [1, 1], "same"),
            own,
            "same-symbols",
        ),
        windows(
            kind,
            {"pool_size": 2, "padding": "same"},
            {"height": "H", "width": 7, "channel": 3},
            {"height": "ceil(H/2)", "width": 4, "channel": 3},
            pooled(reduce, [2, 2], [2, 2], "same"),
            own,
            "same-strides-symbol",
        ),
        windows(
            kind,
            {"pool_size": 2, "data_format": "channels_first"},
            {"channel": 3, "height": 11, "width": 7},
            {"channel": 3, "height": 5, "width": 3},
            pooled(reduce, [2, 2], [2, 2], first=2),
            [op],
            "channels-first",
        ),
    ]


VOLUME = {"depth": 5, "height": 7, "width": 6, "channel": 4}


def three_dimensional(kind: str, op: str, reduce: Reduce, default: Any) -> list[Case]:
    own = ops(TWO, op)
    return [
        windows(
            kind,
            default,
            VOLUME,
            {"depth": 2, "height": 3, "width": 3, "channel": 4},
            pooled(reduce, [2, 2, 2], [2, 2, 2]),
            own,
            "",
        ),
        windows(
            kind,
            {"pool_size": [3, 2, 4], "strides": [1, 3, 2]},
            VOLUME,
            {"depth": 3, "height": 2, "width": 2, "channel": 4},
            pooled(reduce, [3, 2, 4], [1, 3, 2]),
            own,
            "strides",
        ),
        windows(
            kind,
            {"pool_size": [3, 4, 2], "strides": 2, "padding": "same"},
            VOLUME,
            {"depth": 3, "height": 4, "width": 3, "channel": 4},
            pooled(reduce, [3, 4, 2], [2, 2, 2], "same"),
            own,
            "same",
        ),
        windows(
            kind,
            {"pool_size": 3, "strides": 2, "padding": "same"},
            {"depth": "D", "height": 7, "width": "W", "channel": 4},
            {"depth": "ceil(D/2)", "height": 4, "width": "ceil(W/2)", "channel": 4},
            pooled(reduce, [3, 3, 3], [2, 2, 2], "same"),
            own,
            "same-symbols",
        ),
        windows(
            kind,
            {"pool_size": [2, 1, 3], "data_format": "channels_first"},
            {"channel": 4, "depth": 5, "height": 7, "width": 6},
            {"channel": 4, "depth": 2, "height": 7, "width": 2},
            pooled(reduce, [2, 1, 3], [2, 1, 3], first=2),
            [op],
            "channels-first",
        ),
    ]


GAPS = [  # windows with gaps between them, for which ONNX Runtime finds no pads by itself
    windows(
        kind,
        {"pool_size": pool, "strides": strides, "padding": "same"},
        inputs,
        output,
        pooled(reduce, [pool] if isinstance(pool, int) else pool, [strides] * (len(inputs) - 1), "same"),
        ["Transpose", *["Reshape"] * is_line, *[op] * nodes, "Transpose", *["Reshape"] * is_line],
        "gaps-" + "-".join(str(size) for size in inputs.values()),
    )
    for name, op, reduce in [("Max", "MaxPool", largest), ("Average", "AveragePool", mean)]
    for is_line in (True, False)
    for kind in [f"{name}Pooling{1 if is_line else 2}D"]
    for pool, strides, inputs, output, nodes in (
        [
            (1, 2, {"time": "T", "channel": 5}, {"time": "ceil(T/2)", "channel": 5}, 1),
            (2, 3, {"time": "T", "channel": 3}, {"time": "ceil(T/3)", "channel": 3}, 1),
        ]
        if is_line
        else [
            (
                [3, 1],
                2,
                {"height": "H", "width": 4, "channel": 3},
                {"height": "ceil(H/2)", "width": 2, "channel": 3},
                2,
            )
        ]
    )
]
FIRST = ["Shape", "Mod", "Gather", "Slice"]  # where the first window stands depends on what the length leaves over
LATE = [
    Case(
        kind,
        {"pool_size": pool, "strides": strides, "padding": "same", "data_format": "channels_first"},
        [{"channel": 3, **lengths}],
        {"channel": 3, **made},
        pooled(reduce, pool, strides, "same", first=2),
        [*["Reshape"] * is_line, *[op] * (1 + ("width" in lengths)), *FIRST * late, *["Reshape"] * is_line],
        id="gaps-" + "-".join(str(size) for size in (*pool, *strides)),
        needs=frozenset({"Shape"}),
    )
    for name, op, reduce in [("Max", "MaxPool", largest), ("Average", "AveragePool", mean)]
    for pool, strides, lengths, made, late in [
        ([3], [5], {"time": "T"}, {"time": "ceil(T/5)"}, 1),
        ([4], [7], {"time": "T"}, {"time": "ceil(T/7)"}, 1),
        ([3, 4], [4, 6], {"depth": "D", "height": "H"}, {"depth": "ceil(D/4)", "height": "ceil(H/6)"}, 2),
        # One height stays with ONNX Runtime, one has gaps and a known size, which takes a node of its own.
        (
            [3, 3, 2],
            [4, 2, 3],
            {"depth": "D", "height": "H", "width": 7},
            {"depth": "ceil(D/4)", "height": "ceil(H/2)", "width": 3},
            1,
        ),
    ]
    for is_line in (len(pool) == 1,)
    for kind in [f"{name}Pooling{len(pool)}D"]
]


ZEROS = ((2, 1), (0, 1))


def behind_zeros(oracle: Oracle, *, is_relu: bool = False) -> Oracle:
    """Of an image whose edges were filled up by `ZEROS`, which means count."""

    def padded(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x = np.pad(inputs[0], ((0, 0), *ZEROS, (0, 0)))
        return oracle(weights, [np.maximum(x, 0) if is_relu else x])

    return padded


def around(kind: str, reduce: Reduce, body: dict[str, Any], sizes: tuple[int, int], own: list[str], id: str) -> Case:
    """Pooling behind a `ZeroPadding2D`; a `relu` before it where the ops have one."""
    has_relu = "Relu" in own
    spans, strides = body["pool_size"], body["strides"]
    return Case(
        kind,
        body,
        [IMAGE],
        {"height": sizes[0], "width": sizes[1], "channel": 3},
        behind_zeros(pooled(reduce, spans, strides, body.get("padding", "valid")), is_relu=has_relu),
        own,
        id=f"behind-zeros-{id}",
        before=[*(["ReLU"] if has_relu else []), {"ZeroPadding2D": {"padding": [list(pair) for pair in ZEROS]}}],
    )


WIDE = {"pool_size": [3, 2], "strides": [2, 1]}
KEPT = ["Pad", "Transpose", "{}", "Transpose"]
BEHIND_ZEROS = [
    around("AveragePooling2D", mean, WIDE, (6, 7), ops(TWO, "AveragePool"), "mean"),
    around("MaxPooling2D", largest, WIDE, (6, 7), ["Relu", *ops(TWO, "MaxPool")], "relu"),
    # a largest value may be below the zeros; a window of 2 could have zeros alone; what `same` adds is not counted
    around("MaxPooling2D", largest, WIDE, (6, 7), ops(KEPT, "MaxPool"), "signs"),
    around("AveragePooling2D", mean, {"pool_size": [2, 2], "strides": [2, 1]}, (7, 7), ops(KEPT, "AveragePool"), "2"),
    around("AveragePooling2D", mean, {**WIDE, "padding": "same"}, (7, 8), ops(KEPT, "AveragePool"), "same"),
]
CASES = [
    *GAPS,
    *BEHIND_ZEROS,
    *LATE,
    windows(  # a unit dimension that changes places beside two unknown sizes is one Transpose
        "MaxPooling2D",
        {"pool_size": [2, 3], "strides": 1},
        {"height": "H", "width": "W", "channel": 1},
        {"height": "(H - 1)", "width": "(W - 2)", "channel": 1},
        pooled(largest, [2, 3], [1, 1]),
        ["Transpose", "MaxPool", "Transpose"],
        "one-channel",
    ),
    *one_dimensional("MaxPooling1D", "MaxPool", largest, None),
    *one_dimensional("AveragePooling1D", "AveragePool", mean, {"pool_size": 2}),
    *two_dimensional("MaxPooling2D", "MaxPool", largest, None),
    *two_dimensional("AveragePooling2D", "AveragePool", mean, {"pool_size": 2}),
    *three_dimensional("MaxPooling3D", "MaxPool", largest, None),
    *three_dimensional("AveragePooling3D", "AveragePool", mean, {"pool_size": 2}),
    Case(
        "MaxPooling1D",
        {"pool_size": 2},
        [{"time": 11, "channel": 5}],
        {"time": 5, "filter": 4},
        None,
        ["Transpose", "Reshape", "Conv", "Relu", "MaxPool", "Transpose", "Reshape"],
        id="after-conv",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}}],
    ),
]
FORMS = {f"{name}Pooling{rank}D": pooling_form(rank) for name in ("Max", "Average") for rank in (1, 2, 3)}
