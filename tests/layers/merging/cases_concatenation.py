"""Cases of Concatenate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.layers.merging.cases_elementwise import conv, few, fork
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import FLOATS, Form, same_axes

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]

STEPS = {"time": 7, "channel": 5}

OPEN = {"time": "T", "channel": 5}


def joined(axis: int) -> Oracle:
    return lambda weights, inputs: np.concatenate(inputs, axis)


def embedding(size: int, **more: Any) -> dict[str, Any]:
    return {"Embedding": {"input_dim": 4, "output_dim": size, "mask_zero": True, **more}}


def ids(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    made = rng.integers(0, 4, size=shape)
    made[:, 0] = 2
    return made


MEAN = ["Reshape", "Where", "Cast", "ReduceSum", "ReduceSum", "Max", "Div"]

CASES = [
    Case("Concatenate", None, [STEPS, {"time": 7, "channel": 2}], {"time": 7, "channel": 7}, joined(2), ["Concat"]),
    Case(
        "Concatenate",
        {"as": "both"},
        [OPEN, {"time": "T", "feature": 2}, {"time": "T", "channel": 1}],
        {"time": "T", "both": 8},
        joined(2),
        ["Concat"],
        id="three-symbol",
    ),
    Case(
        "Concatenate",
        {"axis": "time"},
        [STEPS, {"time": 4, "channel": 5}],
        {"time": 11, "channel": 5},
        joined(1),
        ["Concat"],
        id="by-name",
    ),
    Case(
        "Concatenate",
        {"axis": 1},
        [{"time": "T", "channel": 5}, {"time": "T", "channel": 5}],
        {"time": "2·T", "channel": 5},
        joined(1),
        ["Concat"],
        id="twice-symbol",
    ),
    Case(
        "Concatenate",
        {"axis": 1},
        [{"time": "T", "channel": 5}, {"time": 3, "channel": 5}],
        {"time": "(T + 3)", "channel": 5},
        joined(1),
        ["Concat"],
        id="symbol-and-number",
    ),
    Case(
        "Concatenate",
        {"axis": "token"},
        [{"token": "T"}, {"token": 3}],
        {"token": "(T + 3)"},
        None,
        ["Concat", "Gather"],
        id="ids",
        dtype="int32",
        make=lambda rng, shape: rng.integers(0, 5, size=shape),
        after=[{"Embedding": {"input_dim": 5, "output_dim": 2}}],
    ),
    Case(
        "Concatenate",
        None,
        [{"word": 3}, {"word": 2}],
        {"word": 5},
        joined(1),
        ["Concat"],
        id="flags",
        dtype="bool",
        make=lambda rng, shape: rng.random(shape) < 0.5,
    ),
    Case(
        "Concatenate",
        {"axis": -1},
        [{"time": 7, "channel": 1}, {"time": 7, "channel": 1}],
        {"time": 7, "channel": 2},
        joined(2),
        ["Concat"],
        id="units",
    ),
    fork(
        "Concatenate",
        {},
        STEPS,
        {"time": 7, "filter": 7},
        ["Transpose", "Reshape", "Conv", "Conv", "Concat", "Transpose", "Reshape"],
        "two-convs",
        [conv(4)],
        [conv(3)],
    ),
    fork(
        "Concatenate",
        {},
        STEPS,
        {"time": 7, "filter": 5},
        ["Transpose", "Reshape", "Conv", "Conv", "Concat", "Transpose", "Reshape"],
        "conv-of-one-filter",
        [conv(4)],
        [conv(1)],
    ),
    fork(
        "Concatenate",
        {},
        STEPS,
        {"time": 7, "filter": 5},
        ["Transpose", "Reshape", "Conv", "Conv", "Concat", "Transpose", "Reshape"],
        "one-filter-first",
        [conv(1)],
        [conv(4)],
    ),
    fork(
        "Concatenate",
        {},
        STEPS,
        {"filter": 4, "time": 14},
        ["Transpose", "Reshape", "Conv", "Conv", "Concat", "Reshape"],
        "along-time",
        [conv(4), {"permute": ["filter", "time"]}],
        [conv(4), {"permute": ["filter", "time"]}],
    ),
    fork(
        "Concatenate",
        {},
        {"token": "T"},
        {"token": "T", "embedding": 5},
        ["Cast", "Gather", "Gather", "Concat", *MEAN],
        "masked",
        [embedding(3)],
        [embedding(2)],
        make=ids,
        dtype="int32",
        after=[{"GlobalAveragePooling1D": {}}],
    ),
    fork(
        "Concatenate",
        {},
        {"time": "T", "channel": 2},
        {"time": "T", "channel": 4},
        None,
        "masks-differ",
        [{"Masking": {"mask_value": 0.0}}],
        [{"Masking": {"mask_value": 1.0}}],
        make=few,
        after=[{"GlobalAveragePooling1D": {}}],
    ),
    fork(
        "Concatenate",
        {"axis": "token"},
        {"token": "T"},
        {"token": "2·T", "embedding": 3},
        None,
        "one-masked-along-steps",
        [embedding(3)],
        [embedding(3, mask_zero=False)],
        make=ids,
        dtype="int32",
        needs=frozenset({"Shape"}),
        after=[{"GlobalAveragePooling1D": {}}],
    ),
    fork(
        "Concatenate",
        {"axis": "token"},
        {"token": "T"},
        {"token": "2·T", "embedding": 3},
        ["Cast", "Gather", "Gather", "Concat", "Concat", *MEAN],
        "masked-along-steps",
        [embedding(3)],
        [embedding(3)],
        make=ids,
        dtype="int32",
        after=[{"GlobalAveragePooling1D": {}}],
    ),
]
FORMS = {
    "Concatenate": Form(FLOATS, others=same_axes),
}
