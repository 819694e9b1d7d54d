"""Metrics in NumPy against Keras' own objects."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from nnspec.evaluation.asked import measure
from nnspec.training.figures.outcome import Outcome

RNG = np.random.default_rng(8)
SHARES = RNG.random((300, 1)).astype("float32")
YES = (RNG.random((300, 1)) < 0.3 + 0.4 * SHARES).astype("int64")
SCORES = np.exp(RNG.normal(size=(200, 7)))
KINDS = RNG.integers(0, 7, 200)
NUMBERS = RNG.normal(4, 1, (90, 3)).astype("float32")
GUESSES = (NUMBERS + RNG.normal(0, 0.5, (90, 3))).astype("float32")


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("AUC", {}),
        ("AUC", {"num_thresholds": 33}),
        ("AUC", {"curve": "PR"}),
        ("Precision", {}),
        ("Precision", {"thresholds": 0.7}),
        ("Recall", {"thresholds": [0.2, 0.8]}),
        ("TruePositives", {}),
        ("TrueNegatives", {}),
        ("FalsePositives", {}),
        ("FalseNegatives", {"thresholds": 0.4}),
        ("BinaryAccuracy", {"threshold": 0.4}),
        ("MeanSquaredError", {}),
    ],
)
def test_yes_or_no(kind: str, arguments: dict[str, Any]) -> None:
    metric = getattr(keras.metrics, kind)(**arguments)
    metric.update_state(YES, SHARES)
    found, unknown = measure([["m", kind, arguments]], Outcome(task="binary", truth=YES, predicted=SHARES))
    assert not unknown
    np.testing.assert_allclose(found["m"], np.asarray(metric.result()), rtol=1e-4)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("AUC", {}),
        ("Precision", {"thresholds": 0.2}),
        ("CategoricalAccuracy", {}),
        ("TopKCategoricalAccuracy", {"k": 3}),
        ("F1Score", {}),
        ("F1Score", {"average": "macro"}),
        ("F1Score", {"average": "weighted"}),
        ("F1Score", {"average": "micro"}),
        ("MeanAbsoluteError", {}),
    ],
)
def test_classes(kind: str, arguments: dict[str, Any]) -> None:
    shares = (SCORES / SCORES.sum(axis=1, keepdims=True)).astype("float32")
    metric = getattr(keras.metrics, kind)(**arguments)
    metric.update_state(np.eye(7, dtype="float32")[KINDS], shares)
    found, unknown = measure([["m", kind, arguments]], Outcome(task="classification", truth=KINDS, predicted=shares))
    assert not unknown
    np.testing.assert_allclose(found["m"], np.asarray(metric.result()), rtol=1e-4)


@pytest.mark.parametrize(
    "kind",
    [
        "MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError", "R2Score",
    ],
)  # fmt: skip
def test_numbers(kind: str) -> None:
    metric = getattr(keras.metrics, kind)()
    metric.update_state(NUMBERS, GUESSES)
    found, unknown = measure([["m", kind, {}]], Outcome(task="regression", truth=NUMBERS, predicted=GUESSES))
    assert not unknown
    np.testing.assert_allclose(found["m"], np.asarray(metric.result()), rtol=1e-4)


def test_intersection_over_union() -> None:
    metric = keras.metrics.MeanIoU(num_classes=7)
    metric.update_state(KINDS, SCORES.argmax(axis=-1))
    outcome = Outcome(task="classification", truth=KINDS, predicted=SCORES)
    found, unknown = measure([["m", "MeanIoU", {"num_classes": 7}]], outcome)
    assert not unknown
    assert found["m"] == pytest.approx(float(metric.result()), rel=1e-5)


def test_what_only_keras_computes_is_named() -> None:
    outcome = Outcome(task="binary", truth=YES, predicted=SHARES)
    found, unknown = measure([["a", "Hinge", {}], ["b", "AUC", {"label_weights": [1]}], ["c", "AUC", {}]], outcome)
    assert unknown == ["a", "b"]
    assert [*found] == ["c"]
