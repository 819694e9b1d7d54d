"""Cases of attention without heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.layers.attention.cases_multi_head import MASKING, POSITIONS, SHAPE
from tests.support.layer_cases import Case
from tests.support.oracles.attention import softmax, visible
from tests.support.strategies.form_parts import HEAD_SEQUENCES, Form, attended

X, OPEN, Y = {"time": 7, "feature": 5}, {"time": "T", "feature": 5}, {"step": 3, "feature": 5}
Z = {"step": 3, "sound": 2}
Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], Any]
ADDITIVE = ["Unsqueeze", "Unsqueeze", "Add", "Tanh"]


def by(score: str, *, causal: bool = False, masked: bool = False) -> Oracle:
    """Pair by pair: how a query fits a key, then a weighted mean of values."""

    def fit(w: dict[str, np.ndarray], q: np.ndarray, k: np.ndarray) -> float:
        scale = w.get("scale", np.float64(1.0))
        if score == "dot":
            return float(scale * (q @ k))
        if score == "concat":
            return float(w["concat_score_weight"] * np.tanh(scale * (q + k)).sum())
        return float((scale * np.tanh(q + k)).sum())

    def one(w: dict[str, np.ndarray], q: np.ndarray, v: np.ndarray, k: np.ndarray, held: np.ndarray) -> np.ndarray:
        scores = np.array([[fit(w, a, b) for b in k] for a in q])
        seen = visible(len(q), len(k), causal) & held[None, :]
        return softmax(np.where(seen, scores, scores - 1e9)) @ v

    def oracle(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
        query, value = x[0].astype(np.float64), x[min(1, len(x) - 1)].astype(np.float64)
        key = x[2].astype(np.float64) if len(x) > 2 else value
        held = np.any(x[0] != 0, axis=-1) if masked else np.ones(value.shape[:2], bool)
        made = np.stack([one(w, *row) for row in zip(query, value, key, held, strict=True)])
        return np.where(held[..., None], made, 0.0) if masked else made

    return oracle


CASES = [
    Case("Attention", None, [X, Y], X, by("dot"), ["Transpose", "MatMul", "Softmax", "MatMul"]),
    Case("Attention", None, [OPEN], OPEN, by("dot"), ["Transpose", "MatMul", "Softmax", "MatMul"], id="self"),
    Case(
        "Attention",
        {"use_scale": True, "dropout": 0.0, "seed": 1},
        [X, Z, Y],
        {"time": 7, "sound": 2},
        by("dot"),
        ["Transpose", "MatMul", "Mul", "Softmax", "MatMul"],
        id="three",
    ),
    Case(
        "Attention",
        {"use_causal_mask": True},
        [X, Y],
        X,
        by("dot", causal=True),
        ["Transpose", "MatMul", "Add", "Softmax", "MatMul"],
        id="causal",
    ),
    Case(
        "Attention",
        {"use_causal_mask": True},
        [X, {"step": "S", "feature": 5}],
        X,
        by("dot", causal=True),
        ["Transpose", "MatMul", "Shape", "Squeeze", "Range", "GreaterOrEqual", "Where", "Add", "Softmax", "MatMul"],
        id="causal-into-open",
        needs=SHAPE,
    ),
    Case(
        "Attention",
        None,
        [{"feature": 5, "time": 7}],
        {"time": 7, "feature": 5},
        None,
        ["Transpose", "MatMul", "Softmax", "MatMul"],
        id="keys-as-they-came",
        before=[{"permute": ["time", "feature"]}],
    ),
    Case(
        "Attention",
        {"use_causal_mask": True, "score_mode": "concat", "use_scale": True},
        [OPEN],
        OPEN,
        by("concat", causal=True),
        ["Mul", *ADDITIVE, "ReduceSum", "Mul", *POSITIONS, "GreaterOrEqual", "Where", "Add", "Softmax", "MatMul"],
        id="concat-causal-symbol",
        needs=SHAPE,
    ),
    Case(
        "Attention",
        {"score_mode": "concat"},
        [X, Y],
        X,
        by("concat"),
        [*ADDITIVE, "ReduceSum", "Mul", "Softmax", "MatMul"],
        id="concat",
    ),
    Case("Attention", {"use_scale": True}, [X], X, by("dot", masked=True), None, id="masked", **MASKING),
    Case(
        "Attention",
        {"use_causal_mask": True},
        [OPEN],
        OPEN,
        by("dot", masked=True, causal=True),
        None,
        id="masked-causal",
        needs=SHAPE,
        **MASKING,
    ),
    Case(
        "Attention",
        {"over": "width"},
        [{"height": 2, "width": 3, "feature": 5}],
        {"height": 2, "width": 3, "feature": 5},
        lambda w, x: np.stack([by("dot")(w, [x[0][:, i]]) for i in range(2)], axis=1),
        ["Transpose", "MatMul", "Softmax", "MatMul"],
        id="rows",
    ),
    Case("AdditiveAttention", None, [X, Y], X, by("additive"), [*ADDITIVE, "MatMul", "Softmax", "MatMul"]),
    Case(
        "AdditiveAttention",
        {"use_scale": False},
        [OPEN, {"step": "S", "sound": 2}, {"step": "S", "feature": 5}],
        {"time": "T", "sound": 2},
        by("additive"),
        [*ADDITIVE, "ReduceSum", "Softmax", "MatMul"],
        id="three-no-scale",
    ),
    Case(
        "AdditiveAttention",
        {"use_causal_mask": True},
        [X],
        X,
        by("additive", masked=True, causal=True),
        None,
        id="masked-causal",
        **MASKING,
    ),
]
FORMS = {
    "Attention": Form(HEAD_SEQUENCES, others=attended),
    "AdditiveAttention": Form(HEAD_SEQUENCES, others=attended),
}
