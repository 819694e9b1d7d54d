"""Every loss and metric of Keras trains an output of every task that it fits, with all its arguments, and is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api, runtime
from nnspec.catalogue import keras_objects
from nnspec.catalogue.losses import FRACTIONS, LOSSES, METRICS, SHARES, epoch_metrics
from nnspec.jobs import settings_of
from nnspec.pipeline import Checked, check, diagnose
from nnspec.training.train import compile_model
from tests.support.training_arguments import others

TASKS = sorted(set(LOSSES) - {"quantiles"})  # test_quantiles.py tries those
HEADS = {"regression": "softplus", "classification": "softmax", "binary": "sigmoid", "multilabel": "sigmoid"}
WIDTHS = {"regression": 2, "classification": 3, "binary": 1, "multilabel": 3}
TRACED = "multilabel"  # as in training; of the other tasks the specs and the tests of trainings trace what is common
# Losses that no task fits, each with its reason in NN509.
OF_NO_TASK = {"CTC", "Circle"}
SAMPLES = 10


def write(folder: Path, outputs: dict[str, Any], heads: dict[str, Any], **more: Any) -> Path:
    """A spec with one head an output, all on the same body."""
    model: list[Any] = [{"Dense": {"units": 6, "activation": "tanh", "name": "body"}}]
    model += [
        {"Dense": {**body, "from": "body", "as": "class", "name": f"head_{name}"}} for name, body in heads.items()
    ]
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": 5}}},
        "model": model,
        "outputs": {name: {**body, "from": f"head_{name}"} for name, body in outputs.items()},
        **more,
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def head(task: str, loss: str = "", arguments: Any = None) -> dict[str, Any]:
    activation = HEADS[task]
    if task == "regression":
        activation = (
            "softmax" if loss in SHARES else "sigmoid" if loss in FRACTIONS | {"Dice", "Tversky"} else "softplus"
        )
    return {"units": WIDTHS[task], "activation": "linear" if (arguments or {}).get("from_logits") else activation}


def targets(task: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if task == "classification":
        return rng.permutation(np.arange(SAMPLES) % 3)
    if task == "regression":
        values = rng.random((SAMPLES, 2)).astype("float32")
        return values / values.sum(-1, keepdims=True)
    return rng.integers(0, 2, (SAMPLES, WIDTHS[task])).astype("float32")


def kinds_of(table: Any, task: str) -> list[str]:
    """The losses or metrics to try: those of yes and no with one of them, and of a multilabel what is only its own."""
    known = table["binary"] if task == "multilabel" else set()
    return sorted((table[task] - known) | ({"BinaryCrossentropy", "Hinge"} & table[task]))


def inputs() -> np.ndarray:
    return np.random.default_rng(1).random((SAMPLES, 5)).astype("float32")


def checked(path: Path) -> Checked:
    found = check(path)
    assert not [d for d in found.warnings if d.code not in ("NN211", "NN335")]  # a hinge over probabilities trains
    return found


def compiled(found: Checked, *, is_traced: bool = False) -> Any:
    """The model as it is trained; untraced it computes a few batches in a fifth of the time that tracing takes."""
    model = compile_model(found.graph, settings_of(found)).model
    model.run_eagerly = not is_traced
    return model


def agree(config: dict[str, Any], arguments: dict[str, Any], built: Any) -> None:
    """The object has exactly these values; what a config leaves out is an argument of its function."""
    known = {**getattr(built, "_fn_kwargs", {}), **config}
    for key, value in arguments.items():
        np.testing.assert_equal(np.asarray(known[key] if key in known else getattr(built, key)), np.asarray(value), key)


def test_every_loss_and_metric_has_a_task() -> None:
    assert set().union(*LOSSES.values()) | OF_NO_TASK == set(keras_objects.names("losses"))
    assert set().union(*METRICS.values()) == set(keras_objects.names("metrics"))


@pytest.mark.parametrize("task", TASKS)
def test_every_loss_trains_with_all_its_arguments(task: str, tmp_path: Path) -> None:
    arguments = {}
    for name in kinds_of(LOSSES, task):
        is_per_class = task == "classification" and name == "CategoricalFocalCrossentropy"
        given = {"alpha": [0.2, 0.3, 0.5] if is_per_class else 0.4, "axis": -1}
        arguments[name] = others("losses", name, given)
    outputs = {n: {"task": task, "loss": {n: a}, "weight": 0.5} for n, a in arguments.items()}
    found = checked(write(tmp_path, outputs, {n: head(task, n, a) for n, a in arguments.items()}))
    model = compiled(found, is_traced=task == TRACED)
    before = {name: model.get_layer(f"head_{name}").get_weights()[0] for name in outputs}
    history = model.fit(inputs(), {n: targets(task) for n in outputs}, batch_size=5, verbose=0).history
    for name, given in arguments.items():
        agree(model.loss[name].get_config(), given, model.loss[name])
        assert np.isfinite(history[f"{name}_loss"]).all(), name
        assert not np.array_equal(before[name], model.get_layer(f"head_{name}").get_weights()[0]), name
    assert set(history) == set(epoch_metrics(found.graph, is_validated=False))


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_measures_with_and_without_its_arguments(task: str, tmp_path: Path) -> None:
    width = WIDTHS[task]
    given: dict[str, Any] = {
        "num_classes": 3, "target_class_ids": [1], "axis": -1, "k": 2, "top_k": min(2, width), "class_id": width - 1,
        "num_labels": width, "label_weights": [0.5] * width, "ignore_class": 1, "from_sorted_ids": False,
        "from_logits": False, "thresholds": [0.2, 0.6, 0.7], "threshold": 0.4, "name": None,
    }  # fmt: skip
    without = {"Precision": ("thresholds",), "Recall": ("thresholds",), "AUC": ("num_thresholds",)}
    kinds = kinds_of(METRICS, task)
    full = {n: others("metrics", n, given, without=without.get(n, ())) for n in kinds}
    small = {n: {k: given.get(k, 0.5) for k in keras_objects.required_arguments("metrics", n)} for n in kinds}
    for body in (small.get("SparseTopKCategoricalAccuracy"), small.get("TopKCategoricalAccuracy")):
        if body is not None:
            body["k"] = 2
    outputs = {
        "plain": {"task": task, "metrics": [{n: a} if a else n for n, a in small.items()]},
        "full": {"task": task, "metrics": [{n: a} for n, a in full.items()]},
    }
    found = checked(write(tmp_path, outputs, {name: head(task) for name in outputs}))
    model = compiled(found, is_traced=task == TRACED)
    history = model.fit(inputs(), dict.fromkeys(outputs, targets(task)), verbose=0).history
    assert set(history) == set(epoch_metrics(found.graph, is_validated=False))
    assert not {name for name, values in history.items() if not np.isfinite(values).all()}
    built = {
        type(metric).__name__: metric for metric in model._compile_metrics.metrics[: len(kinds)]
    }  # `full` is before `plain`
    for name, arguments in full.items():
        arguments.pop("name")
        agree(built[name].get_config(), arguments, built[name])


def test_metrics_are_those_of_sklearn(tmp_path: Path) -> None:
    """Targets are indices; each metric gets them in its form."""
    from sklearn import metrics

    names = [
        "accuracy",
        "CategoricalAccuracy",
        "CategoricalCrossentropy",
        "SparseCategoricalCrossentropy",
        "KLDivergence",
    ]
    bodies = [
        {"F1Score": {"average": "macro"}},
        {"MeanIoU": {"num_classes": 3}},
        {"OneHotMeanIoU": {"num_classes": 3}},
        {"Precision": {"class_id": 1, "thresholds": 0.4}},
        {"AUC": {"multi_label": True, "num_thresholds": 5000}},
        {"SparseTopKCategoricalAccuracy": {"k": 2}},
        {"MeanSquaredError": None},
    ]
    outputs = {"y": {"task": "classification", "metrics": [*names, *bodies]}}
    model = compiled(checked(write(tmp_path, outputs, {"y": head("classification")})))
    truth = targets("classification")
    p = model.predict(inputs(), verbose=0).astype(np.float64)
    p /= p.sum(1, keepdims=True)  # sklearn asks for more digits of 1 than float32 has
    got = model.evaluate(inputs(), truth, return_dict=True, verbose=0)
    chosen, shares = p.argmax(1), np.eye(3)[truth]
    wanted = {
        "accuracy": metrics.accuracy_score(truth, chosen),
        "CategoricalAccuracy": metrics.accuracy_score(truth, chosen),
        "f1_score": metrics.f1_score(truth, chosen, average="macro", zero_division=0),
        "mean_io_u": metrics.jaccard_score(truth, chosen, average="macro", zero_division=0),
        "one_hot_mean_io_u": metrics.jaccard_score(truth, chosen, average="macro", zero_division=0),
        "precision": metrics.precision_score(truth == 1, p[:, 1] > 0.4, zero_division=0),
        "auc": metrics.roc_auc_score(shares, p, average="macro"),
        "sparse_top_k_categorical_accuracy": metrics.top_k_accuracy_score(truth, p, k=2),
        "mean_squared_error": metrics.mean_squared_error(shares, p),
        **dict.fromkeys(names[2:], metrics.log_loss(truth, p)),
    }
    for name, value in wanted.items():
        assert got[name] == pytest.approx(value, abs=2e-3 if name == "auc" else 1e-5), name


CLASSES_FIRST = """
nnspec: 1
inputs: {x: {axes: {time: 4, feature: 5}}}
model:
  - Dense: {units: 3, as: class}
  - permute: [class, time]
  - Softmax: {axis: class}
