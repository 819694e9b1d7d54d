"""Plots of targets of unlike sizes, and of intervals; metrics of intervals among the others."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.report.outcome import Outcome
from nnspec.report.plots import plots_of
from nnspec.report.tables import metric_tables


def outcome(truth: np.ndarray, guess: np.ndarray, levels: np.ndarray | None = None) -> Outcome:
    return Outcome(
        name="y", task="regression" if levels is None else "quantiles", split="test", truth=truth, guess=guess,
        rows=np.arange(11, 11 + len(truth)), levels=levels, given={},
    )  # fmt: skip


def said(found: Outcome) -> dict[str, str]:
    return {plot.title: plot.text for plot in plots_of(found, is_in_order=False)}


def test_a_few_errors_far_out_do_not_make_the_others_one_bar() -> None:
    errors = np.linspace(-1.0, 1.0, 201)
    truth = np.zeros((203, 1))
    guess = np.concatenate([errors, [500.0, -900.0]])[:, None]
    assert said(outcome(truth, guess))["y: errors"].endswith(
        "2 of 203 are farther out and not drawn, from -900 to 500."
    )
    assert "not drawn" not in said(outcome(truth[:201], guess[:201]))["y: errors"]


def test_values_over_decades_are_drawn_on_logarithmic_axes() -> None:
    wide = np.geomspace(1.0, 1e6, 50)[:, None]
    assert "Both axes are logarithmic beyond 1." in said(outcome(wide, wide * 1.1))["y: predicted and true"]
    assert "Both axes are logarithmic beyond" in said(outcome(wide - 1.0, -wide))["y: predicted and true"]  # of 0, too
    assert "logarithmic" not in said(outcome(wide + 1e4, wide + 1e4))["y: predicted and true"]


def test_intervals_are_drawn_of_the_sample_of_middling_error() -> None:
    truth = np.array([[0.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    guess = np.array([[9.0, 9.0], [1.0, 2.0], [0.0, 0.0]])
    levels = np.stack([guess - 1.5, guess, guess + 1.5], axis=-1)
    assert said(outcome(truth, guess, levels))["y: forecast and truth"] == (
        "Row 12, whose mean error is the middle one of the test rows: 1 of its 2 values are within their intervals."
    )
    assert "y: forecast and truth" not in said(outcome(truth, guess))


def test_coverage_is_among_the_metrics() -> None:
    scored = {
        "pinball": 2.0,
        "coverage": {"0.8": 0.75},
        "width": {"0.8": 12.0},
        "baseline": {"name": "naive", "coverage": {"0.8": 1}},
    }
    table = metric_tables({"test": {"y": scored}}, {})["y"]
    assert table.rows == (
        ("pinball", "2", ""), ("coverage of 80%", "0.75", "1"), ("width of 80%", "12", "")
    )  # fmt: skip
    folds = {**scored, "deviation": {"pinball": 0.5}, "coverage": {"0.8": 0.75, "deviation": {"0.8": 0.03}}}
    assert metric_tables({"test": {"y": folds}}, {})["y"].rows[:2] == (
        ("pinball", "2 ± 0.5", ""), ("coverage of 80%", "0.75 ± 0.03", "1")
    )  # fmt: skip


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("yes", [[0, 1, 0], [0, 0, 0], [1, 1, 1], [1]])
def test_scores_that_are_all_alike_are_drawn(score: float, yes: list[int]) -> None:
    """As of a network that is saturated, or has learned nothing, on any targets."""
    truth = np.array(yes, float)[:, None]
    scores = np.full(truth.shape, score)
    same = Outcome(
        name="y", task="binary", split="test", truth=truth, guess=(scores > 0.5).astype(float), scores=scores,
        rows=np.arange(1, 1 + len(yes)), threshold=0.5, given={}, classes=("no", "yes"),
    )  # fmt: skip
    found = said(same)
    assert set(found) == {"y: calibration", "y: thresholds"}
    assert ("No score is above 0" in found["y: thresholds"]) == (score == 0)


def test_errors_that_are_nearly_the_same_are_drawn() -> None:
    truth = np.array([[0.0], [0.0]])
    assert (
        "The median error is 1e+20" in said(outcome(truth, np.array([[1e20], [np.nextafter(1e20, 2e20)]])))["y: errors"]
    )
