"""BatchNormalization becomes part of what stands before it, but only where nothing else reads that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict, read_weights
from nnspec.backends.onnx.export import export_graph
from tests.support.layer_cases import randomize, relative_error

CONV = {"filters": 4, "kernel_size": 3, "padding": "same"}
AROUND = ["Transpose", "Reshape", "Conv", "Transpose", "Reshape"]


def ops_of(model: list[Any], folder: Path, outputs: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """The ONNX nodes of a model over (time 7, channel 5), after ONNX Runtime was found to agree with Keras."""
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 7, "channel": 5}}},
        **more,
        "model": model,
        "outputs": outputs or {"y": {"task": "regression"}},
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    graph = pipeline.check(path).graph
    keras.utils.set_random_seed(3)
    compiled = build_model(graph)
    randomize(compiled.model)
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    made = export_graph(graph, weights).builder.to_model({}, "test")
    onnx.checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(3, 7, 5)).astype("float32")
    expected = predict(compiled.model, graph, {"x": x})
    for port, got in zip(session.get_outputs(), session.run(None, {"x": x}), strict=True):
        assert relative_error(got, expected[port.name]) < 2e-5
    return [node.op_type for node in made.graph.node]


@pytest.mark.parametrize(
    "between",
    [
        [],
        [{"Dropout": {"rate": 0.5}}],
        [{"permute": ["filter", "time"]}, {"permute": ["time", "filter"]}],
        [{"rename": {"filter": "kernel"}}],
        [{"BatchNormalization": {"scale": False}}, {"Identity": {}}],
    ],
    ids=["directly", "dropout", "permutes", "rename", "another"],
)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
def test_folds_through_what_only_looks(between: list[Any], bias: bool, tmp_path: Path) -> None:
    model = [{"Conv1D": {**CONV, "use_bias": bias}}, *between, "BatchNormalization"]
    assert ops_of(model, tmp_path) == AROUND


def test_channels_that_moved_away_still_fold(tmp_path: Path) -> None:
    model = [{"Conv1D": CONV}, {"permute": ["filter", "time"]}, {"BatchNormalization": {"axis": "filter"}}]
    assert ops_of(model, tmp_path) == ["Transpose", "Reshape", "Conv", "Reshape"]


@pytest.mark.parametrize(
    "between",
    [[], [{"permute": {"order": ["filter", "time"], "from": "c"}}, {"permute": ["time", "filter"]}]],
    ids=["directly", "through-permutes"],
)
def test_a_second_reader_keeps_what_it_reads(between: list[Any], tmp_path: Path) -> None:
    norm = {"BatchNormalization": {"name": "n", **({} if between else {"from": "c"})}}
    model = [{"Conv1D": {**CONV, "name": "c"}}, *between, norm, {"Add": {"from": ["c", "n"]}}]
    ops = ops_of(model, tmp_path)
    assert ops.count("BatchNormalization") == 1


def test_a_second_reader_before_keeps_what_it_reads(tmp_path: Path) -> None:
    model = [
        {"Conv1D": {**CONV, "name": "c"}},
        {"ReLU": {"name": "r", "from": "c"}},
        {"BatchNormalization": {"name": "n", "from": "c"}},
        {"Add": {"from": ["r", "n"]}},
    ]
    assert ops_of(model, tmp_path).count("BatchNormalization") == 1


def test_an_output_keeps_what_it_holds(tmp_path: Path) -> None:
    model = [{"Conv1D": {**CONV, "name": "c"}}, {"BatchNormalization": {"name": "n"}}]
    outputs = {"before": {"task": "regression", "from": "c"}, "after": {"task": "regression", "from": "n"}}
    assert ops_of(model, tmp_path, outputs).count("BatchNormalization") == 1


def test_uses_of_a_shared_convolution_fold_apart(tmp_path: Path) -> None:
    model = [
        {"share": {"use": "c", "from": "x", "name": "a"}},
        {"BatchNormalization": {"name": "left", "from": "a"}},
        {"share": {"use": "c", "from": "x", "name": "b"}},
        {"BatchNormalization": {"name": "right", "from": "b"}},
        {"Add": {"from": ["left", "right"]}},
    ]
    ops = ops_of(model, tmp_path, layers={"c": {"Conv1D": CONV}})
    assert ops == ["Transpose", "Reshape", "Conv", "Conv", "Add", "Transpose", "Reshape"]


def test_an_activation_between_stays_between(tmp_path: Path) -> None:
    model = [{"Conv1D": {**CONV, "activation": "tanh"}}, "BatchNormalization"]
    assert ops_of(model, tmp_path) == [*AROUND[:3], "Tanh", "BatchNormalization", *AROUND[3:]]


def test_dense_over_merged_axes_folds(tmp_path: Path) -> None:
    model = [{"Conv1D": CONV}, "Flatten", {"Dense": {"units": 3, "use_bias": False}}, "BatchNormalization"]
    assert ops_of(model, tmp_path) == ["Transpose", "Reshape", "Conv", "Reshape", "Gemm"]


def test_outputs_of_one_value_in_two_orders(tmp_path: Path) -> None:
    """The second output is arranged from what the first one named."""
    model = [{"Dense": {"units": 3, "name": "d"}}, {"permute": {"order": ["unit", "time"], "name": "turned"}}]
    outputs = {
        name: {"task": "regression", "from": source} for name, source in (("a", "d"), ("b", "turned"), ("c", "d"))
    }
    assert ops_of(model, tmp_path, outputs) == ["MatMul", "Add", "Transpose", "Identity"]
