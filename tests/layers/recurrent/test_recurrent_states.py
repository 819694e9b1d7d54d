"""States of recurrent layers: given out, taken in, and carried from batch to batch."""

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
from nnspec.backends.keras.model import Compiled, build_model, predict, read_weights
from nnspec.backends.onnx.export import Exported, export_graph
from nnspec.diagnostics import SpecError
from nnspec.ir.graph import Graph
from tests.support.layer_cases import Case, checked, randomize, relative_error
from tests.support.oracles.recurrent import mask_of, masked_anywhere, parts, recurrent, right_padded

KINDS = ("LSTM", "GRU", "SimpleRNN")
TOLERANCE = 2e-5


class Built:
    """A spec as Keras model and ONNX session."""

    def __init__(self, folder: Path, inputs: dict[str, Any], model: list[Any], outputs: dict[str, str], **options: Any):
        document = {
            "nnspec": 1,
            "inputs": inputs,
            "model": model,
            "outputs": {name: {"task": "regression", "from": source} for name, source in outputs.items()},
        }
        path = folder / "spec.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        self.checked = pipeline.check(path)
        self.graph: Graph = self.checked.graph
        keras.utils.set_random_seed(5)
        self.compiled: Compiled = build_model(self.graph)
        randomize(self.compiled.model)
        self.weights = {n.name: read_weights(n, self.compiled.layers[n.name]) for n in self.graph.nodes}
        self.exported: Exported = export_graph(self.graph, self.weights, **options)
        self.model = self.exported.builder.to_model({}, "test")
        onnx.checker.check_model(self.model, full_check=True)
        self.session = onnxruntime.InferenceSession(self.model.SerializeToString(), providers=["CPUExecutionProvider"])

    def by_keras(self, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        return predict(self.compiled.model, self.graph, arrays)

    def by_onnx(self, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(None, arrays), strict=True))

    def compare(self, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        wanted, got = self.by_keras(**arrays), self.by_onnx(**arrays)
        for name, value in wanted.items():
            assert relative_error(got[name], value) < TOLERANCE, name
        return wanted


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


X = {"x": {"axes": {"time": 7, "feature": 5}}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every", [False, True], ids=["last", "every"])
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_returned_states(kind: str, every: bool, masked: bool, backwards: bool, tmp_path: Path) -> None:
    states = ("hidden", "cell") if kind == "LSTM" else ("hidden",)
    body = {"units": 3, "return_state": True, "return_sequences": every, "go_backwards": backwards, "name": "rnn"}
    model = [*(["Masking"] if masked else []), {kind: body}]
    built = Built(tmp_path, X, model, {"y": "rnn", **{state: f"rnn.{state}" for state in states}})
    x = masked_anywhere()(np.random.default_rng(3), (4, 7, 5)).astype(np.float32)
    got = built.compare(x=x)
    mask = mask_of(x) if masked else None
    outputs, last = recurrent(kind, built.weights["rnn"], x, mask=mask, backwards=backwards)
    assert relative_error(got["y"], outputs if every else outputs[:, -1]) < TOLERANCE
    for state, value in zip(states, last, strict=True):
        assert relative_error(got[state], value) < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["concat", None])
def test_returned_states_of_both_directions(kind: str, mode: str | None, tmp_path: Path) -> None:
    states = ("hidden", "cell") if kind == "LSTM" else ("hidden",)
    names = [f"{direction}_{state}" for direction in ("forward", "backward") for state in states]
    body = {"layer": {kind: {"units": 3, "return_state": True}}, "merge_mode": mode, "name": "rnn"}
    outputs = {"y": "rnn"} if mode else {"first": "rnn.forward", "second": "rnn.backward"}
    built = Built(tmp_path, X, [{"Bidirectional": body}], {**outputs, **{name: f"rnn.{name}" for name in names}})
    x = normal(4, 7, 5)
    got = built.compare(x=x)
    for direction in ("forward", "backward"):
        weights = parts(built.weights["rnn"], f"{direction}_")
        _, last = recurrent(kind, weights, x, backwards=direction == "backward")
        for state, value in zip(states, last, strict=True):
            assert relative_error(got[f"{direction}_{state}"], value) < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padded", [False, True], ids=["anywhere", "right-padded"])
def test_decoder_starts_from_encoder(kind: str, padded: bool, tmp_path: Path) -> None:
    """Keras forgets the mask where an initial state is given; here it counts."""
    states = ("hidden", "cell") if kind == "LSTM" else ("hidden",)
    inputs = {"x": {"axes": {"time": 7, "feature": 5}}, "z": {"axes": {"step": 4, "word": 2}}}
    model = [
        {kind: {"units": 3, "return_state": True, "name": "encoder", "from": "x"}},
        {"Masking": {"name": "masked", "from": "z"}},
        {
            kind: {
                "units": 3,
                "return_sequences": True,
                "return_state": True,
                "name": "decoder",
                "from": ["masked", *(f"encoder.{state}" for state in states)],
                "over": "step",
            }
        },
    ]
    outputs = {"y": "decoder", **{state: f"decoder.{state}" for state in states}}
    built = Built(tmp_path, inputs, model, outputs)
    make = right_padded if padded else masked_anywhere()
    x, z = normal(4, 7, 5), make(np.random.default_rng(2), (4, 4, 2)).astype(np.float32)
    got = built.compare(x=x, z=z)
    _, start = recurrent(kind, built.weights["encoder"], x)
    steps, last = recurrent(kind, built.weights["decoder"], z, mask=mask_of(z), start=start)
    assert relative_error(got["y"], steps) < TOLERANCE
    for state, value in zip(states, last, strict=True):
        assert relative_error(got[state], value) < TOLERANCE
    assert np.allclose(got["hidden"][-1], start[0][-1], atol=1e-5)  # nothing but padding: the state stays


@pytest.mark.parametrize("kind", [*KINDS, "Bidirectional"])
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("every", [False, True], ids=["last", "every"])
def test_stateful(kind: str, masked: bool, every: bool, tmp_path: Path) -> None:
    inputs = {"x": {"axes": {"time": 7, "feature": 5}, "batch": 4}}
    body: dict[str, Any] = {"units": 3, "stateful": True, "return_sequences": every}
    item = (
        {"Bidirectional": {"layer": {"LSTM": body}, "name": "rnn"}}
        if kind == "Bidirectional"
        else {kind: {**body, "name": "rnn"}}
    )
    built = Built(tmp_path, inputs, [*(["Masking"] if masked else []), item], {"y": "rnn"})
    assert built.graph.batches == {"x": 4}
    states = {
        "LSTM": ["hidden", "cell"],
        "Bidirectional": ["forward_hidden", "forward_cell", "backward_hidden", "backward_cell"],
    }.get(kind, ["hidden"])
    assert [state.input for state in built.exported.states] == [f"rnn_{name}" for name in states]
    ports = {port.name: port.shape for port in (*built.session.get_inputs(), *built.session.get_outputs())}
    assert next(iter(ports)) == "x"
    assert all(ports[f"rnn_{name}"] == ports[f"rnn_{name}_next"] == ["batch", 3] for name in states)
    make = masked_anywhere()
    batches = [make(np.random.default_rng(i), (4, 7, 5)).astype(np.float32) for i in range(3)]
    for _ in range(2):  # the second time after a reset
        built.compiled.layers["rnn"].reset_state() if kind != "Bidirectional" else _reset(built.compiled.layers["rnn"])
        carried = {f"rnn_{name}": np.zeros((4, 3), np.float32) for name in states}
        for x in batches:
            wanted = built.by_keras(x=x)["y"]
            got = built.by_onnx(x=x, **carried)
            assert relative_error(got["y"], wanted) < TOLERANCE
            carried = {f"rnn_{name}": got[f"rnn_{name}_next"] for name in states}
    one = built.by_onnx(x=batches[0][:1], **{name: value[:1] for name, value in carried.items()})
    assert one["y"].shape[0] == 1  # the deployed graph takes any batch


def _reset(layer: Any) -> None:
    layer.forward_layer.reset_state()
    layer.backward_layer.reset_state()


def test_cudnn_without_a_gpu_is_a_diagnostic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras would end the training with a traceback."""
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: [])
    case = Case("GRU", {"units": 2, "use_cudnn": True}, [{"time": 4, "feature": 3}], {"unit": 2}, None, None)
    with pytest.raises(SpecError) as error:
        build_model(checked(case, tmp_path).graph)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN208"
    assert "finds no GPU" in diagnostic.message


@pytest.mark.parametrize("inner", [{"GRU": {"units": 2}}, {"ConvLSTM1D": {"filters": 2, "kernel_size": 1}}], ids=str)
def test_a_frozen_layer_inside_both_directions_stays(inner: dict[str, Any], tmp_path: Path) -> None:
    ((kind, body),) = inner.items()
    axes: dict[str, int | str] = {"frame": 3, "time": 4, "channel": 2} if "Conv" in kind else {"time": 4, "channel": 2}
    case = Case("Bidirectional", {"layer": {kind: {**body, "trainable": False}}}, [axes], {}, None, None)
    graph = checked(case, tmp_path).graph
    assert graph.trainable_parameters == 0
    assert not build_model(graph).model.trainable_weights
