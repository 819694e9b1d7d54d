"""What numbers are like, found in chunks: their range, mean and deviation."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np

from nnspec.data.arrays.gathered import Gathered, weighted_chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Of all values, each in every sample that has it; NaN is left out, and NaN of no values."""

    known: int
    missing: int
    mean: float
    deviation: float
    low: float
    high: float


def summarize(values: np.ndarray | Gathered) -> Summary:
    """Goes through the values twice: deviations are those from the mean."""
    sums, known, missing = [], 0, 0
    low = high = np.float64(np.nan)
    for chunk, counts in weighted_chunks(values):
        is_known = ~np.isnan(chunk) if chunk.dtype.kind == "f" else np.ones(chunk.shape, bool)
        here = is_known.sum(axis=1)
        weights = np.ones(len(chunk), np.int64) if counts is None else counts
        known += int(here @ weights)
        missing += int((chunk.shape[1] - here) @ weights)
        sums.append(float(np.sum(chunk, axis=1, dtype=np.float64, where=is_known) @ weights))
        low = np.fmin(low, np.fmin.reduce(chunk, axis=None, initial=np.inf, where=is_known))
        high = np.fmax(high, np.fmax.reduce(chunk, axis=None, initial=-np.inf, where=is_known))
    if not known:
        nothing = float("nan")
        return Summary(known=0, missing=missing, mean=nothing, deviation=nothing, low=nothing, high=nothing)
    mean = fsum(sums) / known
    squares = []
    for chunk, counts in weighted_chunks(values):
        apart = np.nan_to_num(np.square(chunk.astype(np.float64) - mean))
        squares.append(float(apart.sum(axis=1) @ (np.ones(len(chunk)) if counts is None else counts)))
    deviation = sqrt(fsum(squares) / known)
    return Summary(known=known, missing=missing, mean=mean, deviation=deviation, low=float(low), high=float(high))
