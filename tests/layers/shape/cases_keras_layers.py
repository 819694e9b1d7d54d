"""Cases of Flatten, Reshape, Permute and RepeatVector: mostly no node at all, where memory stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, FLOATS, VECTORS, Form, mixed_order, targets

Arrays = list[np.ndarray]
Weights = dict[str, np.ndarray]


def reshaped(*sizes: int) -> Callable[[Weights, Arrays], np.ndarray]:
    return lambda weights, inputs: inputs[0].reshape((len(inputs[0]), *sizes))


def permuted(*order: int) -> Callable[[Weights, Arrays], np.ndarray]:
    return lambda weights, inputs: inputs[0].transpose((0, *order))


def channels_last_flat(weights: Weights, inputs: Arrays) -> np.ndarray:
    return np.moveaxis(inputs[0], 1, -1).reshape((len(inputs[0]), -1))


def repeated(count: int) -> Callable[[Weights, Arrays], np.ndarray]:
    return lambda weights, inputs: np.stack([inputs[0]] * count, axis=1)


def case(
    kind: str,
    body: Any,
    inputs: dict[str, Any],
    output: dict[str, Any],
    oracle: Any,
    ops: list[str] | None,
    id: str = "",
) -> Case:
    return Case(kind, body, [inputs], output, oracle, ops, id=id)


CASES = [
    case("Flatten", None, {"time": 7, "channel": 5}, {"time_channel": 35}, reshaped(-1), ["Reshape"]),
    case(
        "Flatten",
        {"as": "value"},
        {"height": 3, "width": 5, "channel": 2},
        {"value": 30},
        reshaped(-1),
        ["Reshape"],
        "as",
    ),
    case(
        "Flatten",
        {"data_format": "channels_first"},
        {"channel": 3, "height": 5, "width": 7},
        {"height_width_channel": 105},
        channels_last_flat,
        ["Transpose", "Reshape"],
        "channels-first",
    ),
    case("Flatten", None, {"feature": 5}, {"feature": 5}, reshaped(-1), ["Identity"], "vector"),
    case("Flatten", None, {"time": "T", "channel": 5}, {"time_channel": "5·T"}, reshaped(-1), ["Reshape"], "symbol"),
    case(
        "Reshape",
        {"target_shape": [5, 7, 1]},
        {"time": 35},
        {"time_1": 5, "time_2": 7, "one": 1},
        reshaped(5, 7, 1),
        ["Reshape"],
    ),
    case("Reshape", {"target_shape": [35]}, {"a": 5, "b": 7}, {"a_b": 35}, reshaped(35), ["Reshape"], "merge"),
    case(
        "Reshape",
        {"to": {"output": 16, "class": 7}},
        {"unit": 112},
        {"output": 16, "class": 7},
        reshaped(16, 7),
        ["Reshape"],
        "to",
    ),
    case(
        "Reshape",
        {"to": {"time": 3, "height": 5, "width": None}},
        {"time": 3, "pixel": 35},
        {"time": 3, "height": 5, "width": 7},
        reshaped(3, 5, 7),
        ["Reshape"],
        "open",
    ),
    case(
        "Reshape",
        {"target_shape": [-1, 35]},
        {"time": "T", "height": 5, "channel": 7},
        {"time": "T", "height_channel": 35},
        reshaped(-1, 35),
        ["Reshape"],
        "symbol",
    ),
    case(
        "Reshape",
        {"target_shape": [5, 7]},
        {"a": 5, "one": 1, "b": 7},
        {"a": 5, "b": 7},
        reshaped(5, 7),
        ["Reshape"],
        "drop",
    ),
    case("Permute", {"dims": [2, 1]}, {"time": 7, "mel": 5}, {"mel": 5, "time": 7}, permuted(2, 1), ["Transpose"]),
    case(
        "Permute",
        {"dims": ["c", "a", "b"]},
        {"a": 2, "b": 3, "c": 5},
        {"c": 5, "a": 2, "b": 3},
        permuted(3, 1, 2),
        ["Transpose"],
        "names",
    ),
    case(
        "Permute",
        {"dims": [2, 1]},
        {"time": "T", "mel": 5},
        {"mel": 5, "time": "T"},
        permuted(2, 1),
        ["Transpose"],
        "symbol",
    ),
    case(
        "Permute",
        {"dims": [1, 2]},
        {"time": 7, "mel": 5},
        {"time": 7, "mel": 5},
        permuted(1, 2),
        ["Identity"],
        "nothing",
    ),
    case("RepeatVector", {"n": 3}, {"feature": 5}, {"step": 3, "feature": 5}, repeated(3), ["Reshape", "Tile"]),
    case(
        "RepeatVector",
        {"n": 1, "as": "time"},
        {"feature": 5},
        {"time": 1, "feature": 5},
        repeated(1),
        ["Reshape"],
        "once",
    ),
    Case(
        "RepeatVector",
        {"n": 1},
        [{"feature": 5}],
        {"step": 1, "feature": 5},
        None,
        ["Gemm"],  # the Reshape back reads what the first one read
        id="there-and-back",
        after=["Flatten", {"Dense": {"units": 2}}],
    ),
]
FORMS = {
    "Flatten": Form(FLOATS),
    "Reshape": Form(ANY, {"target_shape": targets}, frozenset({"to"})),
    "Permute": Form(ANY, {"dims": mixed_order}),
    "RepeatVector": Form(VECTORS),
}
