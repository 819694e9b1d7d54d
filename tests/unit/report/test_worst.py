"""Which samples a report shows as the worst, and what it says of them."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.report.glimpses import Glimpses
from nnspec.report.outcome import Given, Outcome
from nnspec.report.plots import plots_of
from nnspec.report.tables import confusion
from nnspec.report.worst import worst_samples

pytestmark = pytest.mark.plots


def outcome(**known: object) -> Outcome:
    count = len(known["truth"])  # type: ignore[arg-type]
    usual = {"name": "y", "split": "test", "rows": np.arange(count) + 11, "given": {}}
    return Outcome(**{**usual, **known})  # type: ignore[arg-type]


def test_padded_targets_do_not_count() -> None:
    """By hand: of each sample the mean over the targets that are not NaN."""
    truth = np.array([[1.0, 2.0, np.nan], [5.0, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    guess = np.array([[1.5, 2.0, 900.0], [2.0, 900.0, 900.0], [9.0, 9.0, 9.0]])
    found = outcome(task="regression", truth=truth, guess=guess)
    np.testing.assert_allclose(found.errors, [0.25, 3.0, np.nan])
    table = worst_samples(found, Glimpses())
    assert [row[:4] for row in table.rows] == [("row 12", "5", "2", "3"), ("row 11", "1, 2", "1.5, 2", "0.25")]


def test_padded_steps_are_in_no_confusion_matrix() -> None:
    truth = np.array([[0, 1, -1], [1, -1, -1]])
    guess = np.array([[0, 0, 1], [1, 0, 0]])
    scores = np.stack([1.0 - guess * 0.8 - 0.1, guess * 0.8 + 0.1], axis=-1)
    found = outcome(task="classification", truth=truth, guess=guess, scores=scores, classes=("no", "yes"))
    assert confusion(found).rows == (("no", "1", "0"), ("yes", "1", "1"))
    np.testing.assert_allclose(found.errors, [0.5, 0.1])


def test_several_labels_are_named() -> None:
    scores = np.array([[0.9, 0.2, 0.6], [0.1, 0.1, 0.1]])
    truth = np.array([[0, 0, 1], [0, 0, 0]])
    labels = {"scores": scores, "classes": ("a", "b", "c")}
    table = worst_samples(outcome(task="multilabel", truth=truth, guess=(scores > 0.5) * 1, **labels), Glimpses())
    assert table.rows[0][:3] == ("row 11", "c", "a, c")
    assert float(table.rows[0][3]) == pytest.approx((0.9 + 0.2 + 0.4) / 3, rel=1e-3)
    assert table.rows[1][1:3] == ("none", "none")


@pytest.mark.parametrize("has_truth", [True, False])
def test_the_highest_scores_are_the_least_like_training_rows(has_truth: bool) -> None:
    scores = np.array([[0.1], [7.0], [0.4], [2.0]])
    truth = np.array([[0], [1], [0], [0]])
    given = {"size": Given(np.array([1.0, 2.0, 3.0, 4.0]), ())}
    found = outcome(task="anomaly", truth=truth, guess=scores, threshold=1.5, has_truth=has_truth, given=given)
    table = worst_samples(found, Glimpses())
    assert [row[0] for row in table.rows] == ["row 12", "row 14", "row 13", "row 11"]
    assert table.head == ("sample", *(("true y",) if has_truth else ()), "score", "size")
    assert table.rows[0][-2:] == ("7", "2")
    histogram, in_time = plots_of(found, is_in_order=True)
    said = "1 of 3 normal and 1 of 1 anomalies" if has_truth else "2 of 4 samples"
    assert said in histogram.text
    assert "threshold (1.5)" in histogram.svg
    assert "threshold (1.5)" in in_time.svg
