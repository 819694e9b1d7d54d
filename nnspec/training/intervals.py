"""Metrics of quantile forecasts in NumPy: pinball loss, coverage and width of intervals.

Axes of targets are `row column`, those of forecasts `row column level`; where `counted` is given, axes as the targets,
the others are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.ir.levels import middle, pairs, share
from nnspec.training import scores
from nnspec.training.scores import Counted

LevelMetrics = dict[str, float | dict[str, float]]


def pinball(truth: np.ndarray, guess: np.ndarray, levels: Sequence[float], counted: Counted = None) -> np.ndarray:
    """The mean of max(τ·(y - q), (τ - 1)·(y - q)) of each level: axes `level`, in the units of the targets."""
    error = truth[..., None] - guess
    cost = np.maximum(np.asarray(levels) * error, (np.asarray(levels) - 1) * error)
    return np.asarray(cost.mean(axis=(0, 1)) if counted is None else cost[counted].mean(axis=0))


def score_levels(
    truth: np.ndarray, guess: np.ndarray, levels: Sequence[float], counted: Counted = None
) -> LevelMetrics:
    """All metrics: `pinball` and that of each level, `coverage` and `width` by the share an interval is to hold, and
    RMSE, MAE and R² of the level nearest the median."""
    each = pinball(truth, guess, levels, counted)
    central = guess[..., middle(levels)]
    found: LevelMetrics = {
        "pinball": float(each.mean()),
        "pinball_by_level": {f"{level:g}": float(value) for level, value in zip(levels, each, strict=True)},
    }
    inside: dict[str, float] = {}
    width: dict[str, float] = {}
    for low, high in pairs(levels):
        held = (truth >= guess[..., low]) & (truth <= guess[..., high])
        size = guess[..., high] - guess[..., low]
        name = f"{share(levels, low, high):g}"
        inside[name] = float(np.mean(held if counted is None else held[counted]))
        width[name] = float(np.mean(size if counted is None else size[counted]))
    if inside:
        found |= {"coverage": inside, "width": width}
    return {
        **found,
        "rmse": scores.rmse(truth, central, counted),
        "mae": scores.mae(truth, central, counted),
        "r2": scores.r2(truth, central, counted),
    }


def residual_quantiles(residuals: np.ndarray, levels: Sequence[float], counted: Counted = None) -> np.ndarray:
    """The quantiles of what a naive forecast missed in training: axes `row column` to `column level`."""
    known = residuals if counted is None else np.where(counted, residuals, np.nan)
    return np.moveaxis(np.nanquantile(known, levels, axis=0), 0, -1)
