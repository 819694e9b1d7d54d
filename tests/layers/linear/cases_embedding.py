"""Cases of Embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import LENGTH, Form, always, low_rank_argument, sized

BODY = {"input_dim": 11, "output_dim": 3}


def rows(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    return weights["embeddings"][inputs[0].astype(int)]


def low_rank(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    table = weights["embeddings"] + weights["lora_embeddings_a"] @ weights["lora_embeddings_b"]
    return table[inputs[0].astype(int)]


def ids(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 11, size=shape)


def case(
    body: Any, axes: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str], id: str, dtype: str = "int32"
) -> Case:
    return Case("Embedding", body, [axes], output, oracle, ops, id=id, make=ids, dtype=dtype)


CASES = [
    case(BODY, {"token": 7}, {"token": 7, "embedding": 3}, rows, ["Gather"], ""),
    case({**BODY, "as": "vector"}, {"token": "T"}, {"token": "T", "vector": 3}, rows, ["Gather"], "symbol", "int64"),
    case(BODY, {"token": 7}, {"token": 7, "embedding": 3}, rows, ["Cast", "Gather"], "small-integers", "uint8"),
    case({**BODY, "mask_zero": True}, {"token": "T"}, {"token": "T", "embedding": 3}, rows, ["Gather"], "mask"),
    case(
        BODY,
        {"sentence": 2, "token": 7},
        {"sentence": 2, "token": 7, "embedding": 3},
        rows,
        ["Gather"],
        "two-axes",
    ),
    case({**BODY, "output_dim": 1}, {"token": 7}, {"token": 7, "embedding": 1}, rows, ["Gather"], "one-number"),
    case({**BODY, "lora_rank": 2}, {"token": 7}, {"token": 7, "embedding": 3}, low_rank, ["Gather"], "lora"),
]
FORMS = {
    "Embedding": Form(
        sized(token=LENGTH), {"input_dim": always(st.integers(5, 7)), **low_rank_argument()}, dtype="int32"
    )
}
