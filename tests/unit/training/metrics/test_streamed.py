"""Metrics in chunks are those of all targets at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from nnspec.data.arrays import mapped
from nnspec.data.prepare.history import History
from nnspec.training import forecasts
from nnspec.training.baselines import most_frequent
from nnspec.training.metrics import streamed
from nnspec.training.metrics.outcome import Outcome
from nnspec.training.metrics.score import score_outcome
from nnspec.training.metrics.streamed import ranked_areas


def outcomes() -> dict[str, Outcome]:
    rng = np.random.default_rng(5)
    numbers = rng.normal(3, 2, (701, 3)).astype(np.float32)
    guess = numbers + rng.normal(0, 0.5, numbers.shape).astype(np.float32)
    shares = rng.dirichlet(np.ones(4), 701).astype(np.float32).round(2)
    codes, yes = rng.integers(0, 4, 701), rng.integers(0, 2, (701, 1)).astype(np.float32)
    chance = (0.6 * yes + 0.4 * rng.random(yes.shape)).round(2).astype(np.float32)
    some = rng.random(numbers.shape) < 0.7
    levels = np.sort(guess[..., None] + rng.normal(0, 1, (*guess.shape, 3)), axis=-1).astype(np.float32)
    labels, said = (numbers > 3).astype(np.float32), 1 / (1 + np.exp(-guess + 3)).round(2)
    return {
        "quantiles": Outcome(task="quantiles", truth=numbers, predicted=levels, levels=(0.1, 0.5, 0.9)),
        "some quantiles": Outcome(
            task="quantiles", truth=numbers, predicted=levels, levels=(0.1, 0.5, 0.9), counted=some
        ),
        "labels": Outcome(task="multilabel", truth=labels, predicted=said, labels=("a", "b", "c")),
        "some labels": Outcome(task="multilabel", truth=labels, predicted=said, counted=some),
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
def test_metrics_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = outcomes()[name]
    wanted = score_outcome(outcome)
    monkeypatch.setattr(mapped, "LARGE", 8)
    monkeypatch.setattr(mapped, "STRETCH", 50)
    monkeypatch.setattr(streamed, "CHUNK", 4000)
    found = score_outcome(outcome)
    assert found.keys() == wanted.keys()
    check_alike(found, wanted)


def check_alike(found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    for key, value in wanted.items():
        own = found[key]
        if isinstance(value, dict):
            assert isinstance(own, dict)
            assert own.keys() == value.keys()
            check_alike(own, value)
            continue
        near = 1e-3 if key.startswith("roc_auc") else 1e-6  # scores are packed as float32
        assert own == (pytest.approx(value, rel=near) if isinstance(value, float) else value), key


def test_metrics_of_series_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In chunks they are those that NumPy gives of each series alone."""
    rng = np.random.default_rng(8)
    truth, series = rng.normal(size=(300, 2, 1)), np.sort(rng.integers(0, 5, 300))
    guess, scale = truth + rng.normal(size=truth.shape), rng.uniform(1, 2, truth.shape)
    scale[series == 3] = np.nan
    history = History(naive=None, last=None, scale=scale, series=series, horizon=(1, 2), step=1)
    monkeypatch.setattr(mapped, "LARGE", 8)
    monkeypatch.setattr(mapped, "STRETCH", 17)
    own = {code: np.abs(truth - guess)[series == code] for code in range(5)}
    scaled = [float((own[code] / scale[series == code]).mean()) for code in (0, 1, 2, 4)]
    assert forecasts.mase(truth, guess, history) == pytest.approx(np.mean(scaled))
    told = forecasts.by_series(truth, guess, history, {code: f"s{code}" for code in range(5)})["by_series"]
    assert {name: metrics["mae"] for name, metrics in told.items()} == {
        f"s{code}": pytest.approx(float(errors.mean())) for code, errors in own.items()
    }
    assert "mase" not in told["s3"]
    assert told["s4"]["mase"] == pytest.approx(scaled[3])
    steps = forecasts.by_step(truth, guess, history)["by_step"]
    assert steps["2"]["rmse"] == pytest.approx(float(np.sqrt(np.square(truth - guess)[:, 1].mean())))


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
    assert most_frequent(codes, None).tolist() == [2, 0]
