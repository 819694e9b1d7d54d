"""What a forecast without a network scores: a model must beat it to be worth anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.dataset import Dataset, Split
from nnspec.data.section.plan import Slot


def baselines(dataset: Dataset, split: str, outputs: Mapping[str, Slot]) -> dict[str, dict[str, Any]]:
    """The baseline of each output, fitted on the training split and scored on `split`.

    Classes: `majority`, the training rows' most frequent class of each output element, with its `accuracy`. Numbers:
    `persistence`, the last value of the same column, where a window holds it, else `mean`, the training rows' mean of
    each element; with `rmse` and `mae` in original units.
    """
    train, scored = dataset.splits["train"], dataset.splits[split]
    found = {}
    for name in outputs:
        transform = dataset.outputs[name]
        # A multilabel of an array has no class names, but its targets are its codes.
        is_class = transform.classes is not None or outputs[name].task in ("classification", "binary", "multilabel")
        found[name] = _score(train, scored, name, is_class=is_class)
    return found


def _score(train: Split, scored: Split, name: str, *, is_class: bool) -> dict[str, Any]:
    if is_class:
        guess = _majority(train.y[name])
        return {"name": "majority", "accuracy": float(np.mean(scored.y[name] == guess))}
    last = scored.last[name]
    forecast = np.asarray(np.mean(train.target[name], axis=0, dtype=np.float64)) if last is None else last
    error = scored.target[name].astype(np.float64) - forecast
    metrics = {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}
    return {"name": "mean" if last is None else "persistence", **metrics}


def _majority(codes: NDArray[Any]) -> NDArray[Any]:
    """The most frequent value of each element, the smallest where several are: axes `sample *output` to `*output`."""
    flat = codes.reshape(len(codes), -1)
    found = np.empty(flat.shape[1], dtype=codes.dtype)
    for i in range(flat.shape[1]):
        values, counts = np.unique(flat[:, i], return_counts=True)
        found[i] = values[np.argmax(counts)]
    return found.reshape(codes.shape[1:])
