"""`nnspec evaluate` scores a labelled file: against scikit-learn, and as metrics.json says of the same rows."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn import metrics
from sklearn.dummy import DummyClassifier

from nnspec import api
from nnspec.cli import main
from nnspec.evaluation.target_codes import Targets
from nnspec.jobs import Run
from tests.support.evaluated_rows import assert_same_metrics

SPEC = """
nnspec: 1
data:
  source: {csv: rows.csv}
  weight: worth
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  inputs: {x: {columns: [a, b, c]}}
  outputs: {paid: {columns: [paid]}, kind: {columns: [kind]}, size: {columns: [width, height], scale: standard}}
inputs: {x: {axes: {feature: 3}}}
model:
  - Dense: {units: 8, activation: relu, name: hidden}
  - Dense: {units: 1, activation: sigmoid, name: to_paid, from: hidden}
  - Dense: {units: 3, activation: softmax, name: to_kind, from: hidden}
  - Dense: {units: 2, name: to_size, from: hidden}
outputs:
  paid: 
    task: binary
    from: to_paid
    metrics: [AUC, {AUC: {curve: PR, name: pr}}, Precision, {Recall: {thresholds: [0.3, 0.6]}}]
    weighted_metrics: [accuracy, Precision, Recall]
  kind:
    task: classification
    from: to_kind
    metrics: [accuracy, {F1Score: {average: weighted}}, {AUC: null}]
    weighted_metrics: [accuracy, {F1Score: {average: macro}}]
  size:
    task: regression
    from: to_size
    metrics: [mae, R2Score, MeanAbsolutePercentageError, LogCoshError]
    weighted_metrics: [mae, RootMeanSquaredError, R2Score]
