"""A stateful model predicts as it was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import api
from nnspec.cli import main


@pytest.mark.parametrize("batch", [1, 4])
def test_prediction_of_the_rows_of_a_split_gives_its_metrics(tmp_path: Path, batch: int) -> None:
    values = np.sin(np.arange(120) / 3) + np.arange(120) / 40
    (tmp_path / "data.csv").write_text("v\n" + "\n".join(f"{v:.5f}" for v in values), encoding="utf-8")
    spec = {
        "nnspec": 1,
        "data": {
            "source": {"csv": "data.csv"},
            "split": {"train": 0.6, "test": 0.4, "by": "order", "gap": 0},
            "window": {"lookback": 2, "horizon": 1, "stride": 2},
            "inputs": {"x": {"columns": ["v"]}},
            "outputs": {"y": {"columns": ["v"]}},
        },
        "inputs": {"x": {"axes": {"time": 2, "feature": 1}, "batch": batch}},
        "model": [
            {"LSTM": {"units": 3, "stateful": True, "over": "time"}},
            {"Dense": {"units": 1, "as": "target"}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "training": {"epochs": 2, "batch_size": batch, "shuffle": False, "seed": 1},
    }
    (tmp_path / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    run = api.load(tmp_path / "spec.yaml").build(tmp_path / "out")
    rows = [f"{v:.5f}" for v in values[72:]]
    (tmp_path / "test.csv").write_text("v\n" + "\n".join(rows), encoding="utf-8")
    out = tmp_path / "predicted.npz"
    made = CliRunner().invoke(main, ["predict", str(run.onnx), str(tmp_path / "test.csv"), "--out", str(out)])
    assert made.exit_code == 0, made.output
    with np.load(out) as archive:
        predicted = archive["y"].reshape(-1)
    count = run.metrics["test"]["y"]["samples"]
    truth = np.asarray(rows, float)[2 : 2 + 2 * count : 2]
    assert len(predicted) == 24
    rmse = np.sqrt(np.mean((predicted[:count] - truth) ** 2))
    assert rmse == pytest.approx(run.metrics["test"]["y"]["rmse"], rel=1e-4)
