"""Naive baselines: the score without a network, which a useful model must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks, each_chunk
from nnspec.data.dataset import Dataset, Split
from nnspec.data.prepare.transforms import statistic_of
from nnspec.data.section.plan import Slot
from nnspec.training.forecasts import mase
from nnspec.training.intervals import residual_quantiles, score_levels
from nnspec.training.metrics.outcome import MetricValues, Outcome
from nnspec.training.metrics.score import WEIGHTED
from nnspec.training.metrics.streamed import numbers_in_chunks, streamed_mean
from nnspec.training.metrics.streamed_levels import missed_quantiles, quantiles_in_chunks
from nnspec.training.scores import as_rows

Array = np.ndarray


def score_baselines(dataset: Dataset, split: str, outputs: Mapping[str, Slot]) -> dict[str, MetricValues]:
    """The baseline of each output, fitted on the training split and scored on `split`, over the targets that count.

    Classes: `majority`, the training rows' most frequent class of each output element, with its `accuracy`. Numbers:
    `persistence`, the last value of the same column, where a window holds it, or `seasonal_naive`, that of a season
    before, the better of both; else `mean`, the training rows' mean of each element; with `rmse` and `mae` in original
    units, and `mase`; of quantiles, those of what it missed in training are around it. Where there are two, `others`
    has the other one. Of outputs that are padded, each step is a row.
    """
    train, scored = dataset.splits["train"], dataset.splits[split]
    found = {}
    for name, slot in outputs.items():
        if name not in train.y or not slot.has_target:
            continue
        transform, steps = dataset.outputs[name], dataset.steps.get(name, ())
        # A multilabel of an array has no class names, but its targets are its codes.
        if transform.classes is not None or slot.task in ("classification", "binary", "multilabel"):
            found[name] = _score_majority(train, scored, name, steps)
            continue
        given = {
            called: _score_naive(dataset, split, slot, *forecast)
            for called, forecast in naive_forecasts(dataset, split, name).items()
        }
        headline = "pinball" if slot.levels else "rmse"
        order = [called for _, called in sorted((metrics[headline], called) for called, metrics in given.items())]
        others = {called: given[called] for called in order[1:]}
        found[name] = {"name": order[0], **given[order[0]], **({"others": others} if others else {})}
    return found


def _score_majority(train: Split, scored: Split, name: str, steps: Sequence[int]) -> MetricValues:
    known, counted = _mask_of_counted(train, name, steps), _mask_of_counted(scored, name, steps)
    guess = most_frequent(as_rows(train.y[name], steps), known)
    truth = as_rows(scored.y[name], steps)
    hits = mapped.map_rows(lambda codes: codes == guess, truth)
    found = {"name": "majority", "accuracy": float(np.mean(hits if counted is None else hits[counted]))}
    if scored.weights is None or mapped.is_long(truth):
        return found
    return {**found, WEIGHTED: {"accuracy": weighted_mean(hits, scored.weights, counted)}}


def naive_forecasts(dataset: Dataset, split: str, name: str) -> dict[str, tuple[Array, Array]]:
    """By what they are called, forecasts of the training split and of `split`, in the shape of their targets."""
    train, scored = dataset.splits["train"], dataset.splits[split]
    found: dict[str, tuple[Array, Array]] = {}
    histories = [dataset.past.histories.get((which, name)) for which in ("train", split)]
    before, last = train.last[name], scored.last[name]
    if before is None or last is None:
        before, last = (None if each is None else each.last for each in histories)
    if before is not None and last is not None:
        found["persistence"] = before[: train.size], last[: scored.size]
    naive = [None if each is None else each.naive for each in histories]
    if naive[0] is not None and naive[1] is not None:
        found["seasonal_naive"] = naive[0][: train.size], naive[1][: scored.size]
    if not found:
        counted, values = train.counts(name), train.target[name]
        mean = mean_of(values, counted, dataset.steps.get(name, ()))
        found["mean"] = np.broadcast_to(mean, values.shape), np.broadcast_to(mean, scored.target[name].shape)
    return found


def mean_of(values: Array, counted: NDArray[np.bool_] | None, steps: Sequence[int]) -> Array:
    """The mean of each element over samples, and over the axes `steps`: axes as `values`, 1 along those."""
    pooled = (0, *steps)
    if mapped.is_long(values):
        return streamed_mean(values, counted, pooled)
    values = values.astype(np.float64)
    if counted is None:
        return np.asarray(values.mean(axis=pooled, keepdims=True))
    return statistic_of(np.nanmean, np.where(counted, values, np.nan), pooled)


def _score_naive(dataset: Dataset, split: str, slot: Slot, fitted: Array, forecast: Array) -> MetricValues:
    train, scored, name = dataset.splits["train"], dataset.splits[split], slot.name
    steps, history = dataset.steps.get(name, ()), dataset.past.histories.get((split, name))
    if mapped.is_long(scored.target[name]):
        return _score_in_chunks(dataset, split, slot, fitted, forecast)
    counted, target = _mask_of_counted(scored, name, steps), scored.target[name].astype(np.float64)
    truth, guess = as_rows(target, steps), as_rows(forecast, steps).astype(np.float64)
    scaled = {}
    if history is not None:
        scaled["mase"] = mase(target, forecast.astype(np.float64), history.first(scored.size), scored.counts(name))
    if slot.levels:
        missed = as_rows(train.target[name], steps).astype(np.float64) - as_rows(fitted, steps)
        around = guess[..., None] + residual_quantiles(missed, slot.levels, _mask_of_counted(train, name, steps))
        return {**score_levels(truth, around, slot.levels, counted), **scaled}
    error = truth - guess if counted is None else (truth - guess)[counted]
    found: MetricValues = {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error))), **scaled}
    if scored.weights is not None and history is None:
        found[WEIGHTED] = weighted_errors(truth, guess, scored.weights, counted)
    return found


def weighted_errors(truth: Array, guess: Array, weights: Array, counted: NDArray[np.bool_] | None) -> MetricValues:
    """`rmse` and `mae` of rows whose samples count by their weights, over the targets that count."""
    error = (truth - guess).astype(np.float64)
    return {
        "rmse": float(np.sqrt(weighted_mean(error**2, weights, counted))),
        "mae": weighted_mean(np.abs(error), weights, counted),
    }


def weighted_mean(values: Array, weights: Array, counted: NDArray[np.bool_] | None) -> float:
    """The mean over rows, of which each has the weight of its sample: axes `row column` and `sample`.

    The weight of a sample goes for all its rows; NaN where all that count are 0.
    """
    own = np.repeat(weights.reshape(-1).astype(np.float64), len(values) // len(weights))[:, None]
    share = np.broadcast_to(own, values.shape) if counted is None else own * counted
    total = float(share.sum())
    return float((share * np.where(share > 0, values, 0.0)).sum() / total) if total else float("nan")


def _score_in_chunks(dataset: Dataset, split: str, slot: Slot, fitted: Array, forecast: Array) -> MetricValues:
    train, scored, name = dataset.splits["train"], dataset.splits[split], slot.name
    steps, history = tuple(dataset.steps.get(name, ())), dataset.past.histories.get((split, name))
    given, which = scored.target[name], scored.counts(name)
    scaled = {} if history is None else {"mase": mase(given, forecast, history.first(scored.size), which)}
    outcome = Outcome(task="regression", truth=given, predicted=forecast, counted=which, steps=steps)
    if not slot.levels:
        metrics = numbers_in_chunks(outcome)
        return {"rmse": metrics["rmse"], "mae": metrics["mae"], **scaled}
    known = _mask_of_counted(train, name, steps)
    missed = missed_quantiles(as_rows(train.target[name], steps), as_rows(fitted, steps), slot.levels, known)
    truth, guess = as_rows(given, steps), as_rows(forecast, steps)
    around = each_chunk(lambda part: part.astype(np.float64)[..., None] + missed, guess)
    outcome = replace(
        outcome,
        task="quantiles",
        truth=truth,
        predicted=around,
        counted=_mask_of_counted(scored, name, steps),
        steps=(),
    )
    return {**quantiles_in_chunks(replace(outcome, levels=tuple(slot.levels))), **scaled}


def _mask_of_counted(split: Split, name: str, steps: Sequence[int]) -> NDArray[np.bool_] | None:
    counted = split.counts(name)
    return None if counted is None else as_rows(counted, steps)


def most_frequent(codes: Array, counted: NDArray[np.bool_] | None) -> Array:
    """The most frequent value of each column, the smallest where several are: axes `row column` to `column`.

    A column of which none counts has the most frequent value of all.
    """
    found = np.empty(codes.shape[1], dtype=codes.dtype)
    for i in range(codes.shape[1]):
        column = codes[:, i] if counted is None else codes[counted[:, i], i]
        often: Counter[Any] = Counter()
        for part in chunks(column if len(column) else codes[counted]):
            values, counts = np.unique(part, return_counts=True)
            often.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        found[i] = min(often, key=lambda value: (-often[value], value))
    return found
