"""Metrics in NumPy against Keras' own objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.backends.keras.training.metrics import measure_output
from nnspec.catalogue.losses import METRICS
from nnspec.evaluation.asked import measure
from nnspec.evaluation.asked_counts import AT
from nnspec.training.metrics.outcome import Outcome

ARGUMENTS: dict[str, list[dict[str, object]]] = {  # beside the defaults; first those that a metric needs
    "AUC": [
        {"num_thresholds": 33},
        {"curve": "PR"},
        {"curve": "PR", "summation_method": "majoring"},
        {"summation_method": "minoring", "thresholds": [0.2, 0.5, 0.7]},
        {"multi_label": True},
    ],
    "PrecisionAtRecall": [{"recall": 0.6}, {"recall": 0.6, "num_thresholds": 33, "class_id": 0}],
    "RecallAtPrecision": [{"precision": 0.4}],
    "SensitivityAtSpecificity": [{"specificity": 0.7}],
    "SpecificityAtSensitivity": [{"sensitivity": 0.7}],
    "BinaryAccuracy": [{"threshold": 0.4}],
    "FalseNegatives": [{"thresholds": 0.4}],
    "Precision": [{"class_id": 0}, {"top_k": 1}, {"thresholds": [0.2, 0.6]}],
    "F1Score": [{"threshold": 0.3, "average": "macro"}, {"average": "micro"}],
    "FBetaScore": [{"beta": 2.0, "average": "weighted", "threshold": 0.4}],
    "BinaryCrossentropy": [{"label_smoothing": 0.1}],
    "CategoricalCrossentropy": [{"label_smoothing": 0.1}],
    "IoU": [{"num_classes": 3, "target_class_ids": [0, 2]}],
    "MeanIoU": [{"num_classes": 3}, {"num_classes": 3, "ignore_class": 1}],
    "OneHotIoU": [{"num_classes": 3, "target_class_ids": [1]}],
    "OneHotMeanIoU": [{"num_classes": 3}],
    "BinaryIoU": [{"target_class_ids": [1], "threshold": 0.4}],
    "R2Score": [{"class_aggregation": None}, {"class_aggregation": "variance_weighted_average", "num_regressors": 2}],
    "SparseTopKCategoricalAccuracy": [{"k": 2}],
    "TopKCategoricalAccuracy": [{"k": 2}],
}
NEEDED = {
    *AT,
    "IoU",
    "MeanIoU",
    "OneHotIoU",
    "OneHotMeanIoU",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
}  # metrics without defaults
TASKS = [
    ("regression", "sigmoid"), ("binary", "sigmoid"), ("binary", "linear"), ("multilabel", "sigmoid"),
    ("classification", "softmax"), ("classification", "linear"),
]  # fmt: skip


def asked_of(task: str) -> list[list[object]]:
    cases = [
        (kind, arguments)
        for kind in sorted(METRICS[task])
        for arguments in ([] if kind in NEEDED else [{}]) + ARGUMENTS.get(kind, [])
        if not (task == "binary" and arguments.get("top_k"))
    ]
    return [[f"m{i}", kind, arguments] for i, (kind, arguments) in enumerate(cases)]


@pytest.mark.parametrize(("task", "head"), TASKS)
def test_every_metric_of_a_task(task: str, head: str, tmp_path: Path) -> None:
    """Those that its spec may ask for, with their arguments, of rows of steps too."""
    units, count = 1 if task == "binary" else 3, 260
    asked = asked_of(task)
    loss = ", loss: {LOSS: {from_logits: true}}" if head == "linear" else ""
    body = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 4, "feature": 2}}},
        "model": [{"Dense": {"units": units, "activation": head, "as": "class"}}],
        "outputs": {"y": {"task": task, "metrics": [{kind: {**a, "name": n}} for n, kind, a in asked]}},  # type: ignore[dict-item]
    }
    if loss:
        name = "BinaryCrossentropy" if task == "binary" else "SparseCategoricalCrossentropy"
        body["outputs"]["y"]["loss"] = {name: {"from_logits": True}}  # type: ignore[index]
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
    (output,) = api.load(tmp_path / "spec.yaml").checked.graph.outputs.values()
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(count, 4, units)).astype("float32")
    given = scores if head == "linear" else 1 / (1 + np.exp(-scores))
    if head == "softmax":
        given = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    if task == "regression":
        truth = given + rng.normal(0, 0.3, given.shape).astype("float32")
    elif task == "classification":
        truth = (scores + rng.normal(0, 1, scores.shape)).argmax(axis=-1)
    else:
        truth = (scores + rng.normal(0, 1, scores.shape) > 0).astype("int64")
    wanted = measure_output(output, truth, given)
    outcome = Outcome(task=task, truth=truth, predicted=given, gives_scores=output.gives_scores)
    found, unknown = measure(asked, outcome)
    assert not unknown
    assert len(found) == len(wanted) == len(asked)
    for name, kind, arguments in asked:
        np.testing.assert_allclose(found[str(name)], wanted[str(name)], rtol=2e-3, err_msg=f"{kind} {arguments}")
    if head == "linear":
        return
    weights, some = rng.integers(0, 4, count) / 2, asked[:: 5 if task == "regression" else 3]
    of_some = tuple(output.metrics[asked.index(each)] for each in some)
    weighted = measure_output(replace(output, weighted_metrics=of_some), truth, given, weights=weights)
    found, _ = measure(some, outcome, weights)
    for name, kind, arguments in some:
        np.testing.assert_allclose(
            found[str(name)], weighted[str(name)], rtol=2e-3, err_msg=f"weighted {kind} {arguments}"
        )


def test_what_only_keras_computes_is_named() -> None:
    outcome = Outcome(task="binary", truth=np.array([[0], [1]]), predicted=np.array([[0.2], [0.7]]))
    found, unknown = measure([["a", "MyMetric", {}], ["c", "AUC", {}]], outcome)
    assert unknown == ["a"]
    assert found == {"c": 1.0}
