"""Cases of Dense."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Case


def dense(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    return inputs[0] @ weights["kernel"] + weights.get("bias", 0.0)


CASES = [
    Case("Dense", {"units": 3}, [{"feature": 5}], {"unit": 3}, dense, ["Gemm"]),
    Case(
        "Dense",
        {"units": 3, "use_bias": False, "as": "target"},
        [{"feature": 5}],
        {"target": 3},
        dense,
        ["Gemm"],
        id="no-bias",
    ),
    Case(
        "Dense", {"units": 3}, [{"time": 7, "feature": 5}], {"time": 7, "unit": 3}, dense, ["MatMul", "Add"], id="steps"
    ),
    Case(
        "Dense",
        {"units": 3},
        [{"time": "T", "feature": 5}],
        {"time": "T", "unit": 3},
        dense,
        ["MatMul", "Add"],
        id="symbol",
    ),
    Case(
        "Dense",
        {"units": 3, "activation": "relu"},
        [{"feature": 5}],
        {"unit": 3},
        lambda w, x: np.maximum(dense(w, x), 0),
        ["Gemm", "Relu"],
        id="relu",
    ),
]
CASES += [
    Case(
        "Dense",
        {"units": 3, "lora_rank": 2},
        [{"feature": 5}],
        {"unit": 3},
        lambda w, x: x[0] @ (w["kernel"] + w["lora_kernel_a"] @ w["lora_kernel_b"]) + w["bias"],
        ["Gemm"],
        id="low-rank",
    ),
    Case("Dense", {"units": 3, "trainable": False}, [{"feature": 5}], {"unit": 3}, dense, ["Gemm"], id="frozen"),
]