training: {epochs: 3, batch_size: 16}
"""
ROWS, TEST = 150, 30


def table(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows() -> list[dict[str, Any]]:
    rng = np.random.default_rng(5)
    found = []
    for a, b, c in rng.normal(size=(ROWS, 3)).round(4).tolist():
        found.append(
            {
                "a": a, "b": b, "c": c,
                "paid": "yes" if a + b > 0.2 else "no",
                "kind": ["fir", "oak", "ash"][int(a > 0) + int(b > 0.3)],
                "width": round(3 * a + 100, 3), "height": round(b * b + 1, 3),
                "town": "Bern" if c > 0 else "Basel",
                "worth": len(found) % 4 / 2,
            }
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("evaluate")
    table(folder / "rows.csv", rows())
    (folder / "spec.yaml").write_text(SPEC)
    return api.load(folder / "spec.yaml").build(folder / "out")


def evaluated(run: Run, data: Path, *more: str) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["evaluate", str(run.onnx), str(data), "--format", "json", *more])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_test_rows_have_the_metrics_of_the_build(built: Run, tmp_path: Path) -> None:
    found = evaluated(built, table(tmp_path / "test.csv", rows()[-TEST:]))
    assert found["samples"] == TEST
    assert found["left_out"] == 0
    wanted = built.metrics["test"]
    assert found["notes"] == []
    assert wanted["size"]["LogCoshError"] > 0
    assert_same_metrics(found["outputs"], wanted)


def test_labels_are_scored_as_by_scikit_learn(built: Run, tmp_path: Path) -> None:
    data = table(tmp_path / "test.csv", rows()[-TEST:])
    values = evaluated(built, data, "--threshold", "0.35", "--by", "town")["outputs"]["paid"]
    out = tmp_path / "said.csv"
    assert CliRunner().invoke(main, ["predict", str(built.onnx), str(data), "--out", str(out)]).exit_code == 0
    with out.open(encoding="utf-8") as stream:
        shares = np.array([float(row["paid_p"]) for row in csv.DictReader(stream)])
    truth = np.array([row["paid"] == "yes" for row in rows()[-TEST:]])
    assert values["threshold"] == 0.35
    np.testing.assert_array_equal(values["confusion"], metrics.confusion_matrix(truth, shares > 0.35))
    assert values["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, shares), abs=1e-6)
    own = np.array([row["town"] == "Bern" for row in rows()[-TEST:]])
    group = values["by_group"]["Bern"]
    assert group["samples"] == own.sum()
    assert group["recall"] == pytest.approx(metrics.recall_score(truth[own], shares[own] > 0.35))
    assert group["baseline"]["accuracy"] == pytest.approx(
        max(np.mean(~truth[own]), 0) if _no(built) else truth[own].mean()
    )


def test_weighted_metrics_are_those_of_scikit_learn(built: Run, tmp_path: Path) -> None:
    """With `sample_weight`; `metrics` beside them count every sample once."""
    data, out = table(tmp_path / "test.csv", rows()[-TEST:]), tmp_path / "said.csv"
    found = evaluated(built, data)["outputs"]
    assert CliRunner().invoke(main, ["predict", str(built.onnx), str(data), "--out", str(out)]).exit_code == 0
    with out.open(encoding="utf-8") as stream:
        said = list(csv.DictReader(stream))
    weights = np.array([row["worth"] for row in rows()[-TEST:]])
    truth, shares = [row["paid"] == "yes" for row in rows()[-TEST:]], [float(row["paid_p"]) > 0.5 for row in said]
    kinds, guesses = [row["kind"] for row in rows()[-TEST:]], [row["kind"] for row in said]
    sizes, heights = (
        np.array([[float(row[f"{of}{name}"]) for name in ("width", "height")] for row in table_rows])
        for of, table_rows in (("", rows()[-TEST:]), ("size_", said))
    )
    with_weights = {"sample_weight": weights}
    wanted = {
        "paid": {
            "accuracy": metrics.accuracy_score(truth, shares, **with_weights),
            "precision": metrics.precision_score(truth, shares, **with_weights),
            "recall": metrics.recall_score(truth, shares, **with_weights),
        },
        "kind": {
            "accuracy": metrics.accuracy_score(kinds, guesses, **with_weights),
            "f1_score": metrics.f1_score(kinds, guesses, labels=["fir", "oak", "ash"], average="macro", **with_weights),
        },
        "size": {
            "mae": metrics.mean_absolute_error(sizes, heights, **with_weights),
            "RootMeanSquaredError": metrics.mean_squared_error(sizes, heights, **with_weights) ** 0.5,
            "R2Score": metrics.r2_score(sizes, heights, **with_weights),
        },
    }
    for name, values in wanted.items():
        own = {key.lower(): value for key, value in found[name]["weighted"].items()}
        assert own == pytest.approx({key.lower(): value for key, value in values.items()}, rel=2e-5), name
    assert found["kind"]["accuracy"] == pytest.approx(metrics.accuracy_score(kinds, guesses))
    assert found["kind"]["accuracy"] != pytest.approx(wanted["kind"]["accuracy"], rel=1e-4)
    train = rows()[: int(0.6 * ROWS)]
    for output, told in (("paid", lambda row: row["paid"] == "yes"), ("kind", lambda row: row["kind"])):
        guess = DummyClassifier(strategy="most_frequent").fit(np.zeros(len(train)), [told(row) for row in train])
        score = guess.score(np.zeros(TEST), [told(row) for row in rows()[-TEST:]], **with_weights)
        assert found[output]["baseline"]["weighted"] == {"accuracy": pytest.approx(score)}
    mean = np.broadcast_to(np.mean([[row["width"], row["height"]] for row in train], axis=0), sizes.shape)
    assert found["size"]["baseline"]["weighted"] == {
        "rmse": pytest.approx(metrics.mean_squared_error(sizes, mean, **with_weights) ** 0.5),
        "mae": pytest.approx(metrics.mean_absolute_error(sizes, mean, **with_weights)),
    }
    for output, scored in found.items():
        wanted_baseline = built.metrics["test"][output]["baseline"]["weighted"]
        assert scored["baseline"]["weighted"] == pytest.approx(wanted_baseline), output
    some = [{**row, "worth": -1 if i == 4 else 1} for i, row in enumerate(rows()[-TEST:])]
    refused = CliRunner().invoke(main, ["evaluate", str(built.onnx), str(table(tmp_path / "odd.csv", some))])
    assert refused.exit_code == 1
    assert "weights `worth` are missing, infinite or negative in 1 of 30 samples" in refused.stderr


def _no(run: Run) -> bool:
    """Whether most training rows say no."""
    return sum(row["paid"] == "no" for row in rows()[: int(0.6 * ROWS)]) > 0.3 * ROWS


def test_rows_without_a_target_are_left_out_and_counted(built: Run, tmp_path: Path) -> None:
    some = rows()[-TEST:]
    some[3] |= {"paid": "", "kind": "", "width": ""}
    found = evaluated(built, table(tmp_path / "gap.csv", some))
    assert found["left_out"] == 1
    less = evaluated(built, table(tmp_path / "less.csv", some[:3] + some[4:]))
    assert_same_metrics(found["outputs"], less["outputs"])
    said = CliRunner().invoke(main, ["evaluate", str(built.onnx), str(tmp_path / "gap.csv")])
    assert "30 samples, 1 of them left out because their target is missing" in said.output


def test_the_text_has_metrics_classes_and_the_confusion(built: Run, tmp_path: Path) -> None:
    data, out = table(tmp_path / "test.csv", rows()[-TEST:]), tmp_path / "metrics.json"
    said = CliRunner().invoke(main, ["evaluate", str(built.onnx), str(data), "--by", "town", "--out", str(out)])
    assert said.exit_code == 0, said.output
    for word in ("baseline (majority)", "baseline (mean)", "average_precision", "Bern", "true \\ predicted", "height"):
        assert word in said.output
    assert_same_metrics(json.loads(out.read_text()), evaluated(built, data, "--by", "town"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "elm"}, "no class `elm`"),
        ({"width": "wide"}, "no number in row 1"),
    ],
    ids=["label", "number"],
)
def test_targets_that_cannot_be_read_are_told(built: Run, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    some = rows()[-TEST:]
    some[0] |= change
    done = CliRunner().invoke(main, ["evaluate", str(built.onnx), str(table(tmp_path / "bad.csv", some))])
    assert done.exit_code == 1
    assert words in done.output


def test_a_file_without_targets_is_told(built: Run, tmp_path: Path) -> None:
    some = [{key: row[key] for key in ("a", "b", "c", "paid", "width", "height", "worth")} for row in rows()]
    done = CliRunner().invoke(main, ["evaluate", str(built.onnx), str(table(tmp_path / "bare.csv", some))])
    assert done.exit_code == 1
    assert "no column `kind`" in done.output


def test_no_framework_is_loaded(built: Run, tmp_path: Path) -> None:
    data = table(tmp_path / "test.csv", rows()[-TEST:])
    code = (
        "import sys; from nnspec.cli import main\n"
        f"main(['evaluate', {str(built.onnx)!r}, {str(data)!r}], standalone_mode=False)\n"
        "assert not {'keras', 'tensorflow', 'onnx', 'jax'} & sys.modules.keys(), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("labels", "words", "expected"),
    [
        ([0, 1], ["true", "false", 1, "0.0"], [1, 0, 1, 0]),
        (["no", "yes"], ["yes", "0", 1, "no"], [1, 0, 1, 0]),  # the data may number classes that have names
        ([3, 5], ["5", 3.0, 5, "3"], [1, 0, 1, 0]),
    ],
)
def test_labels_have_one_meaning_however_they_are_spelt(
    labels: list[object], words: list[object], expected: list[int]
) -> None:
    numbered = None if isinstance(labels[0], int) else [0, 1]
    body = {"reads": "words", "labels": numbered}
    codes, known = Targets("y", body, {"classes": labels}).encode(np.array(words, dtype=object)[:, None])
    assert codes[:, 0].tolist() == expected
    assert known.all()
