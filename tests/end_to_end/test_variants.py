"""Smaller forms of a deployed file: what they weigh, that their ends keep float32, and which are refused."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from nnspec import api, runtime
from nnspec.backends.onnx.precision.convert import to_float16, to_int8, with_stored_int8
from nnspec.backends.onnx.precision.kernels import nodes_at_ends
from nnspec.diagnostics import SpecError
from nnspec.jobs import run_build
from nnspec.progress import Progress

SPEC = """
nnspec: 1
name: large_numbers
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs: {row: {columns: [a, b], scale: standard}}
  outputs: {sum: {columns: [sum], scale: standard}}
inputs: {row: {axes: {feature: 2}}}
model:
  - Dense: {units: 64, activation: relu}
  - Dense: {units: 64, activation: relu}
  - Dense: {units: 1}
outputs: {sum: {task: regression}}
training: {epochs: 15, optimizer: {Adam: {learning_rate: 0.01}}}
export: {variants: [float16, int8, int4], max_loss: LIMIT}
"""
ROWS = 400


def rows() -> np.ndarray:
    """Numbers beyond what float16 can hold, whose differences are small beside them."""
    return 1e6 + 100 * np.random.default_rng(0).normal(size=(ROWS, 2))


def spec_of(folder: Path, limit: float, noise: float) -> Path:
    noises = noise * np.random.default_rng(1).normal(size=ROWS)
    lines = [f"{a:.6f},{b:.6f},{a + 2 * b + more:.6f}" for (a, b), more in zip(rows(), noises, strict=True)]
    (folder / "rows.csv").write_text("\n".join(["a,b,sum", *lines]), encoding="utf-8")
    spec = folder / "large.yaml"
    spec.write_text(SPEC.replace("LIMIT", str(limit)), encoding="utf-8")
    return spec


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variants")
    return api.load(spec_of(folder, 0.5, noise=50)).build(folder / "out").folder


def of(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / "verify.json").read_text(encoding="utf-8"))["variants"][name])


@pytest.mark.parametrize("name", ["float16", "int8", "int4"])
def test_a_variant_reads_what_the_file_reads(built: Path, name: str) -> None:
    """Raw numbers of which float16 has none: scaling and its inverse keep float32."""
    given = rows().astype(np.float32)
    whole, small = (runtime.load(built / file)(given)["sum"] for file in ("model.onnx", f"model.{name}.onnx"))
    assert np.abs(small - whole).max() < {"float16": 2, "int8": 40, "int4": 80}[name]  # values spread over 1400
    assert np.ptp(whole) > 1000
    assert of(built, name)["file"] == f"model.{name}.onnx"
    assert of(built, name)["file_size"] == (built / f"model.{name}.onnx").stat().st_size


def test_metrics_are_those_of_the_file(built: Path) -> None:
    metrics = json.loads((built / "metrics.json").read_text(encoding="utf-8"))
    for name in ("float16", "int8", "int4"):
        assert of(built, name)["float32_metrics"]["sum"]["rmse"] == pytest.approx(
            metrics["test"]["sum"]["rmse"], rel=1e-3
        )
    page = (built / "report.html").read_text(encoding="utf-8")
    assert "model.int8.onnx" in page


def test_where_weights_dominate_files_are_smaller(built: Path) -> None:
    sizes = {name: sum(weight_bytes(built / f"model.{name}.onnx")) for name in ("float16", "int8", "int4")}
    whole = sum(weight_bytes(built / "model.onnx"))
    assert sizes["float16"] < 0.55 * whole
    assert sizes["int8"] < 0.40 * whole  # with the ranges of values, which larger networks spread thinner
    assert sizes["int4"] < 0.30 * whole


def test_a_variant_has_the_doc_strings_of_the_file(built: Path) -> None:
    """Also where its tools write a node anew, or several in the place of one."""
    whole, *small = (onnx.load(built / f"model{name}.onnx").graph for name in ("", ".float16", ".int8", ".int4"))
    entries = {f"Dense at model[{i}]: unit {size}" for i, size in enumerate((64, 64, 1))}
    for graph in small:
        for mine, theirs in zip((*graph.input, *graph.output), (*whole.input, *whole.output), strict=True):
            assert mine.doc_string == theirs.doc_string != ""
        products = [node for node in graph.node if node.op_type in ("Gemm", "MatMul", "MatMulNBits")]
        assert len(products) == 3
        assert all("Dense at model[" in node.doc_string for node in products)
        assert entries <= {node.doc_string for node in graph.node}


def weight_bytes(path: Path) -> list[int]:
    return [numpy_helper.to_array(tensor).nbytes for tensor in onnx.load(path).graph.initializer]


def test_one_that_loses_too_much_is_refused_when_all_else_is_written(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        api.load(spec_of(tmp_path, 0.0, noise=0)).build(tmp_path / "out")
    refused = {d.message.split("`")[1] for d in error.value.diagnostics}
    assert {d.code for d in error.value.diagnostics} == {"NN617"}
    assert "int8" in refused
    assert (tmp_path / "out" / "model.onnx").is_file()
    assert (tmp_path / "out" / "manifest.json").is_file()
    for name in refused:
        assert not (tmp_path / "out" / f"model.{name}.onnx").exists()
        assert of(tmp_path / "out", name)["file"] is None
        assert set(of(tmp_path / "out", name)["layers"]) <= {"dense_1", "dense_2", "dense_3"}
        assert of(tmp_path / "out", name)["layers"]


def recurrent(kind: str) -> onnx.ModelProto:
    """A recurrence with its state as input and output, behind a cast of booleans, as masks are."""
    gates = {"LSTM": 4, "GRU": 3}[kind]
    rng = np.random.default_rng(1)
    weights = {
        "w": rng.normal(size=(1, gates * 16, 3)).astype(np.float32) / 4,
        "r": rng.normal(size=(1, gates * 16, 16)).astype(np.float32) / 4,
    }
    states = ["h", "c"] if kind == "LSTM" else ["h"]
    nodes = [
        helper.make_node("Cast", ["kept"], ["weight"], to=TensorProto.FLOAT, name="mask/Cast"),
        helper.make_node("Mul", ["x", "weight"], ["masked"], name="mask/Mul"),
        helper.make_node(
            kind,
            ["masked", "w", "r", "", "", *states],
            ["y", *(f"{s}_next" for s in states)],
            name="rnn/rnn",
            hidden_size=16,
        ),
        helper.make_node("ReduceMean", ["y"], ["z"], axes=[0, 1], keepdims=0, name="mean/ReduceMean"),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("x", TensorProto.FLOAT, [5, "b", 3]), value("kept", TensorProto.BOOL, [5, "b", 1])]
    inputs += [value(s, TensorProto.FLOAT, [1, "b", 16]) for s in states]
    outputs = [value("z", TensorProto.FLOAT, ["b", 16])]
    outputs += [value(f"{s}_next", TensorProto.FLOAT, [1, "b", 16]) for s in states]
    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_states_and_masks_survive(kind: str) -> None:
    model = recurrent(kind)
    rng = np.random.default_rng(2)
    feed = {"x": rng.normal(size=(5, 4, 3)).astype(np.float32), "kept": rng.random((5, 4, 1)) > 0.3}
    feed |= {s: rng.normal(size=(1, 4, 16)).astype(np.float32) for s in (["h", "c"] if kind == "LSTM" else ["h"])}
    before = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feed)
    for made, tolerance in (
        (to_float16(model, nodes_at_ends(model, ["rnn/rnn"])), 2e-3),
        (with_stored_int8(_copy(model), ["rnn/rnn"]), 2e-2),
    ):
        after = onnxruntime.InferenceSession(made.SerializeToString()).run(None, feed)
        for one, other in zip(before, after, strict=True):
            assert one.dtype == other.dtype
            assert np.abs(one - other).max() < tolerance


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def test_one_that_cannot_be_made_leaves_the_rest_of_the_build(tmp_path: Path) -> None:
    """A convolution has no matrix for int4: that is said, and all else is written."""
    rows = ["a,b", *(f"{i % 7},{(i + 1) % 7}" for i in range(60))]
    (tmp_path / "rows.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(CONVOLUTIONS, encoding="utf-8")
    said = io.StringIO()
    with pytest.raises(SpecError) as error:
        run_build(api.load(tmp_path / "spec.yaml").checked, tmp_path / "out", Progress(stream=said))
    assert [d.code for d in error.value.diagnostics] == ["NN618"]
    assert "has no matrix" in error.value.diagnostics[0].message
    assert of(tmp_path / "out", "int4") == {"file": None, "reason": error.value.diagnostics[0].message}
    whole = of(tmp_path / "out", "int8")
    rmse = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))["test"]["y"]["rmse"]
    assert whole["float32_metrics"]["y"]["rmse"] == pytest.approx(rmse, rel=1e-4)
    assert whole["file"] == "model.int8.onnx"
    assert whole["is_faster"] == (whole["speed"] >= 1.05)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "has no matrix" in page
    assert ("not faster" in page) != whole["is_faster"]
    sizes = {name: (tmp_path / "out" / f"model{name}.onnx").stat().st_size for name in ("", ".int8")}
    assert sizes[".int8"] > sizes[""]  # of eight small kernels: their scales and the casts weigh more than they save
    assert whole["is_smaller"] is False
    assert "not smaller" in page
    assert "not smaller" in (tmp_path / "out" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "variant int8: not smaller: " in said.getvalue()


CONVOLUTIONS = """
nnspec: 1
data:
  source: {csv: rows.csv}
  split: {train: 0.6, test: 0.4, by: order}
  window: {lookback: 4, horizon: 1}
  inputs: {x: {columns: [a]}}
  outputs: {y: {columns: [b]}}
