"""Metrics of many targets, in chunks: what the metrics of all at once would be, but for rounding.

Sums go through the samples twice, for means and for what is measured from them. Ranks (the median of errors, areas
under curves) take one sort of a mapped array.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import fsum, sqrt

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import CHUNK, numbered_chunks
from nnspec.data.prepare.streamed_fit import moments
from nnspec.training.metrics.outcome import Array, MetricValues, Outcome

_KEYS = np.uint64(1)


def is_streamed(outcome: Outcome) -> bool:
    """Whether there are so many targets that metrics are made in chunks."""
    return mapped.is_long(outcome.truth) or mapped.is_long(outcome.predicted)


def parts_of(outcome: Outcome) -> Iterator[Outcome]:
    """The outcome of some of the samples at a time."""
    count = len(outcome.truth)
    size = max(1, CHUNK // 4 // max(1, (outcome.truth.nbytes + outcome.predicted.nbytes) // max(1, count)))
    for start in range(0, count, size):
        part = slice(start, start + size)
        counted = None if outcome.counted is None else outcome.counted[part]
        yield replace(outcome, truth=outcome.truth[part], predicted=outcome.predicted[part], counted=counted)


def numbers_in_chunks(outcome: Outcome) -> MetricValues:
    """As `score_numbers`."""
    known: list[Array] = []
    columns: list[Array] = []  # of each chunk: squared errors, targets
    errors, absolute, shares = [], [], []
    has_zero = False
    for truth, guess, which in _rows(outcome):
        error = np.where(which, guess - truth, 0.0)
        known.append(which.sum(axis=0))
        columns.append(np.stack([np.square(error).sum(axis=0), np.where(which, truth, 0.0).sum(axis=0)]))
        errors.append(float(error.sum()))
        absolute.append(float(np.abs(error).sum()))
        has_zero = has_zero or bool(np.any(which & (truth == 0)))
        with np.errstate(divide="ignore", invalid="ignore"):
            shares.append(0.0 if has_zero else float(np.abs(np.where(which, error / truth, 0.0)).sum()))
    count = np.sum(known, axis=0)
    total = int(count.sum())
    squared, sums = (np.array([fsum(c) for c in np.stack(columns)[:, i].T]) for i in range(2))
    found: MetricValues = {"rmse": sqrt(fsum(squared) / total), "mae": fsum(absolute) / total}
    found["r2"] = _r2(outcome, count, squared, sums)
    found["median_absolute_error"] = _median_error(outcome, total)
    found["mean_error"] = fsum(errors) / total
    if not has_zero:
        found["mape"] = fsum(shares) / total
    return found


def streamed_mean(values: Array, counted: Array | None, pooled: tuple[int, ...]) -> Array:
    """The mean of those that count: axes as the values, 1 along `pooled`; of an entry without any that of all."""

    def read() -> Iterator[Array]:
        for part, chunk in numbered_chunks(values):
            wide = chunk.astype(np.float64)
            yield wide if counted is None else np.where(counted[part], wide, np.nan)

    count, mean = moments(read, pooled)
    return mean if count.all() else np.where(count, mean, np.average(mean, weights=count))


def _rows(outcome: Outcome) -> Iterator[tuple[Array, Array, Array]]:
    for part in parts_of(outcome):
        truth, guess, which = part.rows
        yield truth.astype(np.float64), guess.astype(np.float64), np.ones(truth.shape, bool) if which is None else which


def _r2(outcome: Outcome, count: Array, squared: Array, sums: Array) -> float:
    """As `scores.r2`, of the columns of which more than one target counts."""
    kept = count > 1
    if not kept.any():
        return float("nan")
    mean = np.divide(sums, count, out=np.zeros(len(sums)), where=count > 0)
    apart = [np.where(which, np.square(truth - mean), 0.0).sum(axis=0) for truth, _, which in _rows(outcome)]
    total = np.array([fsum(column) for column in np.stack(apart).T])[kept]
    error = squared[kept]
    ratio = np.divide(error, total, out=np.zeros(len(error)), where=total != 0)
    return float(np.mean(np.where(total != 0, 1 - ratio, np.where(error == 0, 1.0, 0.0))))


def _median_error(outcome: Outcome, total: int) -> float:
    values, done = mapped.empty((total,), np.float64), 0
    for truth, guess, which in _rows(outcome):
        own = np.abs(guess - truth)[which]
        values[done : done + len(own)] = own
        done += len(own)
    values.sort()
    return float((values[(total - 1) // 2] + values[total // 2]) / 2) if total else float("nan")


def ranked_areas(truth: Array, scores: Array) -> tuple[float, float] | None:
    """The area under the ROC curve and the average precision, by scikit-learn's definitions; None of one class alone.

    Scores and targets are packed into one number each, which sorts as the scores do.

    Args:
        truth: 0 and 1; axes `row`.
        scores: of 1, as float32; axes `row`.
    """
    packed = mapped.map_rows(_pack, truth, scores)
    positives = int(np.count_nonzero(truth))
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    packed.sort()
    above = below = start = 0  # of the scores so far: positives, negatives
    area, precision = [], []
    while start < len(packed):
        stop = min(start + mapped.STRETCH, len(packed))
        stop = int(np.searchsorted(packed, packed[stop - 1] | _KEYS, side="right"))  # equal scores stay together
        part = packed[start:stop]
        is_true = (part & _KEYS).astype(np.int64)
        ends = np.flatnonzero(np.append(np.diff(part >> _KEYS) != 0, True))
        hits = np.diff(np.cumsum(is_true)[ends], prepend=0)
        misses = np.diff(ends + 1, prepend=0) - hits
        hits_before, misses_before = above + np.cumsum(hits) - hits, below + np.cumsum(misses) - misses
        area.append(float(np.sum(hits * (misses_before + misses / 2))))
        left = positives - hits_before
        precision.append(float(np.sum(hits * left / (left + negatives - misses_before))))
        above, below, start = above + int(hits.sum()), below + int(misses.sum()), stop
    return fsum(area) / positives / negatives, fsum(precision) / positives


def _pack(truth: Array, scores: Array) -> NDArray[np.uint64]:
    bits = (np.ascontiguousarray(scores, np.float32) + np.float32(0)).view(np.uint32)  # -0 is 0
    ordered = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    return ordered.astype(np.uint64) << _KEYS | truth.astype(np.uint64)
