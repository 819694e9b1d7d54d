"""What is told of the forecasts of a file besides: MASE, errors of each step and series, and the naive forecasts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.data.prepare.history import History
from nnspec.ir.levels import middle
from nnspec.runtime.ports import Metadata
from nnspec.training import forecasts
from nnspec.training.intervals import score_levels
from nnspec.training.metrics.outcome import MetricValues, Outcome
from nnspec.training.metrics.score import HEADLINE
from nnspec.training.scores import as_rows, mae, rmse

Array = np.ndarray


def score_ahead(outcome: Outcome, history: History, names: Mapping[int, str]) -> MetricValues:
    """`mase`, `by_step` and `by_series`, as a build tells of its splits.

    Args:
        names: of the numbers of series; empty where there is a single one.
    """
    truth, values = outcome.truth.astype(np.float64), outcome.predicted.astype(np.float64)
    central = values[..., middle(outcome.levels)] if outcome.levels else values
    return {
        "mase": forecasts.mase(truth, central, history),
        **forecasts.by_step(truth, values, history, outcome.levels),
        **forecasts.by_series(truth, central, history, names),
        **(forecasts.coverage_error(truth, values, history, outcome.levels) if outcome.levels else {}),
    }


def naive_of(outcome: Outcome, history: History, past: Metadata) -> MetricValues | None:
    """The better one of persistence and the seasonal naive forecast, the other one under `others`; None of neither.

    Args:
        past: of the metadata: of quantiles, what naive forecasts missed in training.
    """
    truth = outcome.truth.astype(np.float64)
    given: dict[str, MetricValues] = {}
    for called, naive in (("persistence", history.last), ("seasonal_naive", history.naive)):
        if naive is None:
            continue
        guess = naive.astype(np.float64)
        scaled = {"mase": forecasts.mase(truth, guess, history)}
        if not outcome.levels:
            given[called] = {"rmse": rmse(as_rows(truth), as_rows(guess)), "mae": mae(as_rows(truth), as_rows(guess))}
        elif called in past.get("around", {}):
            levels = as_rows(guess)[..., None] + np.asarray(past["around"][called])
            given[called] = dict(score_levels(as_rows(truth), levels, outcome.levels))
        else:
            continue
        given[called] |= scaled
    headline = HEADLINE[outcome.task]
    order = [called for _, called in sorted((metrics[headline], called) for called, metrics in given.items())]
    if not order:
        return None
    others = {called: given[called] for called in order[1:]}
    return {"name": order[0], **given[order[0]], **({"others": others} if others else {})}


def add_scaled_error(
    metrics: MetricValues | None, outcome: Outcome, naive: Array | None, history: History
) -> MetricValues | None:
    """Those of another baseline, such as the mean of the training rows, with `mase`: axes of `naive` as the targets."""
    if metrics is None or naive is None:
        return metrics
    return {**metrics, "mase": forecasts.mase(outcome.truth.astype(np.float64), naive.astype(np.float64), history)}
