"""Metrics as JSON: no number that JSON does not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec import runtime
from nnspec.cli import main
from nnspec.evaluation import evaluate


def test_a_metric_that_is_no_number_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `mase` is where no series has a scale."""
    metrics = {"rmse": 0.5, "mase": float("nan"), "by_step": {"1": {"mase": float("inf")}}, "confusion": [[1, 2]]}
    found = {"samples": 2, "left_out": 0, "notes": [], "outputs": {"y": {**metrics, "baseline": None}}}
    monkeypatch.setattr(runtime, "load", lambda path: path)
    monkeypatch.setattr(evaluate, "evaluate_file", lambda *given, **more: found)
    out = tmp_path / "metrics.json"
    done = CliRunner().invoke(main, ["evaluate", "model.onnx", "rows.csv", "--format", "json", "--out", str(out)])
    assert done.exit_code == 0, done.output
    for text in (done.stdout, out.read_text(encoding="utf-8")):
        read = json.loads(text, parse_constant=pytest.fail)
        told = {"rmse": 0.5, "mase": None, "by_step": {"1": {"mase": None}}, "confusion": [[1, 2]], "baseline": None}
        assert read["outputs"]["y"].pop("undefined").keys() == {"mase", "by_step.1.mase"}
        assert read["outputs"]["y"] == told
