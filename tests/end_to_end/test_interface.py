"""What a consumer of an exported file finds: versions that old runtimes take, fixed sizes, `interface.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import api, runtime
from nnspec.pipeline import diagnose

SPEC = """
nnspec: 1
name: kinds
description: Which of three kinds a row is.
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  inputs: {row: {columns: [a, b], scale: standard}}
  outputs: {kind: {columns: [kind]}}
inputs: {row: {axes: {feature: 2}}}
model:
  - Dense: {units: 4, activation: mish}
  - LayerNormalization
  - Dense: {units: 3, activation: softmax, as: class}
outputs: {kind: {task: classification}}
training: {epochs: 1}
export: EXPORT
"""


def build(folder: Path, export: str, labels: str = "xyz") -> Path:
    rng = np.random.default_rng(0)
    lines = [
        f"{a:.3f},{b:.3f},{labels[int(k)]}"
        for a, b, k in zip(*rng.normal(size=(2, 60)), rng.integers(0, 3, 60), strict=True)
    ]
    (folder / "rows.csv").write_text("\n".join(["a,b,kind", *lines]), encoding="utf-8")
    spec = folder / "kinds.yaml"
    spec.write_text(SPEC.replace("EXPORT", export), encoding="utf-8")
    return api.load(spec).build(folder / "out").folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("plain"), "{}")


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("narrow"), "{labels: false, batch: 4}", labels="012")


def test_the_versions_are_the_oldest_that_the_nodes_need(plain: Path) -> None:
    model = onnx.load(plain / "model.onnx")
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 17}
    assert model.ir_version == 8  # that of opset 17, by the table in ONNX' own documentation
    assert not [node.op_type for node in model.graph.node if node.op_type == "Mish"]  # which came with opset 18
    assert model.doc_string == "Which of three kinds a row is."


def test_dimensions_bear_the_names_of_axes(plain: Path, narrow: Path) -> None:
    for folder in (plain, narrow):
        graph = onnx.load(folder / "model.onnx").graph
        named = {
            value.name: [d.denotation for d in value.type.tensor_type.shape.dim]
            for value in (*graph.input, *graph.output)
        }
        assert named["row"] == ["batch", "feature"]
        assert named["kind"] == ["batch", "class"]


def test_the_sidecar_says_how_to_use_the_file(plain: Path) -> None:
    said = json.loads((plain / "interface.json").read_text(encoding="utf-8"))
    assert said["name"] == "kinds"
    assert said["description"] == "Which of three kinds a row is."
    assert said["inputs"]["row"]["columns"] == ["a", "b"]
    assert said["outputs"]["kind"]["classes"] == ["x", "y", "z"]
    assert set(said["outputs"]) == {"kind", "kind_label"}
    session = onnxruntime.InferenceSession(plain / "model.onnx")
    feed = {name: np.asarray(values, np.float32) for name, values in said["sample"]["inputs"].items()}
    assert feed["row"].shape == (1, 2)
    found = dict(zip([port.name for port in session.get_outputs()], session.run(None, feed), strict=True))
    np.testing.assert_allclose(found["kind"], said["sample"]["outputs"]["kind"], rtol=1e-6)
    assert found["kind_label"].tolist() == said["sample"]["outputs"]["kind_label"]


def test_the_file_says_which_values_training_had(plain: Path) -> None:
    rows = np.loadtxt(plain.parent / "rows.csv", delimiter=",", skiprows=1, usecols=(0, 1))[:36]
    said = json.loads((plain / "interface.json").read_text(encoding="utf-8"))["inputs"]["row"]["ranges"]
    assert runtime.load(plain / "model.onnx").metadata["inputs"]["row"]["ranges"] == said
    for place, column in enumerate("ab"):
        np.testing.assert_allclose(said[column], [rows[:, place].min(), rows[:, place].max()], rtol=1e-5)


def test_a_viewer_shows_what_is_given_and_what_comes_back(plain: Path) -> None:
    graph = onnx.load(plain / "model.onnx").graph
    values = np.loadtxt(plain.parent / "rows.csv", delimiter=",", skiprows=1, usecols=(0, 1))[:36]
    between = [
        f"`{name}` ({low:.6g} to {high:.6g} in training)"
        for name, low, high in zip("ab", values.min(0), values.max(0), strict=True)
    ]
    said = {port.name: port.doc_string for port in (*graph.input, *graph.output)}
    assert said["row"] == f"batch, feature 2: {', '.join(between)}. As in the data: the file scales it."
    assert said["kind"] == "batch, class 3: a score for each of 3 classes: `x`, `y`, `z`."
    docs = {node.name.partition("/")[0]: node.doc_string for node in graph.node}
    assert docs["row"] == "prepares input `row`"
    assert docs["kind"] == "makes output `kind`"


def shapes(ports: Any) -> dict[str, list[Any]]:
    return {port.name: port.shape for port in ports}


def test_labels_can_be_left_out_and_the_batch_fixed(narrow: Path) -> None:
    session = onnxruntime.InferenceSession(narrow / "model.onnx")
    assert shapes(session.get_inputs()) == {"row": [4, 2]}
    assert shapes(session.get_outputs()) == {"kind": [4, 3]}
    assert json.loads((narrow / "verify.json").read_text(encoding="utf-8"))["outputs"]["kind"]["batch_sizes"] == [4]
    said = json.loads((narrow / "interface.json").read_text(encoding="utf-8"))
    assert said["batch"] == 4
    assert said["outputs"]["kind"]["classes"] == 3  # which have no names
    assert runtime.load(narrow / "model.onnx").metadata["outputs"]["kind"]["classes"] == [0, 1, 2]
    assert "which of 3 classes, numbered from 0" in (narrow / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert np.shape(said["sample"]["inputs"]["row"]) == (4, 2)


@pytest.mark.parametrize("count", [1, 3, 4, 11])
def test_a_fixed_batch_is_filled_up(plain: Path, narrow: Path, count: int) -> None:
    rows = np.random.default_rng(count).normal(size=(count, 2)).astype(np.float32)
    wanted, found = (runtime.load(folder / "model.onnx")(rows) for folder in (plain, narrow))
    assert found["kind"].shape == (count, 3)
    np.testing.assert_allclose(found["kind"], wanted["kind"], rtol=1e-5, atol=1e-6)


def test_a_stateful_network_has_the_batch_of_its_training(tmp_path: Path) -> None:
    spec = tmp_path / "state.yaml"
    spec.write_text(
        "nnspec: 1\ninputs: {x: {axes: {time: 5, feature: 2}}}\nmodel:\n  - LSTM: {units: 3, stateful: true}\n"
        "  - Dense: {units: 1}\noutputs: {y: {task: regression}}\ntraining: {batch_size: 4}\nexport: {batch: 2}\n",
        encoding="utf-8",
    )
    (fault,) = [each for each in diagnose(spec) if each.is_error]
    assert fault.code == "NN613"
    assert "has batches of 4, but `export.batch` is 2" in fault.message
