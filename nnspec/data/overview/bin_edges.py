"""The bins of a histogram of whatever numbers there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bin_edges(values: np.ndarray, count: int) -> NDArray[np.float64]:
    """The edges of `count` bins of one width over finite numbers.

    They reach farther than the numbers where these are all alike, or closer together than float64 can divide.
    """
    if not len(values):
        return np.linspace(0.0, 1.0, count + 1)
    low, high = float(values.min()), float(values.max())
    least = 4 * count * float(np.spacing(max(abs(low), abs(high))))
    if high - low < least:
        reach = max(least, 0.5 if low == high else 0.0)
        low, high = low - reach, high + reach
    return np.linspace(low, high, count + 1)