outputs:
  y:
    task: classification
    loss: LOSS
    metrics: [accuracy, {F1Score: {average: macro}}, {MeanIoU: {num_classes: 3, axis: AXIS}}]
"""


@pytest.mark.parametrize("loss", ["CategoricalFocalCrossentropy", "Dice"])
def test_classes_may_lie_along_any_axis(loss: str, tmp_path: Path) -> None:
    """The classes before the steps give the metrics of the classes behind them."""
    first = CLASSES_FIRST.replace("LOSS", loss).replace("AXIS", "1")
    last = first.replace("  - permute: [class, time]\n", "").replace("axis: 1", "axis: 2")
    x = np.random.default_rng(1).random((SAMPLES, 4, 5)).astype("float32")
    y = np.random.default_rng(2).integers(0, 3, (SAMPLES, 4))
    found = []
    for text in (first, last):
        (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
        model = compiled(checked(tmp_path / "spec.yaml"))
        found.append(model.evaluate(x, y, return_dict=True, verbose=0))
    assert found[0] == pytest.approx(found[1])
    assert 0 < found[0]["mean_io_u"] < 1


@pytest.mark.parametrize("task", ["classification", "binary", "multilabel"])
def test_metrics_of_logits_are_those_of_probabilities(task: str, tmp_path: Path) -> None:
    loss = "SparseCategoricalCrossentropy" if task == "classification" else "BinaryCrossentropy"
    metrics = ["crossentropy_metric", "accuracy", {"AUC": None}, {"Precision": {"thresholds": 0.4}}, "MeanSquaredError"]
    metrics[0] = loss
    outputs = {
        "scores": {"task": task, "loss": {loss: {"from_logits": True}}, "metrics": metrics},
        "shares": {"task": task, "metrics": metrics},
    }
    heads = {"scores": head(task, loss, {"from_logits": True}), "shares": head(task)}
    model = compiled(checked(write(tmp_path, outputs, heads)))
    model.get_layer("head_scores").set_weights([w - 0.4 for w in model.get_layer("head_shares").get_weights()])
    model.get_layer("head_shares").set_weights(model.get_layer("head_scores").get_weights())
    got = model.evaluate(inputs(), dict.fromkeys(outputs, targets(task)), return_dict=True, verbose=0)
    for name, value in got.items():
        if name.startswith("scores_"):
            assert value == pytest.approx(got[name.replace("scores_", "shares_")], abs=1e-5), name
    assert 0 < got["scores_accuracy"] < 1


@pytest.mark.parametrize(
    ("loss", "activation"), [("Hinge", "tanh"), ("SquaredHinge", "linear"), ("BinaryCrossentropy", "sigmoid")]
)
def test_losses_of_scores_take_a_head_without_sigmoid(loss: str, activation: str, tmp_path: Path) -> None:
    outputs = {"y": {"task": "binary", "loss": loss}}
    found = check(write(tmp_path, outputs, {"y": {"units": 1, "activation": activation}}))
    assert found.graph.outputs["y"].threshold == (0.5 if activation == "sigmoid" else 0.0)
    refused = write(tmp_path, {"y": {"task": "binary"}}, {"y": {"units": 1, "activation": activation}})
    assert [d.code for d in diagnose(refused)] == ([] if activation == "sigmoid" else ["NN507"])


def test_metrics_of_one_name_are_numbered_the_same_in_every_model(tmp_path: Path) -> None:
    metrics = [{"AUC": None}, {"AUC": {"curve": "PR"}}, {"AUC": {"curve": "PR", "name": "area"}}]
    path = write(tmp_path, {"y": {"task": "binary", "metrics": metrics}}, {"y": head("binary")})
    for _ in range(2):
        model = compiled(checked(path))
        assert list(model.evaluate(inputs(), targets("binary"), return_dict=True, verbose=0)) == [
            "area", "auc", "auc_1", "loss",
        ]  # fmt: skip


def test_a_saved_model_is_one_of_plain_keras(tmp_path: Path) -> None:
    outputs = {"y": {"task": "classification", "loss": "CategoricalCrossentropy", "metrics": ["AUC"]}}
    model = compiled(checked(write(tmp_path, outputs, {"y": head("classification")})), is_traced=True)
    model.fit(inputs(), targets("classification"), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.loss) is keras.losses.CategoricalCrossentropy
    np.testing.assert_array_equal(again.predict(inputs(), verbose=0), model.predict(inputs(), verbose=0))


def test_adjusted_r2(tmp_path: Path) -> None:
    metrics = [{"R2Score": {"num_regressors": p, "name": f"r2_{p}"}} for p in (0, 3, 9, 30)]
    path = write(tmp_path, {"y": {"task": "regression", "metrics": metrics}}, {"y": {"units": 1}})
    model = compiled(checked(path))
    y = targets("regression")[:, :1]
    got = model.evaluate(inputs(), y, return_dict=True, verbose=0)
    residual = y - model.predict(inputs(), verbose=0)
    r2 = 1 - np.square(residual).sum() / np.square(y - y.mean()).sum()
    assert got["r2_0"] == pytest.approx(r2, rel=1e-4)
    assert got["r2_3"] == pytest.approx(1 - (1 - r2) * (SAMPLES - 1) / (SAMPLES - 4), rel=1e-4)
    assert got["r2_9"] == got["r2_30"] == got["r2_0"]


def test_the_deployed_label_of_a_score_begins_at_zero(tmp_path: Path) -> None:
    """In the graph, in the runtime's columns and in the metrics alike."""
    outputs = {
        "scores": {"task": "binary", "classes": ["no", "yes"], "loss": {"BinaryCrossentropy": {"from_logits": True}}},
        "shares": {"task": "binary", "classes": ["no", "yes"]},
    }
    heads = {"scores": {"units": 1}, "shares": {"units": 1, "activation": "sigmoid"}}
    run = api.load(write(tmp_path, outputs, heads)).export(tmp_path / "out", untrained=True)
    x = np.random.default_rng(4).normal(0, 3, (40, 5)).astype("float32")
    predict = runtime.load(run.onnx)
    got = predict(x=x)
    for name, threshold in (("scores", 0.0), ("shares", 0.5)):
        assert got[f"{name}_label"].tolist() == [["yes"] if value > threshold else ["no"] for value in got[name][:, 0]]
        assert len(set(got[f"{name}_label"].reshape(-1))) == 2
    between = (got["scores"] > 0) & (got["scores"] < 0.5)
    assert between.any(), "no score tells the thresholds apart"
