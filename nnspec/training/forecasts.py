"""Figures of forecasts: errors in terms of naive ones, step by step of the horizon, and series by series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.data.prepare.history import History
from nnspec.ir.levels import pairs, share
from nnspec.training.intervals import score_levels
from nnspec.training.scores import Counted

Tables = dict[str, dict[str, dict[str, float]]]
MOST_SERIES = 1000  # more are not told one by one


def mase(truth: np.ndarray, guess: np.ndarray, history: History, counted: Counted = None) -> float:
    """The mean absolute scaled error: that of each series, each target's error divided by the series' scale, and the
    mean of all series. Axes of targets: `sample *data`. Not a number where no series has a scale."""
    scaled = _scaled(truth, guess, history, counted)
    each = [np.nanmean(scaled[history.series == code]) for code in _with_scale(scaled, history)]
    return float(np.mean(each)) if each else float("nan")


def by_step(
    truth: np.ndarray, guess: np.ndarray, history: History, levels: Sequence[float] = (), counted: Counted = None
) -> Tables:
    """`{horizon: {rmse, mae, …}}` where there are several; of quantiles also `pinball` and `coverage`.

    Args:
        guess: forecasts, axes as `truth`; of quantiles with the levels behind.
    """
    if history.step is None:
        return {}
    found: dict[str, dict[str, float]] = {}
    for index, ahead in enumerate(history.horizon):
        parts = [np.take(each, index, axis=history.step) for each in (truth, guess)]
        which = None if counted is None else np.take(counted, index, axis=history.step).reshape(len(truth), -1)
        found[str(ahead)] = _errors(parts[0].reshape(len(truth), -1), parts[1], levels, which)
    return {"by_step": found}


def by_series(
    truth: np.ndarray, guess: np.ndarray, history: History, names: Mapping[int, str], counted: Counted = None
) -> Tables:
    """`{series: {samples, rmse, mae, mase}}` where there are several; `guess` is the median of quantiles."""
    codes = np.unique(history.series)
    if not names or not 1 < len(codes) <= MOST_SERIES:
        return {}
    error, scaled = truth - guess, _scaled(truth, guess, history, counted)
    error = error if counted is None else np.where(counted, error, np.nan)
    found: dict[str, dict[str, float]] = {}
    for code in codes.tolist():
        own = history.series == code
        if np.isnan(error[own]).all():
            continue
        rmse, mae = np.sqrt(np.nanmean(error[own] ** 2)), np.nanmean(np.abs(error[own]))
        found[names[code]] = {"samples": int(own.sum()), "rmse": float(rmse), "mae": float(mae)}
        if not np.isnan(scaled[own]).all():
            found[names[code]]["mase"] = float(np.nanmean(scaled[own]))
    return {"by_series": found}


def coverage_error(
    truth: np.ndarray, guess: np.ndarray, history: History, levels: Sequence[float], counted: Counted = None
) -> dict[str, dict[str, float]]:
    """`{coverage_error: {share: …}}`: the standard error of the coverage of intervals, by series.

    Targets of one series are alike, so that a coverage is as sure as there are series. Formula, of G series with h of n
    targets within: sqrt(G / (G - 1) · Σ (h - p·n)²) / Σ n, where p = Σ h / Σ n. Empty where there are fewer than two.

    Args:
        guess: axes as `truth`, with the levels behind.
    """
    codes, place = np.unique(history.series, return_inverse=True)
    which = np.ones(truth.shape, bool) if counted is None else counted
    number = np.bincount(place, which.reshape(len(truth), -1).sum(axis=1))
    found: dict[str, float] = {}
    for low, high in pairs(levels) if len(codes) > 1 else ():
        held = (truth >= guess[..., low]) & (truth <= guess[..., high]) & which
        hits = np.bincount(place, held.reshape(len(truth), -1).sum(axis=1))
        missed = hits - number * hits.sum() / number.sum()
        error = np.sqrt(len(codes) / (len(codes) - 1) * np.sum(missed**2)) / number.sum()
        found[f"{share(levels, low, high):g}"] = float(error)
    return {"coverage_error": found} if found else {}


def _scaled(truth: np.ndarray, guess: np.ndarray, history: History, counted: Counted) -> np.ndarray:
    """Each target's absolute error over its scale; NaN where it does not count, or has none."""
    scaled = np.abs(truth - guess) / history.scale
    return np.asarray(scaled if counted is None else np.where(counted, scaled, np.nan))


def _with_scale(scaled: np.ndarray, history: History) -> list[int]:
    known = ~np.isnan(scaled.reshape(len(scaled), -1)).all(axis=1)
    return [int(code) for code in np.unique(history.series[known])]


def _errors(truth: np.ndarray, guess: np.ndarray, levels: Sequence[float], counted: Counted) -> dict[str, float]:
    """Of one step: axes `sample column`, `guess` with levels behind where there are any."""
    if levels:
        whole = score_levels(truth, guess.reshape(*truth.shape, len(levels)), levels, counted)
        found = {name: value for name, value in whole.items() if isinstance(value, float) and name != "r2"}
        shares = whole.get("coverage")
        if isinstance(shares, dict):
            found |= {f"coverage_{share}": value for share, value in shares.items()}
        return found
    error = (truth - guess.reshape(truth.shape)) if counted is None else (truth - guess.reshape(truth.shape))[counted]
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}