inputs: {x: {axes: {time: 4, feature: 1}}}
model:
  - Conv1D: {filters: 8, kernel_size: 2, activation: relu}
  - Conv1D: {filters: 1, kernel_size: 3}
  - drop: time
outputs: {y: {task: regression}}
training: {epochs: 1}
export:
  variants: [int8, int4]
  max_loss: 1.0e+9
  batch: 3                                                  # which does not divide the rows of the test split
  layout: {x: [time, feature, batch], y: [filter, batch]}
"""


def test_weights_in_int8_are_multiplied_out_as_the_model_is_loaded(tmp_path: Path) -> None:
    """What is left to run is what float32 runs: neither a cast nor a product of weights."""
    made = with_stored_int8(recurrent("LSTM"), ["rnn/rnn"])
    assert sum(tensor.data_type == TensorProto.INT8 for tensor in made.graph.initializer) == 1  # the other is small
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "loaded.onnx")
    onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    loaded = [node.op_type for node in onnx.load(tmp_path / "loaded.onnx").graph.node]
    assert sorted(loaded) == sorted(node.op_type for node in recurrent("LSTM").graph.node)


def test_convolutions_of_groups_keep_float32_products() -> None:
    rng = np.random.default_rng(0)
    weights = numpy_helper.from_array(rng.normal(size=(32, 1, 3, 3)).astype(np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="depthwise", group=32)
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 32, None, None]) for name in "xy"]
    graph = helper.make_graph([node], "g", ports[:1], ports[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    made = to_int8(model, {"depthwise": "depthwise"}, [])
    assert [node.op_type for node in made.graph.node] == ["Cast", "Mul", "Conv"]
    feed = {"x": rng.normal(size=(2, 32, 5, 5)).astype(np.float32)}
    before, after = (onnxruntime.InferenceSession(m.SerializeToString()).run(None, feed)[0] for m in (model, made))
    assert 0 < np.abs(before - after).max() < 0.02 * np.abs(before).max()
