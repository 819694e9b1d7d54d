"""What the gate compares on, and what it says of networks that no two programs compute alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import api, pipeline
from nnspec.backends.onnx.deploy import Deployment
from nnspec.diagnostics import SpecError
from nnspec.layers.registry import REGISTRY
from nnspec.verify.samples import random_inputs


def written(folder: Path, axes: dict[str, Any], model: list[Any], **more: Any) -> Path:
    path = folder / "spec.yaml"
    document = {"nnspec": 1, "inputs": {"x": {"axes": axes}}, "model": model, "outputs": {"y": {"task": "regression"}}}
    path.write_text(json.dumps({**document, **more}), encoding="utf-8")
    return path


IMAGE = {"height": 16, "width": 17, "channel": 3}
MEAN, VARIANCE = np.array([-1.0, 0.0, 3.0]), np.array([4.0, 0.25, 9.0])
PIXELS = {"Rescaling": {"scale": 1 / 127.5, "offset": -1}}
KNOWN = {"Normalization": {"mean": list(MEAN), "variance": list(VARIANCE)}}


@pytest.mark.parametrize(
    ("model", "scale", "offset"),
    [
        ([PIXELS], 127.5, 127.5),
        ([PIXELS, KNOWN], 127.5 * np.sqrt(VARIANCE), 127.5 * (MEAN + 1)),
        (
            [KNOWN, {"Normalization": {"mean": 2.0, "variance": 16.0, "axis": None, "invert": True}}],
            np.sqrt(VARIANCE) / 4,
            MEAN - np.sqrt(VARIANCE) / 2,
        ),
        ([{"Normalization": {}}], 1.0, 0.0),  # statistics that are not known
        ([{"Rescaling": {"scale": 0.0}}], 1.0, 0.0),
        ([{"Dense": {"units": 3}}, PIXELS], 1.0, 0.0),
        ([{"Rescaling": {"scale": [1.0, 2.0, 4.0], "name": "r"}}, {"Add": {"from": ["r", "x"]}}], 1.0, 0.0),
    ],
    ids=["rescaled", "normalized", "inverted", "adapted", "to-nothing", "later", "read-twice"],
)
def test_random_inputs_are_of_the_scale_that_the_first_layers_expect(
    tmp_path: Path, model: list[Any], scale: Any, offset: Any
) -> None:
    graph = pipeline.check(written(tmp_path, IMAGE, [*model, {"Dense": {"units": 2}}])).graph
    drawn = random_inputs(graph, Deployment(), 32, 11)["x"].astype(np.float64)
    unit = (drawn - offset) / scale
    np.testing.assert_allclose(unit.mean((0, 1, 2)), 0, atol=0.05)
    np.testing.assert_allclose(unit.std((0, 1, 2)), 1, atol=0.05)


def test_network_that_blows_rounding_up_is_said_to(tmp_path: Path) -> None:
    wide = {"Dense": {"units": 32, "activation": "tanh", "kernel_initializer": {"RandomNormal": {"stddev": 0.6}}}}
    model = [{"repeat": {"times": 60, "model": [wide]}}, {"Dense": {"units": 2, "as": "target"}}]
    path = written(tmp_path, {"feature": 32}, model, training={"seed": 1})
    with pytest.raises(SpecError) as error:
        api.load(path).export(tmp_path / "out", untrained=True)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN701"
    assert "this network blows rounding up" in diagnostic.notes[-1]


def test_smaller_inputs_are_tried_where_larger_ones_tell_nothing(tmp_path: Path) -> None:
    model = []
    for i in range(5):  # x to the power of 243 overflows
        before = f"x{i}" if i else "x"
        model.append({"Multiply": {"from": [before] * 3, "name": f"x{i + 1}"}})
    path = written(tmp_path, {"feature": 8}, [*model, {"Dense": {"units": 2, "as": "target"}}])
    run = api.load(path).export(tmp_path / "out", untrained=True)
    assert run.verification["input_scale"] < 1
    assert run.verification["outputs"]["y"]["passed"]


def test_wrong_lowering_fails_on_a_network_that_blows_up_large_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dense = type(REGISTRY["Dense"])
    right = dense.to_onnx

    def wrong(self: Any, node: Any, inputs: Any, lowering: Any) -> Any:
        lowering.weights = {**lowering.weights, "kernel": lowering.weights["kernel"] * np.float32(1.01)}
        return right(self, node, inputs, lowering)

    monkeypatch.setattr(dense, "to_onnx", wrong)
    wide = {"Dense": {"units": 32, "activation": "tanh", "kernel_initializer": {"RandomNormal": {"stddev": 0.6}}}}
    model = [{"Multiply": {"from": ["x"] * 3, "name": "cubed"}}, {"repeat": {"times": 4, "model": [wide]}}]
    path = written(tmp_path, {"feature": 32}, [*model, {"Dense": {"units": 2, "as": "target"}}], training={"seed": 1})
    with pytest.raises(SpecError) as error:
        api.load(path).export(tmp_path / "out", untrained=True)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN701"
    assert "`dense_1` (Dense)" in diagnostic.notes[0]
