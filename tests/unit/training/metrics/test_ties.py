"""Scores that rounding alone tells apart have one rank; all others keep theirs."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from nnspec.training.metrics.classes import score_yes_or_no
from nnspec.training.metrics.outcome import Outcome
from nnspec.training.metrics.ties import as_tied


def rounded(rng: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    """The scores as another runtime gives them: some units in the last place away."""
    found = scores.astype(np.float32)
    return np.asarray(found * (1 + rng.integers(-3, 4, size=found.shape) * np.float32(2**-24)), np.float32)


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
