"""Outputs that reconstruct an input, and outputs without targets: targets, padding, metrics and the deployed graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnspec import api, runtime
from nnspec.backends.base import Samples
from nnspec.data.dataset import Dataset
from nnspec.evaluation.evaluate import evaluate_file
from nnspec.ir.matching_axes import matching_order
from nnspec.jobs.dataset import load_dataset
from nnspec.pipeline import check, diagnose
from nnspec.runtime import reading, writing
from nnspec.training.targets import as_samples

SPLIT = {"train": 0.6, "validation": 0.2, "test": 0.2}


def written(folder: Path, axes: Any, data: Any, model: list[Any], **more: Any) -> Path:
    """A spec that reconstructs the input `x`."""
    body = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes}},
        "data": {"split": SPLIT, **data, "outputs": {"y": {"of": "x"}}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
        "training": {"epochs": 2},
        **more,
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


def table(folder: Path, rows: int = 60) -> np.ndarray:
    """Three columns of unlike scales, which tell their row."""
    rng = np.random.default_rng(2)
    values = np.stack([np.arange(rows), 1000 + 7 * rng.normal(size=rows), 0.01 * rng.normal(size=rows)], axis=1)
    values = values.astype(np.float32)
    lines = [",".join(map(repr, map(float, row))) for row in values]
    (folder / "t.csv").write_text("a,b,c\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return values


COLUMNS = {"source": {"csv": "t.csv"}, "inputs": {"x": {"columns": ["a", "b", "c"], "scale": "standard"}}}
NETWORK = [{"Dense": {"name": "code", "units": 2}}, {"Dense": {"units": 3}}]


def test_targets_are_what_the_network_reads(tmp_path: Path) -> None:
    values = table(tmp_path)
    data = load_dataset(check(written(tmp_path, {"feature": 3}, COLUMNS, NETWORK)))
    train = data.splits["train"]
    own = values[train.rows].astype(np.float64)
    scaled = (values - own.mean(axis=0)) / own.std(axis=0)
    for split in data.splits.values():
        np.testing.assert_allclose(split.y["y"], scaled[split.rows], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(split.target["y"], values[split.rows], rtol=1e-5)
        assert split.counts("y") is None


def test_encoded_columns_are_rebuilt_as_features(tmp_path: Path) -> None:
    table(tmp_path)
    source = {"source": {"csv": "t.csv"}, "inputs": {"x": {"columns": {"a": "minmax", "c": "standard"}}}}
    data = load_dataset(check(written(tmp_path, {"feature": "auto"}, source, [{"Dense": {"units": 2}}])))
    for split in data.splits.values():
        np.testing.assert_array_equal(split.y["y"], split.x["x"])
        np.testing.assert_array_equal(split.target["y"], split.x["x"])


def test_windows_are_rebuilt_with_their_axes_in_the_output_s_order(tmp_path: Path) -> None:
    values = table(tmp_path)
    source = {
        **COLUMNS,
        "order_by": "a",
        "split": {**SPLIT, "by": "time"},
        "window": {"lookback": 4, "horizon": 0},
    }
    model = [{"permute": ["feature", "time"]}, {"Dense": {"units": 4}}]
    checked = check(written(tmp_path, {"time": 4, "feature": 3}, source, model))
    assert next(axis.name for axis in checked.graph.outputs["y"].value.axes) == "feature"
    test = load_dataset(checked).splits["test"]
    windows = np.stack([values[row - 3 : row + 1].T for row in test.rows])
    np.testing.assert_allclose(test.target["y"], windows, rtol=1e-4)
    assert test.target["y"].shape[1:] == (3, 4)


def ragged(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 6, 40)
    steps = np.concatenate([rng.normal((5, -1), (2, 0.5), (length, 2)) for length in lengths])
    np.savez(folder / "r.npz", steps=steps.astype(np.float32), lengths=lengths)
    data = {
        "source": {"npz": "r.npz"},
        "inputs": {"x": {"array": "steps", "axes": ["time", "feature"], "lengths": "lengths", "scale": "standard"}},
    }
    model = ["Masking", {"LSTM": {"units": 3, "return_sequences": True, "name": "code"}}, {"Dense": {"units": 2}}]
    more = {"outputs": {"y": {"task": "regression"}, "embedding": {"from": "code", "task": "none"}}}
    return written(folder, {"time": 5, "feature": 2}, data, model, **more)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Dataset]:
    """Padded sequences, with an output that has no target beside the reconstruction."""
    path = ragged(tmp_path_factory.mktemp("ragged"))
    return api.load(path).build(path.parent / "out"), load_dataset(check(path))


def test_padded_steps_count_nowhere(built: tuple[Any, Dataset]) -> None:
    run, data = built
    predict = runtime.load(run.onnx)
    for name, split in data.splits.items():
        raw, counted = split.raw["x"], split.counts("y")
        real = (raw != 0).any(axis=2)
        assert counted is not None
        np.testing.assert_array_equal(counted, np.broadcast_to(real[..., None], raw.shape))
        wrong = (predict(raw)["y"] - raw)[counted]
        assert run.metrics[name]["y"]["rmse"] == pytest.approx(float(np.sqrt(np.mean(wrong**2))), rel=1e-4)
        assert run.metrics[name]["y"]["targets"] == 2 * real.sum()


def test_what_has_no_target_is_deployed_and_measured_nowhere(built: tuple[Any, Dataset]) -> None:
    run, data = built
    predict = runtime.load(run.onnx)
    assert predict.metadata["outputs"]["embedding"]["task"] == "none"
    assert predict(data.splits["test"].raw["x"])["embedding"].shape[1:] == (5, 3)
    assert set(run.metrics["test"]) == {"y"}
    history = (run.folder / "history.csv").read_text(encoding="utf-8").splitlines()
    assert history[0] == "epoch,loss,mae,val_loss,val_mae"  # as of a network with one output
    verified = json.loads((run.folder / "verify.json").read_text(encoding="utf-8"))
    assert verified["outputs"].keys() == {"y", "embedding"}
    interface = json.loads((run.folder / "interface.json").read_text(encoding="utf-8"))
    assert interface["outputs"].keys() == {"y", "embedding"}


def test_a_backend_sees_no_targets_of_it(tmp_path: Path) -> None:
    checked = check(ragged(tmp_path))
    data = load_dataset(checked)
    samples = as_samples(checked.graph, data.splits["train"])
    assert isinstance(samples, Samples)
    assert np.asarray(samples.targets).shape == data.splits["train"].y["y"].shape


def test_evaluate_and_predict_take_a_table_without_targets(tmp_path: Path) -> None:
    values = table(tmp_path)
    outputs = {"y": {"task": "regression"}, "code": {"from": "code", "task": "none"}}
    run = api.load(written(tmp_path, {"feature": 3}, COLUMNS, NETWORK, outputs=outputs)).build(tmp_path / "out")
    predict = runtime.load(run.onnx)
    given = predict(values)
    found = evaluate_file(predict, tmp_path / "t.csv")["outputs"]
    assert found.keys() == {"y"}
    assert found["y"]["rmse"] == pytest.approx(float(np.sqrt(np.mean((given["y"] - values) ** 2))), rel=1e-5)
    assert list(found["y"]["by_column"]) == ["a", "b", "c"]
    samples = reading.read_samples(tmp_path / "t.csv", predict.metadata)
    record = next(writing.records(predict(**samples.take(slice(0, 5))), predict.metadata))
    assert record.keys() == {"y_a", "y_b", "y_c", "code_0", "code_1"}


@pytest.mark.parametrize(
    ("given", "wanted", "order"),
    [
        ([("time", 4), ("feature", 3)], [("time", 4), ("unit", 3)], (0, 1)),
        ([("time", 4), ("feature", 3)], [("unit", 3), ("time", 4)], (1, 0)),
        ([("time", "T"), ("feature", 3)], [("time", None), ("unit", 3)], (0, 1)),
        ([("a", 2), ("b", 3), ("c", 5)], [("c", 5), ("x", 2), ("y", 3)], (2, 0, 1)),
        ([("time", 4), ("feature", 3)], [("unit", 4), ("other", 5)], None),
        ([("feature", 3)], [("unit", 3), ("more", 1)], None),
    ],
)
def test_axes_go_together_by_name_then_in_order(given: Any, wanted: Any, order: Any) -> None:
    assert matching_order(given, wanted) == order


def test_a_mask_without_known_padding_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", x=np.zeros((20, 5, 2), np.float32))
    data = {"source": {"npz": "r.npz"}, "inputs": {"x": {"array": "x"}}}
    model = ["Masking", {"LSTM": {"units": 3, "return_sequences": True}}, {"Dense": {"units": 2}}]
    path = written(tmp_path, {"time": 5, "feature": 2}, data, model)
    assert [(d.code, d.is_error) for d in diagnose(path)] == [("NN540", True)]
