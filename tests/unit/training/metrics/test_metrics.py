"""Metrics of outcomes against scikit-learn, and what of them leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from nnspec.training.metrics.outcome import Outcome, Part
from nnspec.training.metrics.score import score_outcome

RNG = np.random.default_rng(11)
NAMES = ("ash", "birch", "cedar", "elm", "fir", "oak")


def of_classes(**changes: object) -> Outcome:
    scores = RNG.normal(size=(210, 6))
    shares = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    body = {"task": "classification", "truth": np.arange(210) % 6, "predicted": shares, "labels": NAMES}
    return Outcome(**{**body, **changes})  # type: ignore[arg-type]


def test_classes_are_scored_as_by_scikit_learn() -> None:
    outcome = of_classes()
    found, truth, shares = score_outcome(outcome), outcome.truth, outcome.predicted
    said = shares.argmax(axis=-1)
    each = metrics.precision_recall_fscore_support(truth, said)
    for i, name in enumerate(NAMES):
        got = found["by_class"][name]
        assert [got["precision"], got["recall"], got["f1"]] == pytest.approx([each[k][i] for k in range(3)])
        assert got["support"] == each[3][i] == 35
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert found["f1_weighted"] == pytest.approx(metrics.f1_score(truth, said, average="weighted"))
    assert found["precision_macro"] == pytest.approx(metrics.precision_score(truth, said, average="macro"))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(truth, shares))
    assert found["roc_auc_macro"] == pytest.approx(metrics.roc_auc_score(truth, shares, multi_class="ovr"))
    for k in (2, 3, 5):
        assert found[f"top_{k}_accuracy"] == pytest.approx(metrics.top_k_accuracy_score(truth, shares, k=k))
    np.testing.assert_array_equal(found["confusion"], metrics.confusion_matrix(truth, said))
    assert "mean_iou" not in found


def test_scores_give_the_metrics_of_their_probabilities() -> None:
    plain = of_classes()
    scores = of_classes(predicted=np.log(plain.predicted) + 3, gives_scores=True)
    assert score_outcome(scores)["log_loss"] == pytest.approx(score_outcome(plain)["log_loss"])


def test_what_does_not_count_changes_nothing() -> None:
    whole = of_classes()
    counted = RNG.random(210) < 0.7
    wrong = whole.truth.copy()
    wrong[~counted] = 5
    got = score_outcome(of_classes(truth=wrong, predicted=whole.predicted, counted=counted))
    assert got == score_outcome(whole.of(counted))
    assert got != score_outcome(of_classes(truth=wrong, predicted=whole.predicted))


def test_masks_have_the_intersection_over_union_of_each_class() -> None:
    truth, shares = RNG.integers(0, 3, (4, 5, 7)), RNG.random((4, 5, 7, 3))
    found = score_outcome(
        Outcome(task="classification", truth=truth, predicted=shares, labels=("sky", "road", "car"), is_map=True)
    )
    wanted = metrics.jaccard_score(truth.reshape(-1), shares.argmax(axis=-1).reshape(-1), average=None)
    assert [values["iou"] for values in found["by_class"].values()] == pytest.approx(wanted)
    assert found["mean_iou"] == pytest.approx(wanted.mean())


@pytest.mark.parametrize("gives_scores", [False, True])
def test_yes_or_no_is_scored_as_by_scikit_learn(gives_scores: bool) -> None:
    scores, truth = RNG.normal(size=(90, 1)), RNG.integers(0, 2, (90, 1))
    shares = 1 / (1 + np.exp(-scores))
    found = score_outcome(
        Outcome(
            task="binary",
            truth=truth,
            predicted=scores if gives_scores else shares,
            labels=("no", "yes"),
            threshold=0.0 if gives_scores else 0.5,
            gives_scores=gives_scores,
        )
    )
    codes, flat, said = truth[:, 0], shares[:, 0], shares[:, 0] > 0.5
    assert found["precision"] == pytest.approx(metrics.precision_score(codes, said))
    assert found["recall"] == pytest.approx(metrics.recall_score(codes, said))
    assert found["f1"] == pytest.approx(metrics.f1_score(codes, said))
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(codes, flat))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(codes, flat))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(codes, flat))
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(codes, flat))
    np.testing.assert_array_equal(found["confusion"], metrics.confusion_matrix(codes, said))
    assert found["by_class"]["no"]["recall"] == pytest.approx(metrics.recall_score(codes, said, pos_label=0))


def test_one_class_alone_has_no_area_and_margins_no_brier_score() -> None:
    truth, margins = np.zeros((9, 1), np.int64), RNG.normal(size=(9, 1))
    found = score_outcome(Outcome(task="binary", truth=truth, predicted=margins, threshold=0.0))
    assert not {"roc_auc", "average_precision", "brier", "log_loss"} & found.keys()
    assert found["by_class"]["1"]["support"] == 0


def test_labels_are_scored_one_by_one() -> None:
    truth, shares = RNG.integers(0, 2, (80, 3)).astype(np.float32), RNG.random((80, 3))
    found = score_outcome(Outcome(task="multilabel", truth=truth, predicted=shares, labels=("a", "b", "c")))
    areas = [metrics.roc_auc_score(truth[:, i], shares[:, i]) for i in range(3)]
    assert [values["roc_auc"] for values in found["by_class"].values()] == pytest.approx(areas)
    assert found["roc_auc_macro"] == pytest.approx(np.mean(areas))
    said = shares[:, 1] > 0.5
    assert found["by_class"]["b"]["precision"] == pytest.approx(metrics.precision_score(truth[:, 1], said))
    assert found["by_class"]["b"]["support"] == truth[:, 1].sum()


def test_numbers_have_metrics_of_each_step_and_column() -> None:
    truth, guess = RNG.normal(5, 1, (40, 3, 2)), RNG.normal(5, 1, (40, 3, 2))
    parts = (
        Part(axis=1, called="step", names=("1", "6", "24")),
        Part(axis=2, called="column", names=("temperature", "rain")),
    )
    found = score_outcome(Outcome(task="regression", truth=truth, predicted=guess, parts=parts))
    for i, step in enumerate(("1", "6", "24")):
        pair = truth[:, i], guess[:, i]
        assert found["by_step"][step]["rmse"] == pytest.approx(
            metrics.root_mean_squared_error(*(p.ravel() for p in pair))
        )
        assert found["by_step"][step]["r2"] == pytest.approx(metrics.r2_score(*pair))
    pair = truth[..., 1].ravel(), guess[..., 1].ravel()
    assert found["by_column"]["rain"]["mae"] == pytest.approx(metrics.mean_absolute_error(*pair))
    assert found["mape"] == pytest.approx(metrics.mean_absolute_percentage_error(truth.ravel(), guess.ravel()))
    assert found["median_absolute_error"] == pytest.approx(metrics.median_absolute_error(truth.ravel(), guess.ravel()))
    assert found["mean_error"] == pytest.approx((guess - truth).mean())


def test_a_target_of_zero_has_no_percentage() -> None:
    truth = np.array([[0.0], [2.0]])
    assert "mape" not in score_outcome(Outcome(task="regression", truth=truth, predicted=truth + 1))
