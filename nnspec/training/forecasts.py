"""Metrics of forecasts: errors in terms of naive ones, step by step of the horizon, and series by series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from nnspec.data.arrays import mapped
from nnspec.data.arrays.ordered import distinct
from nnspec.data.prepare.history import History
from nnspec.ir.levels import pairs, share
from nnspec.training.metrics.outcome import Outcome
from nnspec.training.metrics.streamed import numbers_in_chunks
from nnspec.training.metrics.streamed_levels import metrics_of_levels
from nnspec.training.scores import Counted

Tables = dict[str, dict[str, dict[str, float]]]
MOST_SERIES = 1000  # more are not told one by one


def mase(truth: np.ndarray, guess: np.ndarray, history: History, counted: Counted = None) -> float:
    """The mean absolute scaled error: that of each series, each target's error divided by the series' scale, and the
    mean of all series. Axes of targets: `sample *data`. Not a number where no series has a scale."""
    if mapped.is_long(truth):
        means = [scale for _, _, scale in _of_series(truth, guess, history, counted).values() if not np.isnan(scale)]
        return float(np.mean(means)) if means else float("nan")
    scaled = _scale_errors(truth, guess, history, counted)
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
        parts = [step_of(each, index, history.step) for each in (truth, guess)]
        which = None if counted is None else step_of(counted, index, history.step).reshape(len(truth), -1)
        found[str(ahead)] = _errors(parts[0].reshape(len(truth), -1), parts[1], levels, which)
    return {"by_step": found}


def step_of(values: np.ndarray, index: int, axis: int) -> np.ndarray:
    """One step of an axis, as a view: many of them have no room."""
    return np.asarray(np.moveaxis(values, axis, 0)[index])


def by_series(
    truth: np.ndarray, guess: np.ndarray, history: History, names: Mapping[int, str], counted: Counted = None
) -> Tables:
    """`{series: {samples, rmse, mae, mase}}` where there are several; `guess` is the median of quantiles."""
    codes = distinct(history.series)
    if not names or not 1 < len(codes) <= MOST_SERIES:
        return {}
    if mapped.is_long(truth):
        told = _of_series(truth, guess, history, counted)
        known = {code: each for code, each in told.items() if not np.isnan(each[1][1])}
        many = {
            names[code]: {"samples": count, "rmse": rmse, "mae": mae} for code, (count, (rmse, mae), _) in known.items()
        }
        for code, (_, _, scale) in known.items():
            many[names[code]] |= {} if np.isnan(scale) else {"mase": scale}
        return {"by_series": many}
    truth, guess = truth.astype(np.float64), guess.astype(np.float64)
    error, scaled = truth - guess, _scale_errors(truth, guess, history, counted)
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
    codes = distinct(history.series)

    def count(flags_of: Callable[[slice], np.ndarray]) -> np.ndarray:
        total = np.zeros(len(codes))
        for part in mapped.stretches(len(truth), 8 * max(1, guess[:1].size)):
            flags = flags_of(part) if counted is None else flags_of(part) & counted[part]
            place = np.searchsorted(codes, history.series[part])
            total += np.bincount(place, flags.reshape(len(flags), -1).sum(axis=1), len(codes))
        return total

    def is_held(part: slice, low: int, high: int) -> np.ndarray:
        own, said = truth[part], guess[part]
        return np.asarray((own >= said[..., low]) & (own <= said[..., high]))

    number = count(lambda part: np.ones(truth[part].shape, bool))
    found: dict[str, float] = {}
    for low, high in pairs(levels) if len(codes) > 1 else ():
        hits = count(partial(is_held, low=low, high=high))
        missed = hits - number * hits.sum() / number.sum()
        error = np.sqrt(len(codes) / (len(codes) - 1) * np.sum(missed**2)) / number.sum()
        found[f"{share(levels, low, high):g}"] = float(error)
    return {"coverage_error": found} if found else {}


def _of_series(
    truth: np.ndarray, guess: np.ndarray, history: History, counted: Counted
) -> dict[int, tuple[int, tuple[float, float], float]]:
    """Of each series how many samples there are, RMSE and MAE, and the mean scaled error; in chunks."""
    codes = distinct(history.series)
    samples, sums, known = np.zeros(len(codes)), np.zeros((3, len(codes))), np.zeros((3, len(codes)))
    for part in mapped.stretches(len(truth), 6 * 8 * max(1, truth[:1].size)):
        place = np.searchsorted(codes, history.series[part])
        samples += np.bincount(place, minlength=len(codes))
        error = guess[part].astype(np.float64) - truth[part]
        error = error if counted is None else np.where(counted[part], error, np.nan)
        errors = (np.square(error), np.abs(error), np.abs(error) / history.scale[part])
        for row, values in enumerate(errors):
            flat = values.reshape(len(values), -1)
            sums[row] += np.bincount(place, np.nansum(flat, axis=1), len(codes))
            known[row] += np.bincount(place, (~np.isnan(flat)).sum(axis=1), len(codes))
        mapped.trim(6 * error.nbytes)
    mean = np.divide(sums, known, out=np.full(sums.shape, np.nan), where=known > 0)
    return {
        code: (int(samples[i]), (float(np.sqrt(mean[0, i])), float(mean[1, i])), float(mean[2, i]))
        for i, code in enumerate(codes.tolist())
    }


def _scale_errors(truth: np.ndarray, guess: np.ndarray, history: History, counted: Counted) -> np.ndarray:
    """Each target's absolute error over its scale; NaN where it does not count, or has none."""
    scaled = np.abs(truth.astype(np.float64) - guess) / history.scale
    return np.asarray(scaled if counted is None else np.where(counted, scaled, np.nan))


def _with_scale(scaled: np.ndarray, history: History) -> list[int]:
    known = ~np.isnan(scaled.reshape(len(scaled), -1)).all(axis=1)
    return [int(code) for code in np.unique(history.series[known])]


def _errors(truth: np.ndarray, guess: np.ndarray, levels: Sequence[float], counted: Counted) -> dict[str, float]:
    """Of one step: axes `sample column`, `guess` with levels behind where there are any."""
    if levels:
        said = guess.reshape(*truth.shape, len(levels))
        whole = metrics_of_levels(
            Outcome(task="quantiles", truth=truth, predicted=said, counted=counted, levels=tuple(levels))
        )
        found = {name: value for name, value in whole.items() if isinstance(value, float) and name != "r2"}
        shares = whole.get("coverage")
        if isinstance(shares, dict):
            found |= {f"coverage_{share}": value for share, value in shares.items()}
        return found
    if mapped.is_long(truth):
        numbers = numbers_in_chunks(
            Outcome(task="regression", truth=truth, predicted=guess.reshape(truth.shape), counted=counted)
        )
        return {"rmse": float(str(numbers["rmse"])), "mae": float(str(numbers["mae"]))}
    truth, guess = truth.astype(np.float64), guess.astype(np.float64)
    error = (truth - guess.reshape(truth.shape)) if counted is None else (truth - guess.reshape(truth.shape))[counted]
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}
