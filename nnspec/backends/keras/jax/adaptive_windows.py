"""The windows of Keras' adaptive pooling on JAX, by whole numbers.

Keras divides float32 numbers for them, and rounds up: where a quotient is a whole number, XLA's may be a little more.
Pooling 14 positions to 7 then reads behind the end, which is NaN, and 21 to 7 windows of a position too many.
"""

from __future__ import annotations

import numpy as np

NAME = "_compute_adaptive_pooling_gather_indices"


def gather_indices(input_dim: int, output_size: int, big_window: int) -> np.ndarray:
    """Where each window's result is among those of all short windows and, behind them, of all that are one longer.

    Axes `window`.
    """
    starts = np.arange(output_size) * input_dim // output_size
    ends = -(-(np.arange(output_size) + 1) * input_dim // output_size)
    count_of_short = input_dim - (big_window - 1) + 1
    return np.where(ends - starts == big_window, starts + count_of_short, starts).astype(np.int32)


def use_whole_numbers() -> None:
    """Has Keras take these."""
    from keras.src.backend.jax import nn

    if hasattr(nn, NAME):
        setattr(nn, NAME, gather_indices)
