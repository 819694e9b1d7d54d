"""The second opinion: tf2onnx converts whole Keras models for real, or says where it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from click.testing import CliRunner

from nnspec import api
from nnspec.backends.keras.model import build_model
from nnspec.backends.onnx.backend import OnnxModel
from nnspec.cli import main
from nnspec.cli.second_opinion import render
from nnspec.data.deployment import Deployment
from nnspec.jobs import run_verify
from nnspec.jobs.verifying import gate_of
from nnspec.jobs.weights import load_weights
from nnspec.progress import Progress
from nnspec.verify.second_opinion import second_opinion

PLAIN: dict[str, Any] = {
    "inputs": {"a": {"axes": {"time": 7, "feature": 3}}, "b": {"axes": {"feature": 5}}},
    "model": [
        {"Conv1D": {"filters": 4, "kernel_size": 2, "padding": "causal", "from": "a"}},
        "Flatten",
        {"Dense": {"units": 5, "activation": "tanh", "name": "left"}},
        {"Add": {"from": ["left", "b"], "name": "sum"}},
        {"Dense": {"units": 3, "activation": "softmax", "as": "class", "name": "kind"}},
        {"Dense": {"units": 1, "from": "sum", "name": "size"}},
    ],
    "outputs": {
        "size": {"from": "size", "task": "regression"},
        "kind": {"from": "kind", "task": "classification", "classes": ["no", "maybe", "yes"]},
    },
}
MASKED: dict[str, Any] = {
    "inputs": {"x": {"axes": {"time": 7, "feature": 3}}},
    "model": [{"Masking": {"mask_value": 0.0}}, {"LSTM": {"units": 4}}, {"Dense": {"units": 1}}],
    "outputs": {"y": {"task": "regression"}},
}
SOUND: dict[str, Any] = {
    "inputs": {"x": {"axes": {"time": 256}}},
    "model": [
        {"MelSpectrogram": {"num_mel_bins": 4, "fft_length": 64, "sequence_stride": 32, "name": "mel"}},
        "Flatten",
        {"Dense": {"units": 1}},
    ],
    "outputs": {"y": {"task": "regression"}},
}


def exported(body: dict[str, Any], folder: Path) -> Path:
    (folder / "spec.yaml").write_text(yaml.safe_dump({"nnspec": 1, **body}, sort_keys=False), encoding="utf-8")
    return api.load(folder / "spec.yaml").export(folder / "out", untrained=True).onnx


def asked(body: dict[str, Any], folder: Path) -> dict[str, Any]:
    result = run_verify(exported(body, folder), None, Progress(quiet=True), second_opinion=True)
    opinion: dict[str, Any] = result["second_opinion"]
    return opinion


def test_both_files_stand_side_by_side(tmp_path: Path) -> None:
    opinion = asked(PLAIN, tmp_path)
    assert opinion["failure"] is None
    for file in (opinion["nnspec"], opinion["tf2onnx"]):
        assert file["nodes"] == sum(file["operators"].values()) > 5
        assert file["operators"]["Conv"] == 1
        assert file["max_relative_error"].keys() == {"size", "kind"}
        assert max(file["max_relative_error"].values()) < 1e-5
        assert file["latency"].keys() == {1, 3, 32}
        assert min(file["latency"].values()) > 0
    assert opinion["between"].keys() == {"size", "kind"}
    assert max(opinion["between"].values()) < 1e-5
    nodes = len(onnx.load(tmp_path / "out" / "model.onnx").graph.node)
    assert opinion["nnspec"]["nodes"] == nodes < opinion["tf2onnx"]["nodes"]


def test_nodes_in_the_body_of_a_loop_count(tmp_path: Path) -> None:
    """tf2onnx makes a loop of a masked LSTM; nnspec makes none."""
    opinion = asked(MASKED, tmp_path)
    assert opinion["failure"] is None
    assert opinion["tf2onnx"]["operators"]["Loop"] == 1
    assert "Loop" not in opinion["nnspec"]["operators"]
    assert opinion["tf2onnx"]["nodes"] > 2 * opinion["nnspec"]["nodes"]
    assert max(opinion["tf2onnx"]["max_relative_error"].values()) < 1e-5


def test_where_tf2onnx_fails_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    opinion = asked(SOUND, tmp_path)
    assert opinion["tf2onnx"] is None
    assert opinion["between"] == {}
    failure = opinion["failure"]
    assert (failure["stage"], failure["layer"], failure["kind"]) == ("conversion", "mel", "MelSpectrogram")
    assert "FFT" in failure["reason"]
    assert "\n" not in failure["reason"]
    assert max(opinion["nnspec"]["max_relative_error"].values()) < 1e-4
    last = render(opinion).splitlines()[-1]
    assert last == f"tf2onnx fails in conversion at `mel` (MelSpectrogram): {failure['reason']}"
    assert "Traceback" not in capfd.readouterr().err


def test_a_file_that_is_wrong_shows(tmp_path: Path) -> None:
    """The differences are of the file that is asked about: with another weight, they are large."""
    path = exported(MASKED, tmp_path)
    proto = onnx.load(path)
    kernel = max(proto.graph.initializer, key=lambda tensor: np.prod(tensor.dims))
    kernel.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(kernel) * 1.5, kernel.name))
    spec = api.load(tmp_path / "spec.yaml")
    compiled = build_model(spec.graph)
    load_weights(compiled, path.with_name("model.keras"))
    opinion = second_opinion(gate_of(spec.checked, compiled, Deployment(), {}), OnnxModel(proto)).to_json()
    assert opinion["nnspec"]["max_relative_error"]["y"] > 0.01
    assert opinion["between"]["y"] > 0.01
    assert opinion["tf2onnx"]["max_relative_error"]["y"] < 1e-5


def test_the_command_prints_both(tmp_path: Path) -> None:
    path = exported(PLAIN, tmp_path)
    text = CliRunner().invoke(main, ["verify", str(path), "--second-opinion"])
    assert text.exit_code == 0, text.output
    for row in ("nodes", "operators", "size against Keras", "kind between the two", "latency at batch 32"):
        assert row in text.stdout
    found = CliRunner().invoke(main, ["verify", str(path), "--second-opinion", "--format", "json"])
    assert json.loads(found.stdout)["second_opinion"]["tf2onnx"]["nodes"] > 5
    plain = CliRunner().invoke(main, ["verify", str(path), "--format", "json"])
    assert "second_opinion" not in json.loads(plain.stdout)
