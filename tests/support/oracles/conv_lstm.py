"""Convolutional LSTMs by NumPy: each convolution as sums over its taps, a step at a time."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.support.oracles.recurrent import sigmoid

FUNCTIONS: dict[str, Any] = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
}


def convolve(
    x: np.ndarray, kernel: np.ndarray, strides: tuple[int, ...], dilation: tuple[int, ...], padding: str
) -> np.ndarray:
    """(batch, …, channel) with a kernel (…, channel, filter)."""
    rank = kernel.ndim - 2
    sizes, around = [], [(0, 0)]
    for size, taps, s, d in zip(x.shape[1:-1], kernel.shape, strides, dilation, strict=False):
        span = 1 + (taps - 1) * d
        if padding == "same":
            made = -(-size // s)
            total = max((made - 1) * s + span - size, 0)
            around.append((total // 2, total - total // 2))
        else:
            made = (size - span) // s + 1
            around.append((0, 0))
        sizes.append(made)
    padded = np.pad(x.astype(np.float64), [*around, (0, 0)])
    result = np.zeros((x.shape[0], *sizes, kernel.shape[-1]))
    for tap in itertools.product(*(range(n) for n in kernel.shape[:rank])):
        places = [np.arange(made) * s + t * d for made, s, t, d in zip(sizes, strides, tap, dilation, strict=True)]
        result += padded[np.ix_(range(len(x)), *places, range(x.shape[-1]))] @ kernel[tap]
    return result


def conv_lstm(
    w: dict[str, np.ndarray],
    x: np.ndarray,
    *,
    strides: tuple[int, ...] | None = None,
    dilation: tuple[int, ...] | None = None,
    padding: str = "valid",
    channels_first: bool = False,
    mask: np.ndarray | None = None,
    backwards: bool = False,
    zero: bool = False,
    start: list[np.ndarray] | None = None,
    act: str = "tanh",
    gate: str = "sigmoid",
) -> tuple[np.ndarray, list[np.ndarray]]:
    """All outputs in the order in which they were computed, and the last states."""
    rank = w["kernel"].ndim - 2
    ones = (1,) * rank

    def turned(value: np.ndarray) -> np.ndarray:
        return np.moveaxis(value, 1, -1) if channels_first else value

    def back(value: np.ndarray) -> np.ndarray:
        return np.moveaxis(value, -1, 1) if channels_first else value

    states = None if start is None else [turned(value) for value in start]
    shown: np.ndarray | None = None
    outputs = []
    for t in range(x.shape[1])[::-1] if backwards else range(x.shape[1]):
        total = convolve(turned(x[:, t]), w["kernel"], strides or ones, dilation or ones, padding) + w.get("bias", 0.0)
        if states is None:
            size = (*total.shape[:-1], total.shape[-1] // 4)
            states = [np.zeros(size), np.zeros(size)]
        total = total + convolve(states[0], w["recurrent_kernel"], ones, ones, "same")
        i, f, g, o = (back(part) for part in np.split(total, 4, axis=-1))  # softmax runs along Keras' last axis
        carried = back(states[1])
        c = FUNCTIONS[gate](f) * carried + FUNCTIONS[gate](i) * FUNCTIONS[act](g)
        h = FUNCTIONS[gate](o) * FUNCTIONS[act](c)
        valid = np.ones(len(x), bool) if mask is None else mask[:, t]
        valid = valid.reshape(-1, *[1] * (h.ndim - 1))
        before = np.zeros_like(h) if zero or shown is None else shown
        shown = np.where(valid, h, before)
        states = [turned(np.where(valid, new, back(old))) for new, old in zip((h, c), states, strict=True)]
        outputs.append(shown)
    assert states is not None
    return np.stack(outputs, axis=1), [back(state) for state in states]
