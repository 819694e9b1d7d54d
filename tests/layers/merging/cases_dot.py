"""Cases of Dot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import FLOATS, Form, other_rows, summed

Oracle = Callable[[dict[str, np.ndarray], list[np.ndarray]], np.ndarray]


def dotted(left: int, right: int, normalize: bool = False) -> Oracle:
    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, y = (v.astype(np.float64) for v in inputs)
        if normalize:
            x = x / np.linalg.norm(x, axis=left, keepdims=True)
            y = y / np.linalg.norm(y, axis=right, keepdims=True)
        made = np.stack([np.tensordot(a, b, (left - 1, right - 1)) for a, b in zip(x, y, strict=True)])
        return made[:, None] if made.ndim == 1 else made

    return oracle


CASES = [
    Case(
        "Dot",
        {"axes": "feature"},
        [{"query": 7, "feature": 5}, {"key": "T", "feature": 5}],
        {"query": 7, "key": "T"},
        dotted(2, 2),
        ["Transpose", "MatMul"],
    ),
    Case(
        "Dot",
        {"axes": [2, 1], "normalize": True},
        [{"query": 7, "feature": 5}, {"feature": 5, "key": 3}],
        {"query": 7, "key": 3},
        dotted(2, 1, True),
        [*2 * ["Mul", "ReduceSum", "Sqrt", "Max", "Div"], "MatMul"],
        id="normalize",
    ),
    Case(
        "Dot",
        {"axes": 1},
        [{"feature": 5}, {"feature": 5}],
        {"product": 1},
        dotted(1, 1),
        ["Reshape", "Reshape", "MatMul", "Reshape"],
        id="vectors",
    ),
    Case(
        "Dot",
        {"axes": "feature"},
        [{"word": 7, "feature": 5}, {"word": 3, "feature": 5}],
        {"word": 7, "word_2": 3},
        dotted(2, 2),
        ["Transpose", "MatMul"],
        id="two-sequences-of-one-name",
    ),
    Case(
        "Dot",
        {"axes": [1, 2]},
        [{"feature": 5, "head": 2, "query": 3}, {"key": 7, "feature": 5, "place": 4}],
        {"head": 2, "query": 3, "key": 7, "place": 4},
        dotted(1, 2),
        ["Transpose", "Reshape", "Transpose", "Reshape", "MatMul", "Reshape"],
        id="four-axes",
    ),
]
FORMS = {
    "Dot": Form(FLOATS, {"axes": summed}, others=other_rows),
}
