"""The metrics that a spec asks for stand in metrics.json and in the table, on every split, as Keras computes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from sklearn import metrics

from nnspec import api
from nnspec.jobs.dataset import load_dataset

SPEC = """
nnspec: 1
data:
  source: {npz: rows.npz}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: random}
  inputs: {x: {array: x}}
  outputs: {paid: {array: paid}, kind: {array: kind}, size: {array: size, scale: standard}}
inputs: {x: {axes: {feature: 5}}}
model:
  - Dense: {units: 8, activation: relu, name: hidden}
  - Dense: {units: 1, activation: sigmoid, name: to_paid, from: hidden}
  - Dense: {units: 4, activation: softmax, name: to_kind, from: hidden}
  - Dense: {units: 2, name: to_size, from: hidden}
outputs:
  paid: {task: binary, from: to_paid, metrics: [{AUC: {num_thresholds: 50}}, Precision, {Recall: {thresholds: 0.3}}]}
  kind: {task: classification, from: to_kind, metrics: [accuracy, {F1Score: {average: null}}, {AUC: {name: accuracy}}]}
  size: {task: regression, from: to_size, metrics: [mae, MeanAbsolutePercentageError, R2Score]}
training: {epochs: 2, batch_size: 32}
"""
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Trained:
    values: dict[str, Any]
    printed: str
    truth: dict[str, dict[str, np.ndarray]]
    said: dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("asked")
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 5)).astype("float32")
    line = x @ rng.normal(size=5)
    size = np.stack([line * 3 + 100, line**2 + 7], axis=1).astype("float32")
    kind = np.digitize(line, [-1, 0, 1])
    np.savez(folder / "rows.npz", x=x, paid=(line > 0.5).astype("int64"), kind=kind, size=size)
    (folder / "spec.yaml").write_text(SPEC)
    spec = api.load(folder / "spec.yaml")
    from nnspec.training import evaluate

    run = spec.train(folder / "out")
    dataset = load_dataset(spec.checked)
    model = keras.saving.load_model(folder / "out" / "model.keras")
    mean, scale = size[dataset.splits["train"].rows].mean(axis=0), size[dataset.splits["train"].rows].std(axis=0)
    truth, said = {}, {}
    for name, split in dataset.splits.items():
        truth[name] = {"paid": split.y["paid"], "kind": split.y["kind"], "size": split.target["size"]}
        said[name] = model.predict(split.x["x"], verbose=0)
        said[name]["size"] = said[name]["size"] * scale + mean
    written = json.loads((folder / "out" / "metrics.json").read_text())
    return Trained(
        values=written, printed=evaluate.metrics_table(spec.checked.graph, run.metrics), truth=truth, said=said
    )


def by_keras(metric: keras.Metric, truth: np.ndarray, said: np.ndarray) -> Any:
    metric.update_state(truth, said)
    return np.asarray(metric.result())


@pytest.mark.parametrize("split", SPLITS)
def test_thresholds_and_areas(trained: Trained, split: str) -> None:
    values, truth, said = trained.values[split]["paid"], trained.truth[split]["paid"], trained.said[split]["paid"]
    assert values["auc"] == pytest.approx(by_keras(keras.metrics.AUC(num_thresholds=50), truth, said), abs=1e-6)
    assert values["auc"] == pytest.approx(metrics.roc_auc_score(truth.ravel(), said.ravel()), abs=0.03)
    assert values["Precision"] == pytest.approx(metrics.precision_score(truth.ravel(), said.ravel() > 0.5))
    wanted = metrics.recall_score(truth.ravel(), said.ravel() > 0.3)
    assert values["recall"] == pytest.approx(wanted)


@pytest.mark.parametrize("split", SPLITS)
def test_a_metric_of_each_class_is_a_list(trained: Trained, split: str) -> None:
    values, truth, said = trained.values[split]["kind"], trained.truth[split]["kind"], trained.said[split]["kind"]
    wanted = metrics.f1_score(truth.ravel(), said.argmax(axis=-1), average=None, labels=range(4), zero_division=0)
    assert values["f1_score"] == pytest.approx(wanted, abs=1e-5)
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(truth.ravel(), said.argmax(axis=-1)))
    one_hot = np.eye(4)[truth.reshape(-1).astype(int)]
    assert values["accuracy_1"] == pytest.approx(by_keras(keras.metrics.AUC(), one_hot, said), abs=1e-6)


@pytest.mark.parametrize("split", SPLITS)
def test_numbers_are_in_original_units(trained: Trained, split: str) -> None:
    values, truth, said = trained.values[split]["size"], trained.truth[split]["size"], trained.said[split]["size"]
    assert values["mae"] == pytest.approx(metrics.mean_absolute_error(truth, said), rel=1e-4)
    wanted = 100 * metrics.mean_absolute_percentage_error(truth, said)
    assert values["MeanAbsolutePercentageError"] == pytest.approx(wanted, rel=1e-4)
    assert values["R2Score"] == pytest.approx(metrics.r2_score(truth, said), abs=1e-3)
    rmse = metrics.root_mean_squared_error(truth[:, 1], said[:, 1])
    assert values["by_column"]["1"]["rmse"] == pytest.approx(rmse, rel=1e-4)


def test_the_table_has_a_row_for_each(trained: Trained) -> None:
    rows = [line.split() for line in trained.printed.splitlines()]
    for split in SPLITS:
        printed = {(row[1], row[3]) for row in rows if row[0] == split}
        assert printed >= {("paid", "auc"), ("paid", "Precision"), ("kind", "f1_score"), ("kind", "accuracy_1")}
        assert printed >= {("size", "rmse"), ("size", "mae"), ("size", "R2Score"), ("kind", "accuracy")}
