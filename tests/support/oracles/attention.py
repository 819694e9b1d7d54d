"""Attention in NumPy, written from the papers: loops over samples and heads, no einsum equations of Keras'."""

from __future__ import annotations

import numpy as np

Weights = dict[str, np.ndarray]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def visible(queries: int, values: int, causal: bool = False, window: int | None = None) -> np.ndarray:
    """Which value steps each query step sees."""
    seen = np.ones((queries, values), bool)
    for i in range(queries):
        for j in range(values):
            if (causal and j > i) or (window is not None and abs(i - j) >= window):
                seen[i, j] = False
    return seen


def one_head(q: np.ndarray, k: np.ndarray, v: np.ndarray, seen: np.ndarray, zeroes: bool) -> tuple[np.ndarray, ...]:
    """Queries (step, size), keys, values (position, size): what is read, and the weights."""
    scores = np.where(seen, q @ k.T / np.sqrt(q.shape[-1]), -1e9)
    weights = softmax(scores)
    if zeroes:
        weights = np.where(seen, weights, 0.0)
    return weights @ v, weights


def attention(
    w: Weights,
    query: np.ndarray,
    value: np.ndarray | None = None,
    key: np.ndarray | None = None,
    *,
    mask: np.ndarray | None = None,
    zeroes: bool = False,
    causal: bool = False,
    window: int | None = None,
) -> list[np.ndarray]:
    """(batch, step, feature) each; `mask` is over (batch, query step, value step), maybe with heads behind batch."""
    value = query if value is None else value
    key = value if key is None else key
    heads, shared = w["query_kernel"].shape[1], w["key_kernel"].shape[1]
    query, value, key = (x.astype(np.float64) for x in (query, value, key))

    def bias(name: str, head: int) -> np.ndarray | float:
        return w[f"{name}_bias"][head] if f"{name}_bias" in w else 0.0

    outputs, all_weights = [], []
    for b in range(len(query)):
        total = 0.0
        rows = []
        for h in range(heads):
            g = h // (heads // shared)
            seen = visible(query.shape[1], value.shape[1], causal, window)
            if mask is not None:
                seen = seen & (mask[b, h % mask.shape[1]] if mask.ndim == 4 else mask[b])
            read, weights = one_head(
                query[b] @ w["query_kernel"][:, h] + bias("query", h),
                key[b] @ w["key_kernel"][:, g] + bias("key", g),
                value[b] @ w["value_kernel"][:, g] + bias("value", g),
                seen,
                zeroes,
            )
            if "gate_kernel" in w:
                read = read / (1 + np.exp(-(query[b] @ w["gate_kernel"][:, h] + bias("gate", h))))
            total = total + np.tensordot(read, w["output_kernel"][h], 1)
            rows.append(weights)
        outputs.append(total + w.get("output_bias", 0.0))
        all_weights.append(np.stack(rows))
    return [np.stack(outputs), np.stack(all_weights)]
