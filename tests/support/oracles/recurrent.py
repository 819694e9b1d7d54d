"""Recurrent layers by NumPy, a step at a time, as their papers and Keras' documentation define them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Weights = dict[str, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm_step(w: Weights, x: np.ndarray, states: list[np.ndarray], act: Any, gate: Any) -> list[np.ndarray]:
    h, c = states
    z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w.get("bias", 0.0)
    i, f, g, o = np.split(z, 4, axis=-1)
    c = gate(f) * c + gate(i) * act(g)
    return [gate(o) * act(c), c]


def gru_step(w: Weights, x: np.ndarray, states: list[np.ndarray], act: Any, gate: Any) -> list[np.ndarray]:
    (h,) = states
    bias = w.get("bias", np.zeros(w["kernel"].shape[1]))
    if bias.ndim == 2:
        xz, xr, xh = np.split(x @ w["kernel"] + bias[0], 3, axis=-1)
        hz, hr, hh = np.split(h @ w["recurrent_kernel"] + bias[1], 3, axis=-1)
        z, r = gate(xz + hz), gate(xr + hr)
        return [z * h + (1 - z) * act(xh + r * hh)]
    xz, xr, xh = np.split(x @ w["kernel"] + bias, 3, axis=-1)
    uz, ur, uh = np.split(w["recurrent_kernel"], 3, axis=-1)
    z, r = gate(xz + h @ uz), gate(xr + h @ ur)
    return [z * h + (1 - z) * act(xh + (r * h) @ uh)]


def gru_without_bias_step(w: Weights, x: np.ndarray, states: list[np.ndarray], act: Any, gate: Any) -> list[np.ndarray]:
    return gru_step({**w, "bias": np.zeros((2, w["kernel"].shape[1]))}, x, states, act, gate)


def rnn_step(w: Weights, x: np.ndarray, states: list[np.ndarray], act: Any, gate: Any) -> list[np.ndarray]:
    return [act(x @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w.get("bias", 0.0))]


STEPS: dict[str, tuple[Callable[..., list[np.ndarray]], int]] = {
    "LSTM": (lstm_step, 2),
    "GRU": (gru_step, 1),
    "GRU-no-bias": (gru_without_bias_step, 1),
    "SimpleRNN": (rnn_step, 1),
}


def recurrent(
    kind: str,
    w: Weights,
    x: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    backwards: bool = False,
    zero: bool = False,
    start: list[np.ndarray] | None = None,
    act: Any = np.tanh,
    gate: Any = sigmoid,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """All outputs in the order in which they were computed, and the last states. Masked steps hold, or give zeros."""
    step, count = STEPS[kind]
    batch, length, _ = x.shape
    units = w["recurrent_kernel"].shape[0]
    states = start or [np.zeros((batch, units)) for _ in range(count)]
    shown = np.zeros((batch, units))
    outputs = []
    for t in range(length)[::-1] if backwards else range(length):
        new = step(w, x[:, t].astype(np.float64), states, act, gate)
        valid = np.ones((batch, 1), bool) if mask is None else mask[:, t, None]
        states = [np.where(valid, n, s) for n, s in zip(new, states, strict=True)]
        shown = np.where(valid, new[0], shown)
        outputs.append(np.where(valid, new[0], 0.0) if zero else shown)
    return np.stack(outputs, axis=1), states


def parts(w: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in w.items() if name.startswith(prefix)}


def bidirectional(
    kind: str,
    w: Weights,
    x: np.ndarray,
    *,
    mode: str | None = "concat",
    sequences: bool = False,
    mask: np.ndarray | None = None,
    **functions: Any,
) -> Any:
    forward, _ = recurrent(kind, parts(w, "forward_"), x, mask=mask, zero=sequences, **functions)
    backward, _ = recurrent(kind, parts(w, "backward_"), x, mask=mask, zero=sequences, backwards=True, **functions)
    if sequences:
        backward = backward[:, ::-1]
    else:
        forward, backward = forward[:, -1], backward[:, -1]
    match mode:
        case "concat":
            return np.concatenate([forward, backward], axis=-1)
        case "sum":
            return forward + backward
        case "ave":
            return (forward + backward) / 2
        case "mul":
            return forward * backward
    return [forward, backward]


def masked_anywhere(value: float = 0.0) -> Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]:
    """Frames of padding at random steps: leading, between, trailing; the last sequence has nothing else."""

    def make(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        x = rng.normal(size=shape)
        x[rng.random(shape[:2]) < 0.4] = value
        x[0, 0] = value
        if shape[0] > 1:
            x[-1] = value
        return x

    return make


def right_padded(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Data first, then zeros: no padding, some, nothing but padding."""
    x = rng.normal(size=shape)
    batch, length = shape[:2]
    for i in range(batch):
        valid = {0: length - 2, batch - 1: 0 if batch > 1 else length - 2}.get(i, length)
        x[i, valid:] = 0.0
    return x


def left_padded(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros first, then data."""
    return right_padded(rng, shape)[:, ::-1]


def mask_of(x: np.ndarray, value: float = 0.0) -> np.ndarray:
    return np.any(x != value, axis=-1)


def stack(
    kinds: list[str],
    w: Weights,
    x: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    backwards: bool = False,
    zero: bool = False,
    start: list[np.ndarray] | None = None,
    act: Any = np.tanh,
    gate: Any = sigmoid,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Cells one above the other, all of a step before the next step. Outputs as computed, and the last states."""
    steps = [STEPS[kind] for kind in kinds]
    weights = [parts(w, f"cell_{i}_") for i in range(1, len(kinds) + 1)]
    batch, length, _ = x.shape
    given = iter(start or ())
    states = [
        [next(given) if start else np.zeros((batch, own["recurrent_kernel"].shape[0])) for _ in range(count)]
        for own, (_, count) in zip(weights, steps, strict=True)
    ]
    shown = np.zeros((batch, weights[-1]["recurrent_kernel"].shape[0]))
    outputs = []
    for t in range(length)[::-1] if backwards else range(length):
        valid = np.ones((batch, 1), bool) if mask is None else mask[:, t, None]
        value = x[:, t].astype(np.float64)
        for i, (step, _) in enumerate(steps):
            new = step(weights[i], value, states[i], act, gate)
            value = new[0]
            states[i] = [np.where(valid, n, s) for n, s in zip(new, states[i], strict=True)]
        shown = np.where(valid, value, 0.0 if zero else shown)
        outputs.append(shown)
    return np.stack(outputs, axis=1), [state for own in states for state in own]
