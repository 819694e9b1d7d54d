"""The metrics of an evaluation in NumPy, with scikit-learn's names and definitions.

Where some targets do not count, the functions take `counted` with the axes of the targets, and leave the others out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Counted = np.ndarray | None


def as_rows(values: np.ndarray, steps: Sequence[int] = ()) -> np.ndarray:
    """Axes `sample *output` to `row column`: a row a sample, or, along the axes `steps`, one for each step of it."""
    moved = np.moveaxis(values, (0, *steps), range(1 + len(steps)))
    rows = int(np.prod(moved.shape[: 1 + len(steps)]))
    return moved.reshape(rows, -1)


def rmse(truth: np.ndarray, guess: np.ndarray, counted: Counted = None) -> float:
    """The root of the mean squared error over all rows and columns: axes `row column`."""
    return float(np.sqrt(_mean((truth - guess) ** 2, counted)))


def mae(truth: np.ndarray, guess: np.ndarray, counted: Counted = None) -> float:
    """The mean absolute error over all rows and columns: axes `row column`."""
    return _mean(np.abs(truth - guess), counted)


def r2(truth: np.ndarray, guess: np.ndarray, counted: Counted = None) -> float:
    """R² = 1 - SSE/SST, the mean over columns: axes `row column`.

    Of a column that does not vary it is 1 where it is guessed without an error, else 0. Not a number for one row; a
    column of which fewer than two count is left out.
    """
    if counted is None:
        counted = np.ones(truth.shape, dtype=bool)
    count = counted.sum(axis=0)
    kept = count > 1
    if not kept.any():
        return float("nan")
    truth, guess, counted, count = truth[:, kept], guess[:, kept], counted[:, kept], count[kept]
    error = (((truth - guess) ** 2) * counted).sum(axis=0)
    mean = (truth * counted).sum(axis=0) / count
    total = (((truth - mean) ** 2) * counted).sum(axis=0)
    varies = total != 0
    ratio = np.divide(error, total, out=np.zeros_like(error), where=varies)
    return float(np.mean(np.where(varies, 1 - ratio, np.where(error == 0, 1.0, 0.0))))


def accuracy(truth: np.ndarray, guess: np.ndarray, counted: Counted = None) -> float:
    """The share of values that are guessed: any axes, the same for both."""
    return _mean(truth == guess, counted)


def f1_macro(truth: np.ndarray, guess: np.ndarray, counted: Counted = None) -> float:
    """The mean over classes of F1 = 2·TP / (2·TP + FP + FN): axes `row`, class numbers, of all that occur in either.

    With a second axis `label` of zeros and ones, the mean over labels. A class without any positive counts as 0.
    """
    if truth.ndim == 1:
        if counted is not None:
            truth, guess, counted = truth[counted], guess[counted], None
        classes = np.union1d(truth, guess)
        truth, guess = truth[:, None] == classes, guess[:, None] == classes
    is_true, is_guessed = truth == 1, guess == 1
    if counted is not None:
        is_true, is_guessed = is_true & counted, is_guessed & counted
    hits = np.sum(is_true & is_guessed, axis=0)
    positives = np.sum(is_true, axis=0) + np.sum(is_guessed, axis=0)
    return float(np.mean(np.divide(2.0 * hits, positives, out=np.zeros(len(hits)), where=positives > 0)))


def _mean(values: np.ndarray, counted: Counted) -> float:
    """The mean of all columns' means, or of the values that count."""
    if counted is not None:
        return float(np.mean(values[counted]))
    return float(np.mean(values, axis=0).mean())
