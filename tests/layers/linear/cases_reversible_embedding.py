"""Cases of ReversibleEmbedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.layers.linear.cases_embedding import ids, rows
from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import LENGTH, Form, always, sized

BODY: dict[str, Any] = {"input_dim": 11, "output_dim": 3}
IDS = {"make": ids, "dtype": "int32"}


def back(w: dict[str, np.ndarray], x: list[np.ndarray]) -> np.ndarray:
    """How each vector fits each of the table."""
    table = w["reverse_embeddings"].T if "reverse_embeddings" in w else w["embeddings"]
    return np.stack([(x[0] * row).sum(-1) for row in table], axis=-1)


CASES = [
    Case("ReversibleEmbedding", BODY, [{"token": 7}], {"token": 7, "embedding": 3}, rows, ["Gather"], **IDS),
    Case(
        "ReversibleEmbedding",
        {**BODY, "mask_zero": True, "as": "vector"},
        [{"token": "T"}],
        {"token": "T", "vector": 3},
        rows,
        ["Gather"],
        id="mask",
        **IDS,
    ),
    Case(
        "ReversibleEmbedding",
        {**BODY, "mask_zero": True},
        [{"token": "T"}],
        {"token": "T", "embedding": 3},
        None,
        ["Cast", "Gather", "Reshape", "Where", "Cast", "ReduceSum", "ReduceSum", "Max", "Div"],
        id="mask-is-used",
        after=[{"GlobalAveragePooling1D": {}}],
        make=lambda rng, shape: np.maximum(ids(rng, shape) % 3, np.arange(shape[1]) == 0),
        dtype="int32",
    ),
    Case(
        "ReversibleEmbedding",
        {**BODY, "reverse": True},
        [{"token": "T", "feature": 3}],
        {"token": "T", "logit": 11},
        back,
        ["Transpose", "MatMul"],
        id="reverse",
    ),
    Case(
        "ReversibleEmbedding",
        {**BODY, "reverse": True, "tie_weights": False, "logit_soft_cap": 1.5, "reverse_dtype": "float32"},
        [{"token": 7, "feature": 3}],
        {"token": 7, "logit": 11},
        lambda w, x: 1.5 * np.tanh(back(w, x) / 1.5),
        ["MatMul", "Div", "Tanh", "Mul"],
        id="reverse-untied-cap",
        moves=False,  # the way there is not taken
    ),
]
FORMS = {
    "ReversibleEmbedding": Form(
        sized(token=LENGTH), {"input_dim": always(st.integers(5, 7))}, frozenset({"reverse"}), dtype="int32"
    )
}
