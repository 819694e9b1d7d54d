"""Where yes begins: chosen on the validation split by a rule, compared with a search of every cut by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_score, recall_score

from nnspec import api, runtime
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.evaluation.evaluate import evaluate_file
from nnspec.ir import axes as ax
from nnspec.ir.graph import Output, Value
from nnspec.ir.thresholds import Threshold
from nnspec.jobs.dataset import load_dataset
from nnspec.pipeline import check
from nnspec.training.thresholds import choose_threshold

Score = Callable[..., float]
MEASURES: dict[str, Score] = {
    "f1": f1_score,
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
}


def an_output(cut: Threshold) -> Output:
    value = Value(node="x", axes=(ax.fresh("unit", 1, "x"),))
    return Output(name="y", value=value, task="binary", span=Span(Source("", "")), cut=cut)


def scored(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Few distinct scores, so that many are equal."""
    rng = np.random.default_rng(seed)
    truth = rng.random(60) < 0.3
    scores = np.round(np.clip(0.35 * truth + rng.random(60) * 0.7, 0, 1), 1 + seed % 3)
    return scores.astype(np.float32), truth


def at(threshold: float, scores: np.ndarray) -> np.ndarray:
    return scores > np.float32(threshold)


@pytest.mark.parametrize("metric", MEASURES)
def test_of_a_saturated_sigmoid_it_is_a_share_too(metric: str) -> None:
    """Nothing is below a score of 0 that Keras' metrics, and a `>` in the graph, take as a threshold."""
    scores, truth = np.array([0, 0, 0.25, 1], np.float32), np.array([True, True, False, True])
    chosen = choose_threshold(an_output(Threshold("maximize", metric)), scores, truth)
    assert 0 <= chosen <= 1
    best = max(MEASURES[metric](truth, at(cut, scores)) for cut in scores.tolist())
    assert MEASURES[metric](truth, at(chosen, scores)) == pytest.approx(best)


@pytest.mark.parametrize("metric", MEASURES)
def test_it_is_where_runtimes_agree(metric: str) -> None:
    """ONNX Runtime gives 1.5e-8 for each of the first three, and 1 for each of the last three."""
    scores = np.array([1e-38, 3e-30, 1e-9, 0.25, 0.75, 1 - 6e-8, 1, 1], np.float32)
    truth = np.array([False, True, True, False, True, False, True, True])
    chosen = choose_threshold(an_output(Threshold("maximize", metric)), scores, truth)
    deployed = np.array([1.5e-8, 1.5e-8, 1.5e-8, 0.25, 0.75, 1, 1, 1], np.float32)
    assert (at(chosen, scores) == at(chosen, deployed)).all()
    assert 0.25 <= chosen < 0.75


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", MEASURES)
def test_no_cut_is_better(metric: str, seed: int) -> None:
    scores, truth = scored(seed)
    measure = MEASURES[metric]
    chosen = choose_threshold(an_output(Threshold("maximize", metric)), scores, truth)
    best = max(measure(truth, at(cut, scores)) for cut in [0.0, *scores.tolist()])
    assert measure(truth, at(chosen, scores)) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("rule", "reached", "other"),
    [("precision", precision_score, recall_score), ("recall", recall_score, precision_score)],
)
def test_a_goal_is_reached_at_the_best_of_the_other(rule: str, reached: Score, other: Score, seed: int) -> None:
    scores, truth = scored(seed)
    chosen = at(choose_threshold(an_output(Threshold(rule, 0.6)), scores, truth), scores)
    cuts = [at(cut, scores) for cut in [-1.0, *scores.tolist()] if at(cut, scores).any()]
    fitting = [other(truth, said) for said in cuts if reached(truth, said) >= 0.6]
    assert reached(truth, chosen) >= 0.6
    assert other(truth, chosen) == pytest.approx(max(fitting))


def test_of_equal_cuts_the_one_nearest_to_the_usual() -> None:
    scores = np.array([0.1, 0.2, 0.9, 0.95], np.float32)
    truth = np.array([False, False, True, True])
    assert choose_threshold(an_output(Threshold("maximize", "f1")), scores, truth) == pytest.approx(0.55)


