"""Convolutional LSTMs beyond single cases: states, formulas, receptive fields, diagnostics, the size of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nnspec.backends.keras.model import reset_states
from nnspec.backends.onnx.backend import OnnxModel
from nnspec.data.deployment import Deployment
from nnspec.verify import Gate
from tests.layers.recurrent.test_recurrent_states import TOLERANCE, Built, normal
from tests.layers.wrappers.test_wrappers import errors_of, graph_of
from tests.support.layer_cases import relative_error
from tests.support.oracles.conv_lstm import conv_lstm

IMAGE: dict[str, Any] = {"time": 3, "height": 7, "width": 5, "channel": 2}
STATE = {"height": 5, "width": 3, "filter": 4}
BODY: dict[str, Any] = {"filters": 4, "kernel_size": 3}
STATES = ("hidden", "cell")


@pytest.mark.parametrize("every", [False, True], ids=["last", "every"])
def test_returned_states(every: bool, tmp_path: Path) -> None:
    inputs = {"x": {"axes": IMAGE}, **{name: {"axes": STATE} for name in STATES}}
    body = {**BODY, "return_state": True, "return_sequences": every, "go_backwards": True, "name": "rnn"}
    model = [{"ConvLSTM2D": {**body, "from": ["x", *STATES]}}]
    built = Built(tmp_path, inputs, model, {"y": "rnn", **{f"last_{name}": f"rnn.{name}" for name in STATES}})
    x = normal(3, 3, 7, 5, 2)
    starts = [normal(3, 5, 3, 4, seed=i) for i in (1, 2)]
    got = built.compare(x=x, hidden=starts[0], cell=starts[1])
    outputs, last = conv_lstm(built.weights["rnn"], x, start=starts, backwards=True)
    assert relative_error(got["y"], outputs if every else outputs[:, -1]) < TOLERANCE
    for name, value in zip(STATES, last, strict=True):
        assert relative_error(got[f"last_{name}"], value) < TOLERANCE


@pytest.mark.parametrize("length", [3, "T"])
def test_stateful(length: Any, tmp_path: Path) -> None:
    inputs = {"x": {"axes": {**IMAGE, "time": length}, "batch": 2}}
    built = Built(tmp_path, inputs, [{"ConvLSTM2D": {**BODY, "stateful": True, "name": "rnn"}}], {"y": "rnn"})
    ports = {port.name: port.shape for port in (*built.session.get_inputs(), *built.session.get_outputs())}
    assert all(ports[f"rnn_{name}"] == ports[f"rnn_{name}_next"] == ["batch", 5, 3, 4] for name in STATES)
    for _ in range(2):
        reset_states(built.compiled.model)
        carried = {f"rnn_{name}": np.zeros((2, 5, 3, 4), np.float32) for name in STATES}
        for i in range(3):
            x = normal(2, 3, 7, 5, 2, seed=i)
            wanted = built.by_keras(x=x)["y"]
            got = built.by_onnx(x=x, **carried)
            assert relative_error(got["y"], wanted) < TOLERANCE
            carried = {f"rnn_{name}": got[f"rnn_{name}_next"] for name in STATES}


def test_steps_share_their_weights(tmp_path: Path) -> None:
    """Written-out steps read the same two kernels, and the input's convolution is one for all of them."""
    built = Built(
        tmp_path, {"x": {"axes": {**IMAGE, "time": 9}}}, [{"ConvLSTM2D": {**BODY, "name": "rnn"}}], {"y": "rnn"}
    )
    convolutions = [node for node in built.model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 9  # one for the input, and one for each state but the first, which is zeros
    assert len({node.input[1] for node in convolutions}) == 2
    assert sum(np.prod(i.dims) for i in built.model.graph.initializer) < built.graph.parameters + 50


def test_gate_names_the_scan(tmp_path: Path) -> None:
    model = [{"Bidirectional": {"layer": {"ConvLSTM2D": BODY}, "name": "rnn"}}]
    built = Built(tmp_path, {"x": {"axes": {**IMAGE, "time": "T"}}}, model, {"y": "rnn"})
    result = Gate(built.graph, built.compiled.model, Deployment()).run(OnnxModel(built.model))
    assert result["nodes"]["Scan"] == 2
    assert result["control_flow"]["rnn"]["Scan"].startswith("ONNX has no convolutional LSTM")


@pytest.mark.parametrize(
    ("layer", "formula"),
    [
        ({"ConvLSTM2D": BODY}, "4·(3·3·4·(2 + 4) + 4)"),
        ({"ConvLSTM2D": {**BODY, "kernel_size": [2, 3], "use_bias": False}}, "4·(2·3·4·(2 + 4))"),
        ({"Bidirectional": {"layer": {"ConvLSTM2D": BODY}}}, "2·(4·(3·3·4·(2 + 4) + 4))"),
    ],
)
def test_formulas(layer: Any, formula: str, tmp_path: Path) -> None:
    node = graph_of(tmp_path, IMAGE, [layer]).nodes[0]
    assert node.formula == formula
    assert node.parameters == eval(formula.replace("·", "*"))


@pytest.mark.parametrize(
    ("every", "both"), [(False, False), (True, False), (True, True)], ids=["last", "every", "both"]
)
@pytest.mark.parametrize("body", [{"padding": "same"}, {"strides": 2, "kernel_size": 2}, {"dilation_rate": 2}])
def test_receptive_field_holds_every_gradient(body: dict[str, Any], every: bool, both: bool, tmp_path: Path) -> None:
    """No output position depends on anything outside its field, and the field is no larger than what one does."""
    inputs = {"x": {"axes": {"time": 2, "position": 13, "channel": 1}}}
    layer = {"ConvLSTM1D": {"filters": 1, "kernel_size": 3, "return_sequences": every, **body}}
    item = {"Bidirectional": {"layer": layer, "name": "rnn"}} if both else layer
    next(iter(item.values()))["name"] = "rnn"
    built = Built(tmp_path, inputs, [item], {"y": "rnn"})
    field = built.graph.nodes[0].outputs[0].fields["position"]
    x = tf.constant(normal(1, 2, 13, 1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = built.compiled.model(x)
        y = y[:, -1] if every else y
        parts = [y[0, i, 0] for i in range(y.shape[1])]
    spans = []
    for i, part in enumerate(parts):
        seen = np.nonzero(np.abs(tape.gradient(part, x).numpy()).sum((0, 1, 3)))[0]
        assert field.stride * i - field.behind <= seen.min()
        assert seen.max() <= field.stride * i + field.ahead
        spans.append(seen.max() - seen.min() + 1)
    assert field.size == max(spans)


@pytest.mark.parametrize(
    ("axes", "layer", "wanted"),
    [
        ({"height": 7, "time": 3, "width": 5, "channel": 2}, {"ConvLSTM2D": BODY}, "NN308"),
        ({"time": 3, "channel": 2, "height": 7, "width": 5}, {"ConvLSTM2D": BODY}, "NN308"),
        (IMAGE, {"ConvLSTM2D": {**BODY, "over": "height"}}, "NN309"),
        (IMAGE, {"ConvLSTM2D": {**BODY, "over": ["time", "height", "channel"]}}, "NN309"),
        ({**IMAGE, "height": "H"}, {"ConvLSTM2D": BODY}, "NN313"),
        ({**IMAGE, "channel": "C"}, {"ConvLSTM2D": BODY}, "NN313"),
        ({"time": 3, "height": 7, "width": 5}, {"ConvLSTM2D": BODY}, "NN310"),
        ({**IMAGE, "width": 2}, {"ConvLSTM2D": BODY}, "NN312"),
        (IMAGE, {"ConvLSTM2D": {**BODY, "strides": 2, "dilation_rate": 2}}, "NN208"),
        (IMAGE, {"ConvLSTM2D": {**BODY, "padding": "causal"}}, "NN205"),
        (IMAGE, {"ConvLSTM2D": {**BODY, "unroll": True}}, "NN201"),
        (
            {"time": 3, "channel": 2, "height": 7, "width": 5},
            {"Bidirectional": {"layer": {"ConvLSTM2D": {**BODY, "data_format": "channels_first"}}}},
            "NN208",
        ),
    ],
)
def test_diagnostics(axes: dict[str, Any], layer: Any, wanted: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, axes, [layer])[0].startswith(wanted)


def test_over_all_its_axes(tmp_path: Path) -> None:
    node = graph_of(tmp_path, IMAGE, [{"ConvLSTM2D": {**BODY, "over": ["time", "height", "width"]}}]).nodes[0]
    assert [axis.name for axis in node.outputs[0].axes] == ["height", "width", "filter"]
