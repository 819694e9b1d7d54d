"""What viewers show of a file's nodes, inputs and outputs, against the tensors that the file computes."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import api
from nnspec.backends.onnx.doc_strings.ports import LONGEST, port_docs

SPEC = """
nnspec: 1
inputs:
  series: {axes: {time: 11, feature: 3}, description: Three sensors of a pump, unit: mV}
blocks:
  normal: {model: [BatchNormalization, ReLU]}
model:
  - repeat: {times: 2, model: [{Conv1D: {filters: 7, kernel_size: 2, padding: causal}}]}
  - block: normal
  - TimeDistributed: {layer: {Dense: {units: 5, activation: tanh}}}
  - permute: [unit, time]
  - GRU: {name: last, units: 13}
  - Dense: {units: 2, as: class, activation: softmax}
outputs: {state: {task: classification, classes: [works, fails], description: What it does.}}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    return exported(tmp_path_factory.mktemp("docs"), SPEC)


def exported(folder: Path, text: str) -> onnx.ModelProto:
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return onnx.load(api.load(folder / "spec.yaml").export(folder / "out", untrained=True).folder / "model.onnx")


def docs_of(model: onnx.ModelProto) -> dict[str, str]:
    return {node.name: node.doc_string for node in model.graph.node}


def test_a_node_says_which_entry_of_the_spec_it_comes_from(model: onnx.ModelProto) -> None:
    said = docs_of(model)
    conv = "Conv1D at model[0].repeat.model[0]"
    assert said["conv1d_1/Transpose"] == f"part of {conv}"
    assert said["conv1d_1/Conv"] == f"{conv}: time 11, filter 7; in memory batch, filter, 1, time"
    # the normalization is folded into the convolution, and the axis operation needs no node
    assert said["conv1d_2/Conv"].startswith(f"{conv}, BatchNormalization at blocks.normal.model[0]: time 11, filter 7")
    assert said["normal_1/re_lu_1/Relu"].startswith("ReLU at blocks.normal.model[1]: ")
    assert said["time_distributed_1/Tanh"].startswith("TimeDistributed(Dense) at model[2], permute at model[3]: ")
    assert said["last/GRU"].startswith("GRU at model[4]: unit 13")
    assert all(doc and len(doc) <= 200 for doc in said.values())


def test_dimensions_are_called_what_they_hold(model: onnx.ModelProto) -> None:
    """Sizes that a doc string says, in the order that it says, against the tensors of a run."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    found = {
        node.name: re.fullmatch(r".*?: ([^;]+)(?:; (?:`(.+)` )?in memory (.+))?", node.doc_string)
        for node in model.graph.node
    }
    told = {name: match for name, match in found.items() if match is not None}
    tensors = {node.name: told[node.name][2] or node.output[0] for node in model.graph.node if node.name in told}
    inner = set(tensors.values()) - {port.name for port in model.graph.output}
    copy.graph.output.extend(onnx.ValueInfoProto(name=tensor) for tensor in sorted(inner))
    session = onnxruntime.InferenceSession(copy.SerializeToString())
    ran = session.run(None, {"series": np.zeros((17, 11, 3), np.float32)})
    shapes = dict(zip([port.name for port in session.get_outputs()], [np.shape(array) for array in ran], strict=True))
    assert len(told) >= 6
    for name, match in told.items():
        axes = [("batch", 17), *((axis, int(size)) for axis, size in (pair.split() for pair in match[1].split(", ")))]
        dims = match[3].split(", ") if match[3] else [axis for axis, _ in axes]
        sizes = {**dict(axes), "1": 1}
        wanted = tuple(math.prod(sizes[axis] for axis in dim.split("·")) for dim in dims)
        assert shapes[tensors[name]] == wanted, name


def test_an_input_and_an_output_say_what_they_are(model: onnx.ModelProto) -> None:
    (series,), state, label = model.graph.input, *model.graph.output
    assert series.doc_string == "Three sensors of a pump. batch, time 11, feature 3: in mV."
    assert state.doc_string == "What it does. batch, class 2: a score for each of 2 classes: `works`, `fails`."
    assert label.doc_string == "batch: which of 2 classes: `works`, `fails`."


def test_comments_and_blank_lines_leave_the_bytes_alone(model: onnx.ModelProto, tmp_path: Path) -> None:
    again = exported(tmp_path, SPEC.replace("blocks:", "# of layers\n\n\nblocks:"))
    assert docs_of(again) == docs_of(model)
    assert again.SerializeToString() == model.SerializeToString()


def test_a_flattened_axis_has_the_names_of_its_parts(tmp_path: Path) -> None:
    made = exported(
        tmp_path,
        "nnspec: 1\ninputs: {image: {axes: {height: 8, width: 6, channel: 1}}}\nmodel:\n"
        "  - Conv2D: {filters: 5, kernel_size: 3}\n  - Flatten\n  - Dense: {units: 2}\n"
        "outputs: {y: {task: regression}}\n",
    )
    doc = docs_of(made)["conv2d_1/Conv"]
    assert doc == (
        "Conv2D at model[0], Flatten at model[1]: height_width_filter 120; in memory batch, filter, height, width"
    )


def port(**more: Any) -> dict[str, Any]:
    return {"axes": [["batch", None], ["feature", 3]], "dtype": "float32", "columns": None, **more}


def test_what_is_long_is_cut() -> None:
    """A thousand columns and classes, and a description of a page: a viewer's panel holds a few lines."""
    names = [f"column_{i:04}" for i in range(1000)]
    ranges = {name: [i / 7, i + 1.0] for i, name in enumerate(names)}
    told = port_docs(
        {
            "inputs": {"x": port(columns=names, ranges=ranges), "y": port(description="A long story. " * 400)},
            "outputs": {
                "k": port(task="classification", classes=[f"class {i}" for i in range(1000)]),
                "n": port(task="classification", classes=1000),
                "z": port(task="regression", columns=names, elements=[f"+{i}" for i in range(1, 1000)]),
            },
        }
    )
    assert max(map(len, told.values())) <= LONGEST
    assert "`column_0007`" in told["x"]
    assert "`column_0008`" not in told["x"]
    assert "… (1000)" in told["x"]
    assert told["y"].startswith("A long story. A long story.")
    assert "… batch, feature 3." in told["y"]
    assert told["k"].endswith("`class 7`, ….")
    assert told["n"] == "batch, feature 3: a score for each of 1000 classes, numbered from 0."
    assert told["z"].endswith("in the order +1, +2, +3, +4, +5, +6, +7, +8, … (999).")


def test_a_task_is_told() -> None:
    outputs = {
        "binary": port(task="binary", threshold=0.25, classes=["no", "yes"]),
        "tags": port(task="multilabel", threshold=0.5),
        "odd": port(task="anomaly", threshold=3.0),
        "levels": port(task="quantiles", levels=[0.1, 0.9], columns=["a"], unit="kg"),
    }
    said = port_docs({"inputs": {}, "outputs": outputs, "batch": 4})
    assert said == {
        "binary": "batch 4, feature 3: a score, `yes` rather than `no` above 0.25.",
        "tags": "batch 4, feature 3: a score for each label, true above 0.5.",
        "odd": "batch 4, feature 3: how unusual a sample is, unusual above 3.",
        "levels": "batch 4, feature 3: `a`, in kg, quantiles 0.1, 0.9.",
    }
