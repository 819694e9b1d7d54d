"""The metrics of an evaluation are scikit-learn's, to the last digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from nnspec.training import scores

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(23, 3)) * [1, 10, 100]
GUESS = TRUTH + RNG.normal(size=(23, 3))
FLAT = np.column_stack([TRUTH[:, 0], np.full(23, 2.0), np.full(23, 3.0)])
FLAT_GUESS = np.column_stack([GUESS[:, 0], np.full(23, 2.0), GUESS[:, 2]])


@pytest.mark.parametrize(("truth", "guess"), [(TRUTH, GUESS), (FLAT, FLAT_GUESS), (TRUTH[:, :1], GUESS[:, :1])])
def test_numbers(truth: np.ndarray, guess: np.ndarray) -> None:
    assert scores.rmse(truth, guess) == pytest.approx(math.sqrt(metrics.mean_squared_error(truth, guess)), rel=1e-14)
    assert scores.mae(truth, guess) == pytest.approx(metrics.mean_absolute_error(truth, guess), rel=1e-14)
    assert scores.r2(truth, guess) == pytest.approx(metrics.r2_score(truth, guess), rel=1e-13)


def test_one_sample_has_no_r2() -> None:
    assert math.isnan(scores.r2(TRUTH[:1], GUESS[:1]))


def test_classes() -> None:
    truth, guess = RNG.integers(0, 5, 40), RNG.integers(2, 7, 40)  # some only in one of them
    wanted = metrics.f1_score(truth, guess, average="macro", zero_division=0)
    assert scores.f1_macro(truth, guess) == pytest.approx(wanted, rel=1e-14)
    assert scores.f1_macro(truth, truth) == 1


def test_labels() -> None:
    truth, guess = (RNG.integers(0, 2, (30, 4)).astype(np.float32) for _ in range(2))
    truth[:, 2] = guess[:, 2] = 0  # never there, never guessed
    wanted = metrics.f1_score(truth, guess, average="macro", zero_division=0)
    assert scores.f1_macro(truth, guess) == pytest.approx(wanted, rel=1e-14)
