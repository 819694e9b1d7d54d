"""Scores of anomalies: the error of a reconstruction in the deployed graph, its threshold, labels and metrics.

Every score is worked out in NumPy from what the file itself reconstructs.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from nnspec import api, runtime
from nnspec.data.dataset import Dataset
from nnspec.evaluation.evaluate import evaluate_file
from nnspec.jobs.dataset import load_dataset
from nnspec.pipeline import check
from nnspec.runtime import reading, writing

SPLIT = {"train": 0.5, "validation": 0.25, "test": 0.25}


def written(folder: Path, axes: Any, model: list[Any], outputs: Any, data: Any = None) -> Path:
    """A spec with the input `x` and its reconstruction `y`."""
    body = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes}},
        **({} if data is None else {"data": {"split": SPLIT, **data}}),
        "model": model,
        "outputs": {"y": {"task": "regression"}, **outputs},
        "training": {"epochs": 8, "optimizer": {"Adam": {"learning_rate": 0.02}}},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


def untrained(path: Path, folder: Path) -> runtime.Predictor:
    return runtime.load(api.load(path).export(folder / "out", untrained=True).onnx)


def arrays(folder: Path) -> dict[str, Any]:
    np.savez(folder / "a.npz", x=np.zeros((20, 2, 3, 5), np.float32))
    return {"source": {"npz": "a.npz"}, "inputs": {"x": {"array": "x"}}, "outputs": {"y": {"of": "x"}}}


def test_errors_over_axes_in_another_order(tmp_path: Path) -> None:
    outputs = {
        "score": {"task": "anomaly", "of": "y", "error": "absolute", "threshold": 1.0},
        "each": {"task": "anomaly", "of": "y", "over": ["height", "channel"], "threshold": 2.0},
    }
    model = [{"permute": ["channel", "height", "width"]}, {"Dense": {"units": 3}}, {"rename": {"unit": "column"}}]
    path = written(tmp_path, {"height": 2, "width": 3, "channel": 5}, model, outputs, arrays(tmp_path))
    predict = untrained(path, tmp_path)
    x = np.random.default_rng(0).normal(size=(7, 2, 3, 5)).astype(np.float32)
    given = predict(x)
    apart = given["y"].transpose(0, 2, 3, 1) - x  # height column channel
    np.testing.assert_allclose(given["score"][:, 0], np.abs(apart).mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(given["each"], (apart**2).mean(axis=(1, 3)), rtol=1e-5)
    np.testing.assert_array_equal(given["score_is_anomaly"], given["score"] > 1)
    np.testing.assert_array_equal(given["each_is_anomaly"], given["each"] > 2)


def test_padded_steps_are_no_errors(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((20, 5, 2), np.float32))
    data = {
        "source": {"npz": "a.npz"},
        "inputs": {"x": {"array": "x", "pad_value": -1.0}},
        "outputs": {"y": {"of": "x"}},
    }
    model = [
        {"Masking": {"mask_value": -1.0}},
        {"LSTM": {"units": 3, "return_sequences": True}},
        {"Dense": {"units": 2}},
    ]
    outputs = {
        "score": {"task": "anomaly", "of": "y", "threshold": 0.5},
        "step": {"task": "anomaly", "of": "y", "over": ["unit"], "threshold": 0.5},
    }
    predict = untrained(written(tmp_path, {"time": 5, "feature": 2}, model, outputs, data), tmp_path)
    x = np.random.default_rng(1).normal(size=(4, 5, 2)).astype(np.float32)
    x[1, 3:], x[2, 1:], x[3] = -1, -1, -1
    given = predict(x)
    real = (x != -1).any(axis=2)
    wrong = np.where(real[..., None], (given["y"] - x) ** 2, 0)
    count = np.maximum(2 * real.sum(axis=1), 1)
    np.testing.assert_allclose(given["score"][:, 0], wrong.sum(axis=(1, 2)) / count, rtol=1e-5)
    np.testing.assert_allclose(given["step"], wrong.mean(axis=2), rtol=1e-5, atol=1e-7)


def test_without_data_a_score_has_no_threshold(tmp_path: Path) -> None:
    model = [{"Dense": {"units": 3}}, {"reduce": {"axis": "unit", "by": "l2", "keepdims": True}}]
    path = written(tmp_path, {"feature": 5}, model, {"far": {"task": "anomaly"}})
    assert set(untrained(path, tmp_path).outputs) == {"y", "far"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Dataset]:
    """Rows near a line, and rows that are far from it: words say which."""
    folder = tmp_path_factory.mktemp("anomalies")
    rng = np.random.default_rng(0)
    base = rng.normal(size=300)
    odd = rng.random(300) < 0.25
    table = np.stack([base, 100 + 50 * base, -3 * base], axis=1) + rng.normal(0, (0.05, 2, 0.1), (300, 3))
    table[odd] *= (1, 1, -1)
    lines = [f"{a:.5f},{b:.5f},{c:.5f},{'odd' if o else 'fine'}" for (a, b, c), o in zip(table, odd, strict=True)]
    (folder / "t.csv").write_text("a,b,c,kind\n" + "\n".join(lines) + "\n", encoding="utf-8")
    data = {
        "source": {"csv": "t.csv"},
        "inputs": {"x": {"columns": ["a", "b", "c"], "scale": "standard"}},
        "outputs": {
            "y": {"of": "x"},
            "score": {"columns": ["kind"], "classes": ["fine", "odd"], "train_on": "normal"},
        },
    }
    outputs = {"score": {"task": "anomaly", "of": "y", "threshold": {"quantile": 0.9}}}
    model = [{"Dense": {"units": 1}}, {"Dense": {"units": 3}}]
    path = written(folder, {"feature": 3}, model, outputs, data)
    return folder, api.load(path).build(folder / "out"), load_dataset(check(path))


def test_anomalies_are_not_trained_on(built: tuple[Path, Any, Dataset]) -> None:
    folder, _, data = built
    kinds = np.array([line.split(",")[3] for line in (folder / "t.csv").read_text().split()[1:]])
    train = data.splits["train"]
    assert set(kinds[train.rows]) == {"fine"}
    assert {"fine", "odd"} == set(kinds[data.splits["validation"].rows]) == set(kinds[data.splits["test"].rows])
    scaling = data.inputs["x"].scaling
    assert scaling is not None
    np.testing.assert_allclose(scaling.offset, train.raw["x"].mean(axis=0), rtol=1e-4)


def test_score_threshold_and_metrics(built: tuple[Path, Any, Dataset]) -> None:
    _, run, data = built
    predict, scaling = runtime.load(run.onnx), data.inputs["x"].scaling
    told = predict.metadata["outputs"]
    for name, split in data.splits.items():
        given, truth = predict(split.raw["x"]), split.y["score"][:, 0] > 0.5
        apart = (given["y"] - split.raw["x"]) / scaling.divisor  # type: ignore[union-attr]
        scores = given["score"][:, 0]
        np.testing.assert_allclose(scores, (apart**2).mean(axis=1), rtol=2e-3, atol=1e-5)
        np.testing.assert_array_equal(given["is_anomaly"], given["score"] > np.float32(told["score"]["threshold"]))
        metrics, said = run.metrics[name]["score"], given["is_anomaly"][:, 0]
        assert metrics["flagged"] == pytest.approx(said.mean())
        if name == "train":
            assert "roc_auc" not in metrics
            continue
        assert metrics["roc_auc"] == pytest.approx(roc_auc_score(truth, scores))
        assert metrics["precision"] == pytest.approx(precision_score(truth, said))
        assert metrics["recall"] == pytest.approx(recall_score(truth, said))
        assert metrics["baseline"] == {"name": "chance", "roc_auc": 0.5}
        if name == "validation":
            assert told["score"]["threshold"] == pytest.approx(np.quantile(scores[~truth], 0.9), rel=1e-5)
            assert told["score"]["threshold_rule"] == {"quantile": 0.9}
    assert run.metrics["test"]["score"]["roc_auc"] > 0.7


def test_evaluate_and_predict(built: tuple[Path, Any, Dataset]) -> None:
    folder, run, _ = built
    predict = runtime.load(run.onnx)
    samples = reading.read_samples(folder / "t.csv", predict.metadata)
    given = predict(**samples.take(slice(0, 300)))
    with (folder / "t.csv").open(encoding="utf-8") as stream:
        truth = np.array([row["kind"] == "odd" for row in csv.DictReader(stream)])
    found = evaluate_file(predict, folder / "t.csv")["outputs"]["score"]
    assert found["roc_auc"] == pytest.approx(roc_auc_score(truth, given["score"][:, 0]))
    strict = evaluate_file(predict, folder / "t.csv", threshold=1e9)["outputs"]["score"]
    assert strict["flagged"] == 0
    record = next(writing.records(given, predict.metadata))
    assert record["is_anomaly"] is bool(given["is_anomaly"][0, 0])


def test_evaluate_without_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=rng.normal(size=(60, 3)).astype(np.float32))
    data = {"source": {"npz": "a.npz"}, "inputs": {"x": {"array": "x"}}, "outputs": {"y": {"of": "x"}}}
    path = written(tmp_path, {"feature": 3}, [{"Dense": {"units": 3}}], {"score": {"task": "anomaly", "of": "y"}}, data)
    run = api.load(path, {"training.epochs": 1}).build(tmp_path / "out")
    predict = runtime.load(run.onnx)
    validation = load_dataset(check(path)).splits["validation"]
    scores = predict(validation.raw["x"])["score"]
    assert predict.metadata["outputs"]["score"]["threshold"] == pytest.approx(np.quantile(scores, 0.95), rel=1e-5)
    found = evaluate_file(predict, tmp_path / "a.npz")["outputs"]["score"]
    assert found["flagged"] == pytest.approx(predict(np.load(tmp_path / "a.npz")["x"])["is_anomaly"].mean())
    assert run.metrics["test"]["score"]["baseline"] is None
