"""Metrics of many quantile forecasts, in chunks: what `intervals` gives for all at once, but for rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import fsum

import numpy as np

from nnspec.data.arrays import mapped
from nnspec.data.prepare.streamed_fit import sorted_quantiles
from nnspec.ir.levels import middle, pairs, share
from nnspec.training.intervals import LevelMetrics, pinball, residual_quantiles, score_levels
from nnspec.training.metrics.outcome import Array, MetricValues, Outcome
from nnspec.training.metrics.streamed import is_streamed, numbers_in_chunks, parts_of


def quantiles_in_chunks(outcome: Outcome) -> MetricValues:
    """As `numbers.score_quantiles`."""
    levels, totals = outcome.levels, 0
    costs: list[Array] = []
    held: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for part in parts_of(outcome):
        truth, guess, which = part.rows
        truth, guess = truth.astype(np.float64), guess.astype(np.float64)
        count = truth.size if which is None else int(which.sum())
        if not count:
            continue
        totals += count
        costs.append(pinball(truth, guess, levels, which) * count)
        for low, high in pairs(levels):
            name = f"{share(levels, low, high):g}"
            inside = (truth >= guess[..., low]) & (truth <= guess[..., high])
            size = guess[..., high] - guess[..., low]
            held.setdefault(name, []).append(float((inside if which is None else inside[which]).sum()))
            sizes.setdefault(name, []).append(float((size if which is None else size[which]).sum()))
    each = [fsum(costs_of_level) / totals for costs_of_level in np.stack(costs).T.tolist()]
    found: MetricValues = {
        "pinball": float(np.mean(each)),
        "pinball_by_level": {f"{level:g}": value for level, value in zip(levels, each, strict=True)},
    }
    if held:
        found["coverage"] = {name: fsum(parts) / totals for name, parts in held.items()}
        found["width"] = {name: fsum(parts) / totals for name, parts in sizes.items()}
    central = numbers_in_chunks(replace(outcome, predicted=outcome.predicted[..., middle(levels)], levels=()))
    return {**found, **{name: central[name] for name in ("rmse", "mae", "r2")}}


def metrics_of_levels(outcome: Outcome) -> LevelMetrics | MetricValues:
    """Those of quantile forecasts, whatever their number."""
    if is_streamed(outcome):
        return quantiles_in_chunks(outcome)
    truth, guess, which = outcome.rows
    return score_levels(truth.astype(np.float64), guess.astype(np.float64), outcome.levels, which)


def missed_quantiles(truth: Array, guess: Array, levels: Sequence[float], counted: Array | None = None) -> Array:
    """`residual_quantiles` of what a forecast missed: `row column` to `column level`. Many are sorted in a file."""
    if not mapped.is_long(truth):
        return residual_quantiles(truth.astype(np.float64) - guess, levels, counted)
    found = np.empty((truth.shape[1], len(levels)))
    for column in range(truth.shape[1]):
        missed, done = mapped.empty((len(truth),), np.float64), 0
        for part in mapped.stretches(len(truth), 32):
            own = truth[part, column].astype(np.float64) - guess[part, column]
            own = own[~np.isnan(own)] if counted is None else own[counted[part, column]]
            missed[done : done + len(own)] = own
            done += len(own)
        found[column] = sorted_quantiles(missed[:done], tuple(levels))
    return found
