"""What the cases of recurrent layers are made of: inputs, nodes in ONNX, oracles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.support.oracles.recurrent import mask_of, masked_anywhere, recurrent, sigmoid

X = {"time": 7, "feature": 5}
SYMBOLIC: dict[str, int | str] = {"time": "T", "feature": 5}
LAST = {"unit": 3}
EVERY = {"time": 7, "unit": 3}

MASK = ["Abs", "ReduceSum", "Cast"]
# Data steps last: keys to sort by, and the steps fetched. Then a column that marks padding.
PACK = ["Where", "TopK", "Transpose", "Greater", "Unsqueeze", "Unsqueeze", "GatherND", "Transpose", "Where", "Concat"]
PACK_BACK = [name if name != "Greater" else "Less" for name in PACK]  # data first
COLUMN = ["Transpose", "Transpose", "Reshape", "Where", "Concat"]
# Where each step's output stands: as many steps in as there are data before it, and padding.
PLACE = ["Cast", "CumSum", "ReduceSum", "Sub", "Unsqueeze", "Add", "Sub"]
LAST_OF_DATA = ["Cast", "ReduceSum", "Max", "Sub", "Unsqueeze"]
OPS = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}
STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}
TWO = [{"LSTMCell": {"units": 4}}, {"GRUCell": {"units": 3}}]
STEPS = 7


def written(first: Sequence[str], rest: Sequence[str], tail: Sequence[str] = (), steps: int = STEPS) -> list[str]:
    """Every step by nodes of its own, all steps' product with the kernel before."""
    return [*["MatMul", "Add"], *first, *(steps - 1) * list(rest), *tail]


def unmasked(kind: str, after: Sequence[str], written_after: Sequence[str] = (), activation: str = "Tanh") -> list[str]:
    """An op and what follows it; SimpleRNN's steps are written out, and give their last one as it is."""
    if kind == "SimpleRNN":
        return ["Transpose", *written(["Gather", activation], ["Gather", "Gemm", activation], written_after)]
    return ["Transpose", OPS[kind], *after]


def oracle(kind: str, *, every: bool = False, mask: float | None = None, **more: Any) -> Any:
    def compute(w: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        x, *start = inputs
        found = mask_of(x, mask) if mask is not None else None
        outputs, _ = recurrent(kind, w, x, mask=found, start=list(start) or None, **more)
        return outputs if every else outputs[:, -1]

    return compute


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def softsign(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.abs(x))


def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    return np.clip(x / 6 + 0.5, 0, 1)


RETURN = {"return_sequences": True}
BACK = {"go_backwards": True}
MASKED: dict[str, Any] = {"before": ["Masking"], "make": masked_anywhere()}
# Activations that no recurrent op of ONNX knows.
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
}
LOOP = frozenset({"Scan", "Shape"})  # an unknown number of steps, and no op that runs them
