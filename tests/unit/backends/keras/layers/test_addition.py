"""Sums of values that are repeated, at the sizes at which Keras on TensorFlow takes one for a bias."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from nnspec import pipeline
from nnspec.backends.keras.layers.addition import add
from nnspec.backends.keras.model import build_model

SHAPES = [
    ((4, 6, 4), (4, 1, 1)),
    ((6, 6, 4), (6, 1, 1)),
    ((1, 4, 4), (1, 4, 1)),
    ((1, 4, 1), (1, 1, 4)),
    ((1, 4, 3), (4, 1, 1)),
    ((2, 5, 5, 6), (1, 1, 5, 1)),
    ((3, 4), (3, 1)),
    ((3, 5, 4), (4,)),
    ((3, 5, 4), (3, 5, 4)),
]


@pytest.mark.parametrize(("left", "right"), SHAPES, ids=str)
def test_sums(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=left).astype(np.float32), rng.normal(size=right).astype(np.float32)
    np.testing.assert_allclose(add(ops.convert_to_tensor(x), ops.convert_to_tensor(y)), x + y, atol=1e-6)


def test_keras_needs_the_help() -> None:
    """Once it does not, `add` may go."""
    x, y = np.zeros((4, 6, 4), np.float32), np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    assert np.abs(np.asarray(ops.add(x, y)) - (x + y)).max() == 3.0


@pytest.mark.parametrize("kind", ["Add", "Average"])
def test_a_number_for_each_sample(kind: str, tmp_path: Path) -> None:
    """As many samples as channels."""
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 3, "channel": 4}}},
        "model": [
            {"reduce": {"name": "mean", "axis": ["time", "channel"], "by": "mean", "keepdims": True}},
            {kind: {"from": ["x", "mean"], "broadcast": ["time", "channel"]}},
        ],
        "outputs": {"y": {"task": "regression"}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    model = build_model(pipeline.check(path).graph).model
    x = np.random.default_rng(2).normal(size=(4, 3, 4)).astype(np.float32)
    wanted = x + x.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(model(x), wanted if kind == "Add" else wanted / 2, atol=1e-6)
