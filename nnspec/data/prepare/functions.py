"""The functions that a number may go through before it is scaled, and back: float32, as the graph computes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

_ONE = np.float32(1)
LARGEST = np.float32(88.0)  # whose exponential float32 still holds

# log1p is the logarithm of the rounded sum, as the graph computes it: ONNX has no operator of its own for it.
FUNCTIONS: dict[str, Function] = {
    "log": np.log,
    "log1p": lambda x: np.log(x + _ONE),
    "sqrt": np.sqrt,
    "asinh": np.arcsinh,
}
# What a network predicts may be anything: too large an exponent is cut off, and a root is never below 0.
INVERSES: dict[str, Function] = {
    "log": lambda x: np.exp(np.minimum(x, LARGEST)),
    "log1p": lambda x: np.exp(np.minimum(x, LARGEST)) - _ONE,
    "sqrt": lambda x: np.square(np.maximum(x, np.float32(0))),
    "asinh": lambda x: np.sinh(np.clip(x, -LARGEST, LARGEST)),
}
_SLOPES: dict[str, Function] = {
    "log": np.abs,
    "log1p": lambda y: np.abs(y + 1),
    "sqrt": lambda y: 2 * np.sqrt(np.maximum(y, 0)),
    "asinh": lambda y: np.sqrt(np.square(y) + 1),
}


def slope_of_inverse(function: str, values: np.ndarray) -> np.ndarray:
    """How much faster than the function's own the inverse moves, at these values of it: float64, at least 1e-6."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.maximum(_SLOPES[function](np.asarray(values, np.float64)), 1e-6)
