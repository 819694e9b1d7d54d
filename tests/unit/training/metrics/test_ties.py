"""Scores that rounding alone tells apart have one rank; all others keep theirs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from nnspec.training.metrics.classes import score_classes, score_yes_or_no
from nnspec.training.metrics.outcome import Outcome
from nnspec.training.metrics.ties import as_tied


def rounded(rng: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    """The scores as a sigmoid gives them of logits that are some units in the last place away."""
    logits = np.log(scores / (1 - scores))
    moved = logits * (1 + rng.integers(-3, 4, size=logits.shape) * 2.0**-24)
    return np.asarray(1 / (1 + np.exp(-moved)), np.float32)


def test_alike_rows_have_one_area_whatever_rounds_them() -> None:
    rng = np.random.default_rng(0)
    exact = rng.uniform(0.01, 0.99, size=60)[rng.integers(0, 60, size=200)]
    truth = (rng.random(200) < exact).astype(np.int64)
    wanted = roc_auc_score(truth, exact)
    found = []
    for _ in range(20):
        given = rounded(rng, exact)[:, None]
        outcome = Outcome(task="binary", truth=truth[:, None], predicted=given, labels=("no", "yes"))
        found.append(score_yes_or_no(outcome)["roc_auc"])
    assert found == [wanted] * 20
    assert len({roc_auc_score(truth, rounded(rng, exact)) for _ in range(20)}) > 1, "what rounding decides otherwise"


@pytest.mark.parametrize("spread", [1, 8, 12])
def test_the_area_of_a_saturated_sigmoid_is_scikit_learns(spread: float) -> None:
    """Of the same scores; a quarter of them may be within 1e-5 of 1, and yet differ in what they are made of."""
    rng = np.random.default_rng(0)
    truth = (rng.random(3000) < 0.3).astype(np.int64)
    logits = (rng.normal(size=3000) + 0.8 * truth) * spread
    shares = (1 / (1 + np.exp(-logits))).astype(np.float32)
    outcome = Outcome(task="binary", truth=truth[:, None], predicted=shares[:, None], labels=("no", "yes"))
    found = score_yes_or_no(outcome)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(truth, shares), abs=1e-5)
    assert found["average_precision"] == pytest.approx(average_precision_score(truth, shares), abs=1e-5)
    each = np.stack([1 - shares, shares], axis=-1)
    both = Outcome(task="classification", truth=truth, predicted=each, labels=("no", "yes"))
    areas = [roc_auc_score(truth == k, each[:, k]) for k in range(2)]
    assert score_classes(both)["roc_auc_macro"] == pytest.approx(np.mean(areas), abs=1e-5)
    equal = np.repeat([0.2, 0.5, 0.9], 1000).astype(np.float32)
    outcome = Outcome(task="binary", truth=truth[:, None], predicted=equal[:, None], labels=("no", "yes"))
    assert score_yes_or_no(outcome)["roc_auc"] == pytest.approx(roc_auc_score(truth, equal), abs=1e-12)


def test_other_scores_keep_their_order() -> None:
    rng = np.random.default_rng(1)
    for scores in (rng.normal(size=500), rng.uniform(size=500) * 1e-9, np.zeros(3), np.zeros(0), np.array([-1.0, 1.0])):
        tied = as_tied(scores)
        assert np.array_equal(np.argsort(tied, kind="stable"), np.argsort(scores, kind="stable"))
        assert len(np.unique(tied)) == len(np.unique(scores))


def test_many_close_scores_are_not_one() -> None:
    """Each is within rounding of the next, and yet the last is no equal of the first."""
    scores = np.linspace(0.5, 0.6, 400_001)
    tied = as_tied(scores)
    assert np.abs(tied - scores).max() < 2e-6
    assert len(np.unique(tied)) > 50_000
    assert np.isnan(as_tied(np.array([0.1, np.nan]))).tolist() == [False, True]
