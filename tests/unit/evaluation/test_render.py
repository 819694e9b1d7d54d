"""What `nnspec evaluate` prints: tables of metrics, also of those of forecasts that are fed back."""

from __future__ import annotations

from nnspec.evaluation.render import render


def test_forecasts_that_are_fed_back_have_a_part_of_their_own() -> None:
    naive = {"name": "persistence", "rmse": 3.0, "others": {"seasonal_naive": {"rmse": 4.0}}}
    step = {"rmse": 1.25, "baseline": {"name": "persistence", "rmse": 3.5}}
    fed_back = {"rows": 4, "samples": 258, "rmse": 2.5, "by_step": {"1": step, "4": step}, "baseline": naive}
    metrics = {"samples": 270, "rmse": 2.0, "by_step": {"1": {"rmse": 1.0}}, "baseline": naive, "recursive": fed_back}
    text = render("sales.csv", {"samples": 270, "left_out": 0, "notes": [], "outputs": {"f": metrics}})
    assert text.splitlines() == [
        "sales.csv: 270 samples",
        "",
        "f",
        "  metric  model  baseline (persistence)",
        "  rmse    2      3",
        "",
        "  step  rmse",
        "  1     1",
        "",
        "fed back to 4 rows: 258 samples",
        "  metric  model  baseline (persistence)",
        "  rmse    2.5    3",
        "",
        "  step  rmse  baseline rmse",
        "  1     1.25  3.5",
        "  4     1.25  3.5",
    ]