def test_a_quantile_leaves_known_anomalies_out() -> None:
    scores = np.arange(100, dtype=np.float32)
    output = an_output(Threshold("quantile", 0.9))
    assert choose_threshold(output, scores, None) == pytest.approx(np.quantile(scores, 0.9))
    assert choose_threshold(output, scores, scores >= 50) == pytest.approx(np.quantile(scores[:50], 0.9))


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(SpecError) as error:
        choose_threshold(an_output(Threshold("maximize", "f1")), np.ones(4, np.float32), np.zeros(4, bool))
    assert error.value.diagnostics[0].code == "NN586"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Scores, not probabilities: a rare yes, and a metric whose threshold the spec leaves open."""
    folder = tmp_path_factory.mktemp("threshold")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, 0] + rng.normal(0, 0.6, 400) > 1.3).astype(int)
    lines = [f"{a:.5f},{b:.5f},{c}" for (a, b), c in zip(x, y, strict=True)]
    (folder / "t.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    output = {
        "task": "binary",
        "threshold": {"maximize": "f1"},
        "loss": {"BinaryCrossentropy": {"from_logits": True}},
        "metrics": ["Precision", {"Recall": {"thresholds": 0.9}}],
    }
    body = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": 2}}},
        "data": {
            "source": {"csv": "t.csv"},
            "split": {"train": 0.5, "validation": 0.25, "test": 0.25},
            "inputs": {"x": {"columns": ["a", "b"]}},
            "outputs": {"y": {"columns": ["y"], "classes": [0, 1]}},
        },
        "model": [{"Dense": {"units": 1}}],
        "outputs": {"y": output},
        "training": {"epochs": 4, "optimizer": {"Adam": {"learning_rate": 0.05}}},
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return folder, api.load(folder / "spec.yaml").build(folder / "out")


def test_file_labels_metadata_and_metrics_follow_the_choice(built: tuple[Path, Any]) -> None:
    folder, run = built
    data = load_dataset(check(folder / "spec.yaml"))
    predict = runtime.load(run.onnx)
    told = predict.metadata["outputs"]["y"]
    assert told["threshold_rule"] == {"maximize": "f1"}
    assert told["threshold"] != 0
    for name, split in data.splits.items():
        given = predict(split.raw["x"])
        said = at(told["threshold"], given["y"])
        np.testing.assert_array_equal(given["y_label"], said.astype(int))
        metrics, truth = run.metrics[name]["y"], split.y["y"] > 0.5
        assert metrics["threshold"] == told["threshold"]
        assert metrics["f1"] == pytest.approx(f1_score(truth, said))
        assert metrics["precision"] == pytest.approx(precision_score(truth, said))  # the metric that the spec asks for
        high = 1 / (1 + np.exp(-given["y"])) > 0.9
        assert metrics["recall"] == pytest.approx(recall_score(truth, high))  # which names a threshold
        if name == "validation":
            cuts = [f1_score(truth, at(cut, given["y"])) for cut in given["y"].reshape(-1).tolist()]
            assert metrics["f1"] == pytest.approx(max(cuts))


def test_evaluation_and_a_second_export_keep_it(built: tuple[Path, Any], tmp_path: Path) -> None:
    folder, run = built
    predict = runtime.load(run.onnx)
    found = evaluate_file(predict, folder / "t.csv")["outputs"]["y"]
    truth = np.array([int(line.split(",")[2]) for line in (folder / "t.csv").read_text().splitlines()[1:]])
    raw = np.loadtxt(folder / "t.csv", delimiter=",", skiprows=1, usecols=(0, 1), dtype=np.float32)
    said = predict(raw)["y_label"].reshape(-1)
    assert found["precision"] == pytest.approx(precision_score(truth, said))
    again = api.load(folder / "spec.yaml").export(tmp_path / "out", weights=run.folder / "model.keras")
    told = runtime.load(again.onnx).metadata["outputs"]["y"]
    assert told["threshold"] == predict.metadata["outputs"]["y"]["threshold"]


def test_a_deployment_through_json_keeps_it() -> None:
    output = an_output(Threshold("maximize", "f1"))
    read = Deployment.from_json({"inputs": {}, "outputs": {"y": {"threshold": 0.25}}})
    assert read.threshold(output) == 0.25
    assert Deployment.from_json(read.unscaled.to_json()).threshold(output) == 0.25
    assert Deployment().threshold(output) == 0.5
