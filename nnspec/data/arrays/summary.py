"""What numbers are like, found in chunks: their range, mean and deviation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

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
    """All values together. Goes through them twice: deviations are those from the mean."""
    return summarize_columns(values, is_whole=True)[0]


def summarize_columns(values: np.ndarray | Gathered, *, is_whole: bool = False) -> list[Summary]:
    """Each position of the last axis by itself, all of them in the same two passes."""
    width = 1 if is_whole or len(values.shape) < 2 else values.shape[-1]
    known, missing = np.zeros(width, np.int64), np.zeros(width, np.int64)
    sums: list[np.ndarray] = []
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    for chunk, weights in _columns(values, width):
        is_known = ~np.isnan(chunk)
        known += weights @ is_known.sum(axis=1)
        missing += weights @ (~is_known).sum(axis=1)
        sums.append(weights @ np.sum(chunk, axis=1, where=is_known))
        low = np.fmin(low, np.fmin.reduce(chunk, axis=(0, 1)))
        high = np.fmax(high, np.fmax.reduce(chunk, axis=(0, 1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.array([fsum(column) for column in np.stack(sums).T]) / known
        squares = [
            weights @ np.nansum(np.square(chunk - mean), axis=1, dtype=np.float64)
            for chunk, weights in _columns(values, width)
        ]
        deviation = np.sqrt(np.array([fsum(column) for column in np.stack(squares).T]) / known)
    return [
        Summary(known=int(n), missing=int(gaps), mean=float(m), deviation=float(d), low=float(least), high=float(most))
        for n, gaps, m, d, least, most in zip(known, missing, mean, deviation, low, high, strict=True)
    ]


def _columns(values: np.ndarray | Gathered, width: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Chunks of float64, axes `row value column`, and how often each row counts."""
    for chunk, counts in weighted_chunks(values):
        wide = chunk.reshape(len(chunk), -1, width).astype(np.float64)
        yield wide, np.ones(len(chunk), np.int64) if counts is None else counts
