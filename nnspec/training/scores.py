"""The metrics of an evaluation, in NumPy: what scikit-learn calls by these names, by its definitions."""

from __future__ import annotations

import numpy as np


def rmse(truth: np.ndarray, guess: np.ndarray) -> float:
    """The root of the mean squared error over all rows and columns: axes `sample column`."""
    return float(np.sqrt(np.mean((truth - guess) ** 2, axis=0).mean()))


def mae(truth: np.ndarray, guess: np.ndarray) -> float:
    """The mean absolute error over all rows and columns: axes `sample column`."""
    return float(np.mean(np.abs(truth - guess), axis=0).mean())


def r2(truth: np.ndarray, guess: np.ndarray) -> float:
    """R² = 1 - SSE/SST, the mean over columns: axes `sample column`.

    Of a column that does not vary it is 1 where it is guessed without an error, else 0. Not a number for one sample.
    """
    if len(truth) < 2:
        return float("nan")
    error = ((truth - guess) ** 2).sum(axis=0)
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    varies = total != 0
    ratio = np.divide(error, total, out=np.zeros_like(error), where=varies)
    return float(np.mean(np.where(varies, 1 - ratio, np.where(error == 0, 1.0, 0.0))))


def f1_macro(truth: np.ndarray, guess: np.ndarray) -> float:
    """The mean over classes of F1 = 2·TP / (2·TP + FP + FN): axes `sample`, class numbers, of all that occur in either.

    With a second axis `label` of zeros and ones, the mean over labels. A class without any positive counts as 0.
    """
    if truth.ndim == 1:
        classes = np.union1d(truth, guess)
        truth, guess = truth[:, None] == classes, guess[:, None] == classes
    hits = np.sum((truth == 1) & (guess == 1), axis=0)
    positives = np.sum(truth == 1, axis=0) + np.sum(guess == 1, axis=0)
    return float(np.mean(np.divide(2.0 * hits, positives, out=np.zeros(len(hits)), where=positives > 0)))
