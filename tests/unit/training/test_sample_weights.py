"""A column of sample weights: losses are those that NumPy computes with them, of training and of validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.data.dataset import load
from tests.unit.data.section.test_plan import plan_of, slot

ROWS, TRAIN = 40, 28
SPEC: dict[str, Any] = {
    "nnspec": 1,
    "data": {
        "source": {"csv": "rows.csv"},
        "weight": "importance",
        "split": {"train": 0.7, "validation": 0.3, "by": "order"},
        "inputs": {"x": {"columns": ["a"]}},
        "outputs": {"kind": {"columns": ["kind"]}, "height": {"columns": ["height"]}},
    },
    "inputs": {"x": {"axes": {"feature": 1}}},
    "model": [
        {"Dense": {"units": 3, "activation": "softmax", "as": "class", "name": "kinds"}},
        {"Dense": {"units": 1, "name": "height", "from": "x"}},
    ],
    "outputs": {
        "kind": {"from": "kinds", "task": "classification"},
        "height": {"from": "height", "task": "regression"},
    },
}


@pytest.mark.parametrize("is_balanced", [False, True])
def test_losses_are_multiplied_by_them(is_balanced: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    values, weights = rng.normal(size=ROWS).round(3), rng.integers(0, 5, size=ROWS) / 2
    kinds = rng.choice(3, size=ROWS, p=[0.6, 0.3, 0.1])
    kinds[:3] = 0, 1, 2
    lines = [f"{a},{kind},{2 * a},{weight}" for a, kind, weight in zip(values, kinds, weights, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,kind,height,importance", *lines]) + "\n", encoding="utf-8")
    still = {"SGD": {"learning_rate": 1e-30}}  # so that all batches see the same network
    training = {"epochs": 1, "batch_size": TRAIN, "optimizer": still, "seed": 1}
    training |= {"class_weight": "balanced"} if is_balanced else {}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump({**SPEC, "training": training}), encoding="utf-8")
    run = api.load(tmp_path / "spec.yaml").train(tmp_path / "out")
    model = keras.saving.load_model(tmp_path / "out" / "model.keras", compile=False)
    predicted = model.predict(values[:, None].astype(np.float32), verbose=0)
    shares, heights = (np.asarray(predicted[name]) for name in ("kind", "height"))
    counts = np.bincount(kinds[:TRAIN], minlength=3)
    of_kind = weights * (TRAIN / (3 * counts))[kinds] if is_balanced else weights
    for prefix, part, own in (("", slice(TRAIN), of_kind), ("val_", slice(TRAIN, None), weights)):
        kind = np.mean((-np.log(shares[np.arange(ROWS), kinds]) * own)[part])
        height = np.mean(((heights[:, 0] - 2 * values) ** 2 * weights)[part])
        np.testing.assert_allclose(run.history[0][f"{prefix}loss"], kind + height, rtol=1e-5)


def test_a_window_has_that_of_its_last_target(tmp_path: Path) -> None:
    lines = [f"{9 - row},{row},{row / 2}" for row in range(10)]  # the newest first
    (tmp_path / "a.csv").write_text("\n".join(["t,v,w", *lines]) + "\n", encoding="utf-8")
    text = """
source: {csv: a.csv}
order_by: t
weight: w
split: {train: 1.0, by: order}
window: {lookback: 3, horizon: [1, 2]}
inputs: {x: {columns: [v]}}
outputs: {y: {columns: [v]}}
"""
    y = slot("y", ("time", 2), task="regression")
    data = load(plan_of(text, tmp_path), {"x": slot("x", ("time", 3))}, {"y": y})
    split = data.splits["train"]
    assert split.weights is not None
    np.testing.assert_array_equal(split.weights, split.target["y"][:, -1] / 2)
