"""Cases of pooling over everything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, spatial_axes

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]

LAST = {"time": 11, "channel": 5}

IMAGE = {"height": 11, "width": 7, "channel": 3}

VOLUME = {"depth": 5, "height": 7, "width": 6, "channel": 4}


def whole_3d(kind: str, op: str, reduce: str) -> list[Case]:
    return [
        Case(kind, None, [VOLUME], {"channel": 4}, over(reduce, (1, 2, 3)), [op]),
        Case(
            kind,
            {"keepdims": True},
            [{"depth": "D", "height": 7, "width": "W", "channel": 4}],
            {"depth": 1, "height": 1, "width": 1, "channel": 4},
            over(reduce, (1, 2, 3), True),
            [*one_by_one(op, 3), "Reshape"],
            id="keepdims-symbols",
        ),
        Case(
            kind,
            {"data_format": "channels_first"},
            [{"channel": 4, "depth": 5, "height": 7, "width": 6}],
            {"channel": 4},
            over(reduce, (2, 3, 4)),
            [op],
            id="channels-first",
        ),
    ]


def one_by_one(op: str, axes: int) -> list[str]:
    """A mean over positions that may be many is taken along one axis after another."""
    return [op] * (axes if op == "ReduceMean" else 1)


def over(reduce: str, axes: tuple[int, ...], keepdims: bool = False) -> Oracle:
    return lambda weights, inputs: getattr(np, reduce)(inputs[0].astype(np.float64), axis=axes, keepdims=keepdims)


def whole_1d(kind: str, op: str, reduce: str) -> list[Case]:
    return [
        Case(kind, None, [LAST], {"channel": 5}, over(reduce, (1,)), [op]),
        Case(kind, None, [{"time": "T", "channel": 5}], {"channel": 5}, over(reduce, (1,)), [op], id="symbol"),
        Case(
            kind,
            {"keepdims": True},
            [LAST],
            {"time": 1, "channel": 5},
            over(reduce, (1,), True),
            [op, "Reshape"],
            id="keepdims",
        ),
        Case(
            kind,
            {"data_format": "channels_first"},
            [{"channel": 5, "time": 11}],
            {"channel": 5},
            over(reduce, (2,)),
            [op],
            id="channels-first",
        ),
        Case(
            kind,
            {"data_format": "channels_first", "keepdims": True},
            [{"channel": 5, "time": 11}],
            {"channel": 5, "time": 1},
            over(reduce, (2,), True),
            [op, "Reshape"],
            id="channels-first-keepdims",
        ),
        Case(kind, None, [{"time": 1, "channel": 5}], {"channel": 5}, over(reduce, (1,)), ["Reshape"], id="one-step"),
        Case(
            kind,
            None,
            [{"time_channel": 55}],
            {"channel": 5},
            lambda w, x: getattr(np, reduce)(x[0].astype(np.float64).reshape(-1, 11, 5), axis=1),
            ["Reshape", op],
            id="after-split",
            before=[{"split": {"time_channel": {"time": 11, "channel": 5}}}],
        ),
    ]


def whole_2d(kind: str, op: str, reduce: str) -> list[Case]:
    first = {"channel": 3, "height": 11, "width": 7}
    return [
        Case(kind, None, [IMAGE], {"channel": 3}, over(reduce, (1, 2)), [op]),
        Case(
            kind,
            {"keepdims": True},
            [{"height": "H", "width": 7, "channel": 3}],
            {"height": 1, "width": 1, "channel": 3},
            over(reduce, (1, 2), True),
            [*one_by_one(op, 2), "Reshape"],
            id="keepdims-symbol",
        ),
        Case(
            kind,
            {"data_format": "channels_first"},
            [first],
            {"channel": 3},
            over(reduce, (2, 3)),
            [{"ReduceMax": "GlobalMaxPool", "ReduceMean": "GlobalAveragePool"}[op], "Reshape"],
            id="channels-first",
        ),
    ]


def ids(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    made = rng.integers(0, 4, size=shape)
    made[:, 0] = 2
    return made


CASES = [
    *[
        Case(  # Keras and ONNX agree that no mask comes this far
            "GlobalAveragePooling1D",
            None,
            [{"token": 3}],
            {"embedding": 2},
            None,
            None,
            id=f"mask-lost-in-{next(iter(layer))}{'-inner' if 'axis' in str(layer) else ''}",
            before=[{"Embedding": {"input_dim": 4, "output_dim": 2, "mask_zero": True}}, layer],
            make=ids,
            dtype="int32",
        )
        for layer in [
            {"RMSNormalization": {"axis": "token"}},
            {"RMSNormalization": {}},
            {"Reshape": {"to": {"token": 3, "embedding": 2}}},
            {"Permute": {"dims": [1, 2]}},
            {"Cropping1D": {"cropping": 0}},
        ]
    ],
    Case(
        "GlobalAveragePooling1D",  # the mask is one of `token`, which is not pooled
        {"data_format": "channels_first", "over": "embedding"},
        [{"token": 3}],
        {"token": 3},
        None,
        None,
        id="masked-elsewhere",
        before=[{"Embedding": {"input_dim": 4, "output_dim": 3, "mask_zero": True}}],
        make=ids,
        dtype="int32",
    ),
    *whole_3d("GlobalMaxPooling3D", "ReduceMax", "max"),
    *whole_3d("GlobalAveragePooling3D", "ReduceMean", "mean"),
    *whole_1d("GlobalMaxPooling1D", "ReduceMax", "max"),
    *whole_1d("GlobalAveragePooling1D", "ReduceMean", "mean"),
    *whole_2d("GlobalMaxPooling2D", "ReduceMax", "max"),
    *whole_2d("GlobalAveragePooling2D", "ReduceMean", "mean"),
    Case(
        "GlobalAveragePooling1D",
        None,
        [{"time": "T", "channel": 5}],
        {"filter": 4},
        None,
        ["Transpose", "Reshape", "Conv", "GlobalAveragePool", "Reshape"],
        id="after-conv",
        before=[{"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"}}],
    ),
    *[
        Case(
            "GlobalAveragePooling1D",
            {"keepdims": keepdims},
            [{"token": "T"}],
            {"token": 1, "embedding": 3} if keepdims else {"embedding": 3},
            None,
            [
                "Cast",
                "Gather",
                "Reshape",
                "Where",
                "Cast",
                "ReduceSum",
                "ReduceSum",
                "Max",
                "Div",
                *["Reshape"] * keepdims,
            ],
            id=f"masked-{keepdims}",
            before=[{"Embedding": {"input_dim": 4, "output_dim": 3, "mask_zero": True}}],
            make=ids,
            dtype="int32",
        )
        for keepdims in (False, True)
    ],
]
FORMS = {
    f"Global{name}Pooling{rank}D": Form(spatial_axes(rank), over=rank)
    for name in ("Max", "Average")
    for rank in (1, 2, 3)
}
