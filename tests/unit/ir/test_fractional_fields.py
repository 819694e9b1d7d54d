"""Receptive fields of what makes more positions than it reads, against the gradient of the built Keras model."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from nnspec import pipeline, show
from nnspec.backends.keras.model import build_model
from nnspec.ir.graph import Graph

LENGTH = 24
CONV = {"Conv1D": {"filters": 1, "kernel_size": 3, "padding": "same"}}
DOWN = {"Conv1D": {"filters": 1, "kernel_size": 4, "strides": 2, "padding": "same"}}


def up(kernel: int, strides: int, **more: Any) -> dict[str, Any]:
    return {"Conv1DTranspose": {"filters": 1, "kernel_size": kernel, "strides": strides, **more}}


NETWORKS = {
    "valid": [up(3, 2)],
    "same": [up(5, 2, padding="same")],
    "gaps": [up(2, 3)],
    "dilated": [up(3, 1, dilation_rate=4, padding="same")],
    "then-convolution": [up(4, 2, padding="same"), CONV, CONV],
    "there-and-back": [DOWN, up(4, 2, padding="same"), CONV],
    "repeated": [CONV, {"UpSampling1D": {"size": 2}}, CONV, {"UpSampling1D": {"size": 3}}],
    "twice": [up(3, 2, padding="same"), CONV, up(3, 3, padding="same"), CONV],
}


def graph_of(model: list[Any], folder: Path) -> Graph:
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": LENGTH, "channel": 1}}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return pipeline.check(path).graph


def seen(graph: Graph) -> list[np.ndarray]:
    """For each output position the input positions that it depends on: where its gradient is not zero."""
    model = build_model(graph).model
    for weight in model.weights:
        weight.assign(np.abs(np.random.default_rng(0).normal(1.0, 0.3, size=weight.shape)))
    x = tf.ones((1, LENGTH, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
    jacobian = tape.jacobian(y, x)
    return [np.flatnonzero(row) for row in np.asarray(jacobian).reshape(-1, LENGTH)]


@pytest.mark.parametrize("name", NETWORKS)
def test_field_is_what_the_gradient_sees(name: str, tmp_path: Path) -> None:
    check(graph_of(NETWORKS[name], tmp_path))


def check(graph: Graph) -> None:
    field = graph.outputs["y"].value.fields["time"]
    keras.utils.set_random_seed(1)
    rows = seen(graph)
    middle = rows[len(rows) // 3 : -len(rows) // 3]
    widest = max(int(row[-1] - row[0]) + 1 for row in middle if len(row))
    assert field.size == widest
    assert Fraction(LENGTH, len(rows)) == pytest.approx(float(field.stride), rel=0.15)
    ahead = max(row[-1] - i * field.stride for i, row in enumerate(rows) if len(row))
    assert show.to_json(graph)["layers"][-1]["receptive_field"]["time"]["ahead"] >= ahead
    assert field.ahead is not None
    assert field.ahead - ahead < 1


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos3"])
def test_field_of_an_interpolation(method: str, size: int, tmp_path: Path) -> None:
    body = {"size": [size, 1], "interpolation": method, "over": ["time", "row"]}
    model: list[Any] = [
        {"insert": {"row": 1}},
        {"permute": ["time", "row", "channel"]},
        {"UpSampling2D": body},
        {"drop": "row"},
        CONV,
    ]
    check(graph_of(model, tmp_path))


def test_fractions_are_shown(tmp_path: Path) -> None:
    graph = graph_of([up(3, 2, padding="same")], tmp_path)
    assert "time 2 step 1/2" in show.to_text(graph)
    assert show.to_json(graph)["layers"][0]["receptive_field"]["time"] == {"size": 2, "stride": 0.5, "ahead": 0}
