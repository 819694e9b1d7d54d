"""`trainable: false` on a block or a repeat freezes all layers in it, as Keras does on a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import pipeline
from nnspec.backends.keras.model import build_model

BODY = {
    "model": [
        {"Dense": {"units": 4}},
        "BatchNormalization",
        {"formula": {"expression": "x * g", "weights": {"g": {"axes": {"unit": None}, "initializer": "ones"}}}},
        {"TimeDistributed": {"over": "time", "layer": {"Dense": {"units": 2, "as": "unit"}}}},
    ]
}


def checked(folder: Path, model: list[Any], **more: Any) -> pipeline.Checked:
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 5, "feature": 3}}},
        "blocks": {"body": BODY, "outer": {"model": [{"block": {"use": "body", "name": "inner"}}]}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
        **more,
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return pipeline.check(folder / "spec.yaml")


@pytest.mark.parametrize(
    "item",
    [
        {"block": {"use": "body", "trainable": False}},
        {"block": {"use": "outer", "trainable": False}},
        {"repeat": {"times": 1, "trainable": False, "model": [{"block": "outer"}]}},
        {"block": {"use": "outer", "trainable": "$free"}},
    ],
    ids=["block", "block in a block", "repeat", "by a variable"],
)
def test_all_layers_in_it_are_frozen(item: dict[str, Any], tmp_path: Path) -> None:
    graph = checked(tmp_path, [item, {"Dense": {"units": 1, "name": "head"}}], vars={"free": False}).graph
    assert {node.name for node in graph.nodes if node.trainable_parameters} == {"head"}
    assert graph.parameters > graph.trainable_parameters == 3
    model = build_model(graph).model
    assert [tuple(weight.shape) for weight in model.trainable_weights] == [(2, 1), (1,)]


def test_the_rest_is_trained(tmp_path: Path) -> None:
    graph = checked(tmp_path, [{"block": {"use": "body", "trainable": True}}, {"block": "body"}]).graph
    assert sum(int(np.prod(w.shape)) for w in build_model(graph).model.trainable_weights) == graph.trainable_parameters
    assert graph.parameters - graph.trainable_parameters == 2 * 2 * 4  # moving means and variances


def test_a_parameter_of_that_name_is_the_blocks_own(tmp_path: Path) -> None:
    blocks = {"one": {"parameters": {"trainable": True}, "model": [{"Dense": {"units": 2, "trainable": "$trainable"}}]}}
    graph = checked(tmp_path, [{"block": {"use": "one", "trainable": False}}, {"Dense": 1}], blocks=blocks).graph
    assert [bool(node.trainable_parameters) for node in graph.nodes] == [False, True]


def test_batch_normalization_in_it_infers_in_training(tmp_path: Path) -> None:
    """By its moving statistics, as Keras' layer does where `trainable` is false."""
    graph = checked(tmp_path, [{"block": {"use": "body", "name": "base", "trainable": False}}]).graph
    compiled = build_model(graph)
    layer = compiled.layers["base/batch_normalization_1"]
    layer.moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    x = np.random.default_rng(0).normal(size=(7, 5, 3)).astype("f4")
    inner = keras.Model(compiled.model.input, compiled.tensors["base/batch_normalization_1"])
    np.testing.assert_array_equal(inner(x, training=True), inner(x, training=False))
    np.testing.assert_array_equal(layer.moving_mean, [1.0, 2.0, 3.0, 4.0])
