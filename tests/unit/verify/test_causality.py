"""Causality on the built model: what passes, and a fault where a layer is not what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest
import yaml

from nnspec import pipeline
from nnspec.backends.keras.model import build_model
from nnspec.diagnostics import SpecError
from nnspec.ir.graph import Window
from nnspec.jobs import run_export, run_verify
from nnspec.layers.convolution import base as sliding
from nnspec.progress import Progress
from nnspec.verify.causality import verify_causality

CAUSAL = {"filters": 3, "kernel_size": 3, "padding": "causal"}


def checked(folder: Path, model: list[Any], inputs: dict[str, Any], expect: Any) -> pipeline.Checked:
    document = {
        "nnspec": 1,
        "inputs": inputs,
        "model": model,
        "outputs": {"y": {"task": "regression"}},
        "expect": expect,
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return pipeline.check(path)


def verified(folder: Path, model: list[Any], inputs: dict[str, Any], expect: Any) -> dict[str, Any]:
    spec = checked(folder, model, inputs, expect)
    keras.utils.set_random_seed(5)
    return verify_causality(spec.root.get("expect"), spec.graph, build_model(spec.graph))


POOL = {"MaxPooling1D": {"pool_size": 2}}
EACH = {"TimeDistributed": {"layer": {"Conv1D": CAUSAL}}}
X = {"x": {"axes": {"time": 10, "channel": 3}}}
EXPECT = {"outputs": {"y": {"causal": "time"}}}


@pytest.mark.parametrize(
    ("model", "inputs", "values"),
    [
        ([{"Conv1D": CAUSAL}, {"Conv1D": {**CAUSAL, "dilation_rate": 2}}], X, ["conv1d_2"]),
        ([{"Conv1D": CAUSAL}, POOL, "Flatten", {"Dense": {"units": 2}}], X, ["max_pooling1d_1"]),
        ([{"LSTM": {"units": 3, "return_sequences": True}}], {"x": {"axes": {"time": "T", "channel": 3}}}, ["lstm_1"]),
        (
            [{"permute": ["channel", "time"]}, {"insert": {"one": 1}}, EACH],
            X,
            ["time_distributed_1"],
        ),
        (
            [{"Embedding": {"input_dim": 20, "output_dim": 3}}, {"Conv1D": CAUSAL}],
            {"x": {"axes": {"time": 9}, "dtype": "int32"}},
            ["conv1d_1"],
        ),
    ],
)  # fmt: skip
def test_causal_networks(model: list[Any], inputs: dict[str, Any], values: list[str], tmp_path: Path) -> None:
    measured = verified(tmp_path, model, inputs, EXPECT)["output y"]["time"]
    assert measured["values"] == values
    assert measured["max_gradient_after"] == 0
    assert measured["max_gradient"] > 0.001
    assert measured["steps"] >= 5


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_a_layer_that_is_not_what_it_says(dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checker is deceived about `padding: same`; the gradient (or the change, of whole numbers) is not."""
    monkeypatch.setattr(sliding, "window_over", lambda size, span, stride, *rest: Window(span, stride, 0))
    model: list[Any] = [{"Conv1D": {**CAUSAL, "padding": "same"}}]
    inputs: dict[str, Any] = X
    if dtype == "int32":
        model.insert(0, {"Embedding": {"input_dim": 20, "output_dim": 3}})
        inputs = {"x": {"axes": {"time": 9}, "dtype": dtype}}
    with pytest.raises(SpecError) as error:
        verified(tmp_path, model, inputs, {"layers": {"conv1d_1": {"causal": "time"}}})
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN707"
    assert "layer `conv1d_1` must be causal along `time`, but in the built model step" in diagnostic.message
    assert "of input `x`" in diagnostic.message
    line = diagnostic.span.source.line(diagnostic.span.line)
    assert line[diagnostic.span.column - 1 : diagnostic.span.end_column - 1] == "time"


def test_it_stops_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = checked(tmp_path, [{"Conv1D": CAUSAL}], X, EXPECT)
    run_export(spec, tmp_path / "fine", Progress(quiet=True), weights=None, untrained=True)
    measured = json.loads((tmp_path / "fine" / "verify.json").read_text(encoding="utf-8"))
    assert measured["causality"]["output y"]["time"]["max_gradient_after"] == 0
    monkeypatch.setattr(sliding, "window_over", lambda size, span, stride, *rest: Window(span, stride, 0))
    spec = checked(tmp_path, [{"Conv1D": {**CAUSAL, "padding": "same"}}], X, EXPECT)
    with pytest.raises(SpecError):
        run_export(spec, tmp_path / "wrong", Progress(quiet=True), weights=None, untrained=True)
    assert not (tmp_path / "wrong" / "model.onnx").exists()


def test_an_exported_model_is_verified_again(tmp_path: Path) -> None:
    spec = checked(tmp_path, [{"LSTM": {"units": 3, "return_sequences": True}}], X, EXPECT)
    run_export(spec, tmp_path / "out", Progress(quiet=True), weights=None, untrained=True)
    again = run_verify(tmp_path / "out" / "model.onnx", None, Progress(quiet=True))
    assert again["causality"]["output y"]["time"]["values"] == ["lstm_1"]
    assert again["causality"]["output y"]["time"]["max_gradient_after"] == 0
