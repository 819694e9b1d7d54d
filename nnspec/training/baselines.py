"""Naive baselines: the score without a network, which a useful model must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.dataset import Dataset, Split
from nnspec.data.prepare.transforms import statistic_of
from nnspec.data.section.plan import Slot
from nnspec.training.intervals import residual_quantiles, score_levels
from nnspec.training.scores import as_rows


def baselines(dataset: Dataset, split: str, outputs: Mapping[str, Slot]) -> dict[str, dict[str, Any]]:
    """The baseline of each output, fitted on the training split and scored on `split`, over the targets that count.

    Classes: `majority`, the training rows' most frequent class of each output element, with its `accuracy`. Numbers:
    `persistence`, the last value of the same column, where a window holds it, else `mean`, the training rows' mean of
    each element; with `rmse` and `mae` in original units; of quantiles, those of what it missed in training are around
    it. Of outputs that are padded, each step is a row.
    """
    train, scored = dataset.splits["train"], dataset.splits[split]
    found = {}
    for name in outputs:
        transform = dataset.outputs[name]
        # A multilabel of an array has no class names, but its targets are its codes.
        is_class = transform.classes is not None or outputs[name].task in ("classification", "binary", "multilabel")
        levels = outputs[name].levels
        found[name] = _score(train, scored, name, dataset.steps.get(name, ()), is_class=is_class, levels=levels)
    return found


def _score(
    train: Split, scored: Split, name: str, steps: Sequence[int], *, is_class: bool, levels: Sequence[float] = ()
) -> dict[str, object]:
    known, counted = _counted(train, name, steps), _counted(scored, name, steps)
    if is_class:
        guess = _majority(as_rows(train.y[name], steps), known)
        hits = as_rows(scored.y[name], steps) == guess
        return {"name": "majority", "accuracy": float(np.mean(hits if counted is None else hits[counted]))}
    last = scored.last[name]
    if last is not None:
        forecast = as_rows(last, steps)
    elif known is None:
        forecast = as_rows(train.target[name]).mean(axis=0, dtype=np.float64)
    else:
        values = np.where(known, as_rows(train.target[name], steps).astype(np.float64), np.nan)
        forecast = statistic_of(np.nanmean, values, (0,))
    called = "mean" if last is None else "persistence"
    truth = as_rows(scored.target[name], steps).astype(np.float64)
    if levels:
        before = train.last[name]
        fitted = forecast if before is None else as_rows(before, steps)
        missed = as_rows(train.target[name], steps).astype(np.float64) - fitted
        around = np.asarray(forecast)[..., None] + residual_quantiles(missed, levels, known)
        guess = np.broadcast_to(around, (*truth.shape, len(levels)))
        return {"name": called, **score_levels(truth, guess, levels, counted)}
    error = truth - forecast
    error = error if counted is None else error[counted]
    metrics = {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}
    return {"name": called, **metrics}


def _counted(split: Split, name: str, steps: Sequence[int]) -> NDArray[np.bool_] | None:
    counted = split.counts(name)
    return None if counted is None else as_rows(counted, steps)


def _majority(codes: NDArray[Any], counted: NDArray[np.bool_] | None) -> NDArray[Any]:
    """The most frequent value of each column, the smallest where several are: axes `row column` to `column`.

    A column of which none counts has the most frequent value of all.
    """
    found = np.empty(codes.shape[1], dtype=codes.dtype)
    for i in range(codes.shape[1]):
        column = codes[:, i] if counted is None else codes[counted[:, i], i]
        values, counts = np.unique(column if len(column) else codes[counted], return_counts=True)
        found[i] = values[np.argmax(counts)]
    return found
