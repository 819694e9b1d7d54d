"""The metrics of numbers: a regression's, and those of quantiles."""

from __future__ import annotations

import numpy as np

from nnspec.training import scores
from nnspec.training.intervals import score_levels
from nnspec.training.metrics.outcome import MetricValues, Outcome


def score_numbers(outcome: Outcome) -> MetricValues:
    """RMSE, MAE and R² (1 - SSE/SST, the mean over columns), the median and mean error, and MAPE.

    MAPE is the mean of |error| / |target|, in shares; it is there where no target is 0. The mean error is positive
    where the model says too much.
    """
    truth, guess, which = outcome.rows
    truth, guess = truth.astype(np.float64), guess.astype(np.float64)
    found: MetricValues = {
        "rmse": scores.rmse(truth, guess, which),
        "mae": scores.mae(truth, guess, which),
        "r2": scores.r2(truth, guess, which),
    }
    known, said = (truth.reshape(-1), guess.reshape(-1)) if which is None else (truth[which], guess[which])
    if len(known):
        error = said - known
        found |= {"median_absolute_error": float(np.median(np.abs(error))), "mean_error": float(error.mean())}
        if np.all(known != 0):
            found["mape"] = float(np.mean(np.abs(error / known)))
    return found


def score_quantiles(outcome: Outcome) -> MetricValues:
    """As `intervals.score_levels`."""
    truth, guess, which = outcome.rows
    return dict(score_levels(truth.astype(np.float64), guess.astype(np.float64), outcome.levels, which))
