"""Early stopping and the best epoch by any metric of metrics.json, of any output."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from sklearn.metrics import f1_score

from nnspec import api
from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose
from nnspec.training.watched import value_at

KINDS = ["no", "maybe", "yes"]
SPEC: dict[str, Any] = {
    "nnspec": 1,
    "data": {
        "source": {"csv": "rows.csv"},
        "split": {"train": 0.6, "validation": 0.4, "by": "order"},
        "inputs": {"x": {"columns": ["a", "b"]}},
        "outputs": {"kind": {"columns": ["kind"]}, "height": {"columns": ["height"]}},
    },
    "inputs": {"x": {"axes": {"feature": 2}}},
    "model": [
        {"Dense": {"units": 3, "activation": "softmax", "as": "class", "name": "kinds"}},
        {"Dense": {"units": 1, "name": "height", "from": "x"}},
    ],
    "outputs": {
        "kind": {"from": "kinds", "task": "classification", "classes": KINDS},
        "height": {"from": "height", "task": "regression"},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watching")
    rows = np.random.default_rng(3).normal(size=(60, 2)).round(4)
    text = "".join(f"{a},{b},{KINDS[int(a > 0) + int(b > 0.8)]},{10 * a + 4}\n" for a, b in rows)
    (folder / "rows.csv").write_text("a,b,kind,height\n" + text, encoding="utf-8")
    return folder


def written(folder: Path, **training: Any) -> Path:
    settings = {"epochs": 40, "batch_size": 36, "seed": 2, "optimizer": {"SGD": {"learning_rate": 0.3}}, **training}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**SPEC, "training": settings}, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(folder: Path) -> dict[str, Any]:
    """Trained until the F1 of a class is no better for three epochs; the last weights are kept."""
    stop = {"EarlyStopping": {"monitor": "validation.kind.by_class.yes.f1", "patience": 3}}
    path = written(folder, monitor="validation.height.r2", restore_best=False, callbacks=[stop])
    api.load(path).train(folder / "out", quiet=True)
    history = list(csv.DictReader((folder / "out" / "history.csv").read_text(encoding="utf-8").splitlines()))
    metrics = json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8"))
    return {"history": history, "metrics": metrics["validation"]}


def test_the_last_row_of_the_history_is_metrics_json(run: dict[str, Any]) -> None:
    last = run["history"][-1]
    assert float(last["validation.height.r2"]) == pytest.approx(run["metrics"]["height"]["r2"], rel=1e-5)
    wanted = run["metrics"]["kind"]["by_class"]["yes"]["f1"]
    assert float(last["validation.kind.by_class.yes.f1"]) == pytest.approx(wanted, rel=1e-5)


def test_it_is_what_scikit_learn_says(run: dict[str, Any], folder: Path) -> None:
    rows = list(csv.DictReader((folder / "rows.csv").read_text(encoding="utf-8").splitlines()))[36:]
    model = keras.models.load_model(folder / "out" / "model.keras")
    said = np.asarray(model(np.array([[float(r["a"]), float(r["b"])] for r in rows], "f4"))["kind"]).argmax(axis=-1)
    wanted = f1_score([r["kind"] for r in rows], [KINDS[i] for i in said], labels=["yes"], average="macro")
    assert float(run["history"][-1]["validation.kind.by_class.yes.f1"]) == pytest.approx(wanted, rel=1e-5)


def test_it_stops_when_the_metric_has_not_risen(run: dict[str, Any]) -> None:
    values = [float(row["validation.kind.by_class.yes.f1"]) for row in run["history"]]
    assert len(values) < 40
    assert int(np.argmax(values)) == len(values) - 4


def test_the_best_epoch_is_kept_by_it(folder: Path) -> None:
    path = written(folder, monitor="validation.height.mae", epochs=6, optimizer={"SGD": {"learning_rate": 0.9}})
    found = api.load(path).train(folder / "best", quiet=True)
    best = min(row["validation.height.mae"] for row in found.history)
    assert best < found.history[-1]["validation.height.mae"]
    assert found.metrics["validation"]["height"]["mae"] == pytest.approx(best, rel=1e-5)


def test_what_the_split_does_not_have_is_told(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"`validation\.height\.mase` cannot be measured"):
        api.load(written(folder, monitor="validation.height.mase", epochs=1)).train(folder / "none", quiet=True)


def test_names_are_checked(folder: Path) -> None:
    (found,) = diagnose(written(folder, monitor="validation.kind.f1_makro"))
    assert found.code == "NN212"
    assert "did you mean `validation.kind.f1_macro`?" in found.message
    assert not diagnose(written(folder, monitor="validation.kind.by_class.maybe.recall"))


def test_labels_with_dots() -> None:
    scored = {"f1": 0.5, "by_class": {"v1": {"f1": 0.1}, "v1.0": {"f1": 0.2}}}
    assert value_at(scored, "f1") == 0.5
    assert value_at(scored, "by_class.v1.0.f1") == 0.2
    assert value_at(scored, "by_class.v2.f1") is None
