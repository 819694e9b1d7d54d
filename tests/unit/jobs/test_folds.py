"""A training with folds: each is trained and evaluated, and the means stand beside the final model's metrics."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec import pipeline
from nnspec.cli import main
from nnspec.jobs import run_training
from nnspec.jobs.folds import describe_folds, fold_of, mean_of
from nnspec.progress import Progress

SPEC = """
nnspec: 1
name: folded
inputs: {x: {axes: {feature: 1}}}
data:
  source: {csv: rows.csv}
  split: {folds: 2, validation: 0.2}
  inputs: {x: {columns: [a], scale: standard}}
  outputs: {y: {columns: [b]}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
training: {epochs: 2}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{i % 13},{i % 7}\n" for i in range(60)), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path / "spec.yaml"


def test_folds_are_trained_and_their_means_told(spec: Path) -> None:
    out = spec.parent / "out"
    done = CliRunner().invoke(main, ["train", str(spec), "--out", str(out)])
    assert done.exit_code == 0, done.output
    each = [json.loads((out / "folds" / str(fold) / "metrics.json").read_text())["test"]["y"] for fold in (1, 2)]
    assert each[0]["rmse"] != each[1]["rmse"]
    metrics = json.loads((out / "metrics.json").read_text())
    assert list(metrics) == ["folds", "train", "validation"]
    found = metrics["folds"]["y"]
    for name in ("rmse", "mae", "r2"):
        values = [fold[name] for fold in each]
        assert found[name] == pytest.approx(sum(values) / 2)
        assert found["deviation"][name] == pytest.approx(statistics.stdev(values))
    naive = [fold["baseline"]["rmse"] for fold in each]
    assert found["baseline"]["rmse"] == pytest.approx(sum(naive) / 2)
    assert found["samples"] == 60
    assert f"{found['rmse']:.4g} ± {found['deviation']['rmse']:.2g}" in done.output
    assert json.loads((out / "folds.json").read_text())["mean"]["y"] == found
    assert metrics["train"]["y"]["samples"] == 48, "the final model is trained on all rows but those of validation"


def test_a_finished_fold_is_not_trained_again(spec: Path) -> None:
    """An interrupted training goes on with the fold that it was in."""
    lines: list[str] = []

    class Listening(Progress):
        def say(self, text: str) -> None:
            lines.append(text)
            if text == "fold 2 of 2" and lines.count(text) == 1:
                raise KeyboardInterrupt

    checked, out = pipeline.check(spec), spec.parent / "out"
    with pytest.raises(KeyboardInterrupt):
        run_training(checked, out, Listening())
    run = run_training(checked, out, Listening(), resume=True)
    assert [lines.count(f"fold {fold} of 2") for fold in (1, 2)] == [1, 2]
    calm = run_training(checked, spec.parent / "calm", Progress(quiet=True))
    assert run.metrics == calm.metrics


def test_means_leave_out_what_a_fold_lacks() -> None:
    folds = [
        {"samples": 3, "rmse": 1.0, "mape": 2.0, "by_step": {}, "baseline": {"name": "mean", "rmse": 4.0}},
        {"samples": 2, "rmse": 2.0, "by_step": {}, "baseline": {"name": "mean", "rmse": 6.0}},
    ]
    assert mean_of(folds) == {
        "samples": 5,
        "rmse": 1.5,
        "deviation": {"rmse": pytest.approx(0.5**0.5)},
        "baseline": {"name": "mean", "rmse": 5.0, "deviation": {"rmse": pytest.approx(2**0.5)}},
    }


def test_the_plan_of_a_fold_has_a_test_split(spec: Path) -> None:
    data = pipeline.check(spec).data
    assert data is not None
    parts = fold_of(data, 1).split.parts
    assert [part.name for part in parts] == ["train", "validation", "test"]
    assert sum(part.fraction or 0.0 for part in parts) == pytest.approx(1.0)


def test_means_of_classes_steps_and_intervals() -> None:
    folds = [
        {
            "samples": 4,
            "pinball": value,
            "coverage": {"0.8": value},
            "by_class": {"a": {"f1": value, "support": 3}, **({"b": {"f1": 1.0}} if value == 1 else {})},
            "recursive": {"rmse": value, "by_step": {"1": {"rmse": value, "baseline": {"name": "mean", "rmse": 7.0}}}},
            "by_series": {"s": {"rmse": value}},
            "baseline": {"name": "mean", "pinball": 2.0},
        }
        for value in (1.0, 2.0, 4.5)
    ]
    found = mean_of(folds)
    spread = statistics.stdev([1.0, 2.0, 4.5])
    assert found["coverage"] == {"0.8": 2.5, "deviation": {"0.8": pytest.approx(spread)}}
    assert found["by_class"] == {"a": {"f1": 2.5, "deviation": {"f1": pytest.approx(spread)}}}
    step = found["recursive"]["by_step"]["1"]
    assert (step["rmse"], step["deviation"]["rmse"]) == (2.5, pytest.approx(spread))
    assert step["baseline"]["rmse"] == 7.0
    assert found["recursive"]["rmse"] == 2.5
    assert "by_series" not in found
    assert "coverage of 80%  2.5 ± 1.8" in " ".join(describe_folds({"y": found}).split(" ")).replace("   ", "  ")
