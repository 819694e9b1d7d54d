"""Cases of weights as values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.layer_cases import Case

X = {"time": 7, "feature": 5}
Weights = dict[str, np.ndarray]
SHAPE = frozenset({"Shape"})


def given(*shape: int) -> Any:
    def oracle(w: Weights, inputs: list[np.ndarray]) -> np.ndarray:
        return np.broadcast_to(w["value"].reshape(1, *shape), (len(inputs[0]), *shape))

    return oracle


CASES = [
    Case(
        "weight",
        {"axes": {"time": None, "feature": None}, "initializer": "glorot_uniform"},
        [X],
        X,
        given(7, 5),
        ["Shape", "Concat", "Expand"],
        id="as-long-as-what-it-reads",
        needs=SHAPE,
    ),
    Case(
        "weight",
        {"axes": {"a": 2, "b": 3, "c": 5}},
        [{"time": "T", "feature": 5}],
        {"a": 2, "b": 3, "c": 5},
        given(2, 3, 5),
        ["Shape", "Concat", "Expand"],
        id="three-axes",
        needs=SHAPE,
    ),
    Case("weight", {"axes": {}}, [X], {}, given(), ["Shape", "Expand"], id="a-number", needs=SHAPE),
    Case(
        "weight",
        {"name": "table", "axes": {"time": 7, "feature": 5}, "from": "x0"},
        [X],
        X,
        lambda w, inputs: inputs[0] + w["value"].reshape(7, 5),
        None,
        id="of-positions",
        after=[{"Add": {"from": ["x0", "table"]}}],
        needs=SHAPE,
    ),
    Case(
        "weight",
        {"name": "token", "axes": {"time": 1, "feature": 5}, "from": "x0"},
        [X],
        {"time": 1, "feature": 5},
        lambda w, inputs: np.concatenate([given(1, 5)(w, inputs), inputs[0]], axis=1),
        None,
        id="a-class-token",
        after=[{"Concatenate": {"from": ["token", "x0"], "axis": "time"}}],
        needs=SHAPE,
    ),
    Case(
        "weight",
        {"name": "gate", "axes": {"feature": 5}, "from": "x0"},
        [{"time": "T", "feature": 5}],
        {"feature": 5},
        lambda w, inputs: inputs[0] * w["value"].reshape(5),
        None,
        id="repeated-along-an-open-axis",
        after=[{"Multiply": {"from": ["x0", "gate"], "broadcast": "time"}}],
        needs=SHAPE,
    ),
]
NOT_DRAWN = {"weight": "it computes nothing from what it reads; its cases try numbers of axes from none to three"}
