"""Which samples a report shows as the worst, and what it says of them."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from nnspec.ir import axes as ax
from nnspec.report.glimpses import Glimpses
from nnspec.report.outcome import Given, Outcome
from nnspec.report.plots import curves, plots_of
from nnspec.report.plotting import BLUE, ORANGE
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


def test_of_classes_that_are_all_right_the_least_sure_are_shown() -> None:
    scores = np.array([[[0.6, 0.4]], [[0.1, 0.9]]])
    right = {"scores": scores, "classes": ("no", "yes"), "task": "classification", "truth": np.array([[0], [1]])}
    assert "is least sure of" in worst_samples(outcome(guess=np.array([[0], [1]]), **right), Glimpses()).caption
    assert "is most wrong about" in worst_samples(outcome(guess=np.array([[0], [0]]), **right), Glimpses()).caption


def test_a_mask_is_shown_as_a_picture_of_its_classes() -> None:
    truth = np.array([[0, 1, 2, 2, 1, 0]])
    scores = np.eye(3)[truth]
    axes = (ax.fresh("height", 2, "y"), ax.fresh("width", 3, "y"))
    found = outcome(task="classification", truth=truth, guess=truth, scores=scores, classes=("a", "b", "c"), axes=axes)
    cell = worst_samples(found, Glimpses()).rows[0][1]
    data = base64.b64decode(re.findall(r"base64,([^\"]+)", cell)[0])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), [[0, 128, 255], [255, 128, 0]])


@pytest.mark.parametrize("names", [[7, 3], ["JFK", "EWR"]])
def test_a_line_over_rows_ends_with_its_series_and_is_numbered_from_the_first_sample(names: list[object]) -> None:
    """300 samples of 2 series with 2 values each: the last 240, of which 90 are of the first series."""
    truth = np.random.default_rng(0).normal(size=(300, 2))
    series = np.repeat(names, 150)
    found = outcome(task="regression", truth=truth, guess=truth, series=series, unit="km")
    plot = next(plot for plot in plots_of(found, is_in_order=True) if "forecast" in plot.title)
    assert plot.text.startswith(
        "Samples 61 to 300 of the test rows of 2 series, one after the other, the first of the 2"
    )
    assert ">y (km)</text>" in plot.svg
    lines = [path for path in re.findall(r'<path d="([^"]*)"', plot.svg) if path.count("L") > 100]
    assert [line.count("M") for line in lines] == [2, 2]  # true and forecast, each in two pieces


def test_epochs_are_whole_numbers() -> None:
    (plot,) = curves([{"loss": 3.0}, {"loss": 2.0}, {"loss": 1.0}], 3)
    ticks = re.findall(r'<g id="?[^>]*?>?|<text[^>]*>([^<]*)</text>', plot.svg)
    assert {"1", "2", "3"} <= set(ticks)
    assert "1.5" not in ticks[: ticks.index("epoch")]


def test_of_one_epoch_each_value_is_a_point() -> None:
    (plot,) = curves([{"loss": 3.0, "val_loss": 2.0}], 1)
    assert plot.text == "3 in the only epoch."
    points = re.findall(r'<use xlink:href="#[^"]*" x="[^"]*" y="[^"]*" style="fill: (#[0-9a-f]{6})', plot.svg)
    assert {BLUE.lower(), ORANGE.lower()} <= set(points)
