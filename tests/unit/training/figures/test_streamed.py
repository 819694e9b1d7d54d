"""Figures in chunks are those of all targets at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from nnspec.data.arrays import mapped
from nnspec.training.baselines import majority
from nnspec.training.figures import streamed
from nnspec.training.figures.outcome import Outcome
from nnspec.training.figures.score import score_outcome
from nnspec.training.figures.streamed import ranked_areas


def outcomes() -> dict[str, Outcome]:
    rng = np.random.default_rng(5)
    numbers = rng.normal(3, 2, (701, 3)).astype(np.float32)
    guess = numbers + rng.normal(0, 0.5, numbers.shape).astype(np.float32)
    shares = rng.dirichlet(np.ones(4), 701).astype(np.float32).round(2)
    codes, yes = rng.integers(0, 4, 701), rng.integers(0, 2, (701, 1)).astype(np.float32)
    chance = (0.6 * yes + 0.4 * rng.random(yes.shape)).round(2).astype(np.float32)
    some = rng.random(numbers.shape) < 0.7
    return {
        "numbers": Outcome(task="regression", truth=numbers, predicted=guess),
        "counted": Outcome(task="regression", truth=numbers, predicted=guess, counted=some),
        "zeros": Outcome(task="regression", truth=np.round(numbers), predicted=guess),
        "classes": Outcome(task="classification", truth=codes, predicted=shares, labels=tuple("abcd")),
        "scores": Outcome(task="classification", truth=codes, predicted=np.log(shares + 0.1), gives_scores=True),
        "some classes": Outcome(task="classification", truth=codes, predicted=shares, counted=some[:, 0]),
        "yes or no": Outcome(task="binary", truth=yes, predicted=chance, threshold=0.4),
        "yes or no, some": Outcome(task="binary", truth=yes, predicted=chance, counted=some[:, :1]),
    }


@pytest.mark.parametrize("name", outcomes())
def test_figures_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = outcomes()[name]
    wanted = score_outcome(outcome)
    monkeypatch.setattr(mapped, "LARGE", 8)
    monkeypatch.setattr(mapped, "STRETCH", 50)
    monkeypatch.setattr(streamed, "CHUNK", 4000)
    found = score_outcome(outcome)
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        near = 1e-3 if key == "roc_auc_macro" else 1e-6  # scores are packed as float32
        assert found[key] == (pytest.approx(value, rel=near) if isinstance(value, float) else value)


def test_areas_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "STRETCH", 37)
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 1000)
    scores = (truth + rng.normal(0, 1.5, 1000)).round(1).astype(np.float32)  # many are equal, some negative
    wanted = roc_auc_score(truth, scores), average_precision_score(truth, scores)
    assert ranked_areas(truth, scores) == pytest.approx(wanted)
    assert ranked_areas(truth * 0, scores) is None


def test_the_majority_of_equal_counts_is_the_smallest() -> None:
    codes = np.array([[3, 1], [2, 1], [3, 0], [2, 0]])
    assert majority(codes, None).tolist() == [2, 0]
