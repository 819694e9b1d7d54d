"""What is no number is null in metrics.json, which says why."""

from __future__ import annotations

import json
from math import inf, nan

from nnspec.jobs.folds import mean_of
from nnspec.training.metrics.undefined import as_json


def test_null_with_a_reason() -> None:
    metrics = {"samples": 1, "rmse": 1.0, "mase": nan, "by_step": {"1": {"mape": inf, "mae": 0.5}}, "baseline": None}
    (found,) = json.loads(json.dumps(as_json({"y": metrics}), allow_nan=False)).values()
    assert (found["mase"], found["by_step"]["1"], found["rmse"]) == (None, {"mape": None, "mae": 0.5}, 1.0)
    assert set(found["undefined"]) == {"mase", "by_step.1.mape"}
    assert "scale" in found["undefined"]["mase"]
    assert found["undefined"]["by_step.1.mape"] == "it is infinite"


def test_nothing_is_added_where_all_are_numbers() -> None:
    assert as_json({"y": {"rmse": 1.0, "baseline": None}}) == {"y": {"rmse": 1.0, "baseline": None}}


def test_the_mean_of_folds_leaves_them_out() -> None:
    folds = [as_json({"y": {"samples": 2, "rmse": 1.0 + fold, "r2": nan}})["y"] for fold in range(2)]
    found = mean_of([fold for fold in folds if isinstance(fold, dict)])
    assert (found["rmse"], "r2" in found, found["samples"]) == (1.5, False, 4)
