"""Cells and stacks of them beyond single cases: states, the gate on control flow, axes and formulas, diagnostics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.backends.keras.model import reset_states
from nnspec.backends.onnx.backend import OnnxModel
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import SpecError
from nnspec.layers.kit.base import Layer
from nnspec.verify import Gate
from tests.layers.recurrent.test_recurrent_states import TOLERANCE, Built, X, normal
from tests.layers.wrappers.test_wrappers import errors_of, graph_of
from tests.support.layer_cases import relative_error
from tests.support.oracles.recurrent import mask_of, masked_anywhere, stack

CELLS = [{"LSTMCell": {"units": 4}}, {"GRUCell": {"units": 3}}]
STATES = {"hidden_1": 4, "cell_1": 4, "hidden_2": 3}


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("activation", ["tanh", "silu"])
def test_returned_states_of_a_stack(masked: bool, activation: str, tmp_path: Path) -> None:
    cells = [{kind: {**body, "activation": activation}} for cell in CELLS for kind, body in cell.items()]
    body = {"cell": cells, "return_state": True, "return_sequences": True, "go_backwards": True, "name": "rnn"}
    inputs = {**X, **{name: {"axes": {"unit": units}} for name, units in STATES.items()}}
    model = [
        *([{"Masking": {"name": "m", "from": "x"}}] if masked else [{"Identity": {"name": "m", "from": "x"}}]),
        {"RNN": {**body, "from": ["m", *STATES]}},
    ]
    built = Built(tmp_path, inputs, model, {"y": "rnn", **{f"last_{name}": f"rnn.{name}" for name in STATES}})
    x = masked_anywhere()(np.random.default_rng(3), (4, 7, 5)).astype(np.float32)
    starts = {name: normal(4, units, seed=units) for name, units in STATES.items()}
    got = built.compare(x=x, **starts)

    def silu(z: np.ndarray) -> np.ndarray:
        return z / (1 + np.exp(-z))

    outputs, last = stack(
        ["LSTM", "GRU"],
        built.weights["rnn"],
        x,
        mask=mask_of(x) if masked else None,
        backwards=True,
        start=list(starts.values()),
        act=np.tanh if activation == "tanh" else silu,
    )
    assert relative_error(got["y"], outputs) < TOLERANCE
    for name, value in zip(STATES, last, strict=True):
        assert relative_error(got[f"last_{name}"], value) < TOLERANCE


@pytest.mark.parametrize("both", [False, True], ids=["forwards", "bidirectional"])
def test_stateful_stack(both: bool, tmp_path: Path) -> None:
    """The deployed graph takes and gives the states of every cell; Keras keeps them."""
    rnn: dict[str, Any] = {"RNN": {"cell": CELLS, "stateful": True, **({} if both else {"name": "rnn"})}}
    item = {"Bidirectional": {"layer": rnn, "name": "rnn"}} if both else rnn
    built = Built(tmp_path, {"x": {"axes": {"time": "T", "feature": 5}, "batch": 4}}, ["Masking", item], {"y": "rnn"})
    prefixes = ("forward_", "backward_") if both else ("",)
    names = {f"rnn_{prefix}{name}": units for prefix in prefixes for name, units in STATES.items()}
    assert [state.input for state in built.exported.states] == list(names)
    batches = [masked_anywhere()(np.random.default_rng(i), (4, 5 + i, 5)).astype(np.float32) for i in range(3)]
    for _ in range(2):
        reset_states(built.compiled.model)
        carried = {name: np.zeros((4, units), np.float32) for name, units in names.items()}
        for x in batches:
            wanted = built.by_keras(x=x)["y"]
            got = built.by_onnx(x=x, **carried)
            assert relative_error(got["y"], wanted) < TOLERANCE
            carried = {name: got[f"{name}_next"] for name in names}


def test_decoder_step_by_a_cell(tmp_path: Path) -> None:
    """A cell by itself is one step, and gives the new states."""
    inputs = {"word": {"axes": {"feature": 5}}, "h": {"axes": {"unit": 3}}, "c": {"axes": {"unit": 3}}}
    model = [
        {"LSTMCell": {"units": 3, "name": "step", "from": ["word", "h", "c"]}},
        {"Dense": {"units": 2, "name": "out"}},
    ]
    built = Built(tmp_path, inputs, model, {"y": "out", "next_h": "step.hidden", "next_c": "step.cell"})
    built.compare(word=normal(3, 5), h=normal(3, 3, seed=1), c=normal(3, 3, seed=2))


def test_outputs_that_hold_the_same(tmp_path: Path) -> None:
    """The output of a step is its state: one tensor under three names."""
    model = [
        {"SimpleRNN": {"units": 3, "activation": "silu", "return_state": True, "name": "rnn"}},
        {"Dense": {"units": 2, "name": "head"}},
    ]
    outputs = {"y": "rnn", "last": "rnn.hidden", "again": "rnn", "head": "head"}
    built = Built(tmp_path, X, model, outputs)
    got = built.compare(x=normal(3, 7, 5))
    assert np.array_equal(got["y"], got["last"])


# ------------------------------------------------------------------------------------------------- the gate

SCANNED = [{"GRU": {"units": 3, "activation": "silu", "name": "gru"}}]


def test_gate_passes_a_declared_scan(tmp_path: Path) -> None:
    built = Built(tmp_path, {"x": {"axes": {"time": "T", "feature": 5}}}, SCANNED, {"y": "gru"})
    result = Gate(built.graph, built.compiled.model, Deployment()).run(OnnxModel(built.model))
    assert result["nodes"]["Scan"] == 1
    reason = "ONNX' GRU has no activation `silu`, and the number of steps `T` is known only at run time"
    assert result["control_flow"] == {"gru": {"Scan": reason}}


def test_gate_refuses_a_scan_that_nothing_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = Built(tmp_path, {"x": {"axes": {"time": "T", "feature": 5}}}, SCANNED, {"y": "gru"})
    monkeypatch.setattr(type(built.graph.nodes[0].layer), "control_flow", Layer.control_flow)
    with pytest.raises(SpecError, match="Scan"):
        Gate(built.graph, built.compiled.model, Deployment()).run(OnnxModel(built.model))


# ------------------------------------------------------------------------------------------------- what is inferred


@pytest.mark.parametrize(
    ("cell", "formula", "weights"),
    [
        ({"GRUCell": {"units": 4, "reset_after": False}}, "3·(4·(5 + 4) + 4)", ["kernel", "recurrent_kernel", "bias"]),
        (
            CELLS,
            "4·(4·(5 + 4) + 4) + 3·(3·(4 + 3) + 2·3)",
            [f"cell_{i}_{name}" for i in (1, 2) for name in ("kernel", "recurrent_kernel", "bias")],
        ),
    ],
)
def test_formulas_and_weights(cell: Any, formula: str, weights: list[str], tmp_path: Path) -> None:
    node = graph_of(tmp_path, {"time": 7, "feature": 5}, [{"RNN": {"cell": cell}}]).nodes[0]
    assert node.formula == formula
    assert [weight.name for weight in node.weights] == weights
    assert node.parameters == eval(formula.replace("·", "*"))


def test_frozen_cell(tmp_path: Path) -> None:
    cells = [{"LSTMCell": {"units": 4, "trainable": False}}, {"GRUCell": {"units": 3}}]
    graph = graph_of(tmp_path, {"time": 7, "feature": 5}, [{"RNN": {"cell": cells}}])
    assert graph.nodes[0].trainable_parameters == 3 * (3 * (4 + 3) + 2 * 3)


@pytest.mark.parametrize(
    ("axes", "item", "wanted"),
    [
        ({"time": 7, "feature": 5}, {"RNN": {"cell": {"GRU": {"units": 2}}}}, "NN207: `RNN` needs a cell"),
        ({"feature": 5, "time": 7}, {"RNN": {"cell": CELLS}}, "NN308"),
        ({"time": 7, "feature": "F"}, {"RNN": {"cell": CELLS}}, "NN313"),
        ({"time": "T", "feature": 5}, {"RNN": {"cell": CELLS, "unroll": True}}, "NN313"),
        ({"time": 7, "feature": 5}, {"RNN": {"cell": CELLS, "over": "feature"}}, "NN309"),
        ({"time": 7}, {"RNN": {"cell": CELLS}}, "NN310"),
        ({"time": 7, "feature": 5}, {"RNN": {"cell": {"GRUCell": {"units": 2, "name": "a"}}}}, "NN208"),
        ({"feature": 5}, {"GRUCell": {"units": 2}}, "NN404"),
        ({"feature": 5}, {"GRUCell": {"units": 2, "from": ["x", "x"]}}, "NN311"),
        ({"feature": 5}, {"LSTMCell": {"units": 5, "from": ["x", "x"]}}, "NN404"),
        ({"time": 7, "feature": 5}, {"TimeDistributed": {"layer": {"GRUCell": {"units": 2}}}}, "NN404"),
        (
            {"time": 7, "feature": 5},
            {
                "Bidirectional": {
                    "layer": {"RNN": {"cell": CELLS}},
                    "backward_layer": {"RNN": {"cell": {"GRUCell": {"units": 2}}, "go_backwards": True}},
                }
            },
            "NN208",
        ),
    ],
)
def test_diagnostics(axes: dict[str, Any], item: Any, wanted: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, axes, [item])[0].startswith(wanted)


@pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"])
def test_dropout_of_a_cell_by_itself_is_drawn_at_every_call(kind: str, tmp_path: Path) -> None:
    """Through batches of two sizes, each of which Keras traces by itself."""
    cell: dict[str, Any] = {"units": 3, "dropout": 0.5, "recurrent_dropout": 0.5, "seed": 1}
    body = {"cells": [{"GRUCell": cell}]} if kind == "StackedRNNCells" else cell
    states = {"hidden": 3, "cell": 3} if kind == "LSTMCell" else {"hidden": 3}
    inputs = {"x": {"axes": {"feature": 5}}, **{name: {"axes": {"unit": size}} for name, size in states.items()}}
    model = [{kind: {**body, "from": ["x", *states], "name": "step"}}]
    built = Built(tmp_path, inputs, model, {"y": "step"})
    arrays = {"x": normal(7, 5, seed=1), **{name: normal(7, size, seed=size) for name, size in states.items()}}
    built.compare(**arrays)
    network = built.compiled.model
    one, two = (np.asarray(network(arrays, training=True)) for _ in range(2))
    assert np.abs(one - two).max() > 0.01
    network.compile(optimizer="sgd", loss="mse")
    before = [np.asarray(weight) for weight in network.trainable_weights]
    network.fit(arrays, normal(7, 3, seed=9), batch_size=4, epochs=2, verbose=0)
    assert all(np.any(np.asarray(w) != b) for w, b in zip(network.trainable_weights, before, strict=True))


@pytest.mark.parametrize(("steps", "is_op"), [(256, False), (300, False), (1024, False), (1025, True), ("T", True)])
def test_steps_of_a_simple_rnn_are_written_out_as_far_as_they_are_known_and_few(
    steps: int | str, is_op: bool, tmp_path: Path
) -> None:
    model = [{"SimpleRNN": {"units": 3, "name": "rnn"}}]
    built = Built(tmp_path, {"x": {"axes": {"time": steps, "feature": 2}}}, model, {"y": "rnn"})
    ops = {node.op_type for node in built.model.graph.node}
    assert ("RNN" in ops) == is_op
    assert "Scan" not in ops
    built.compare(x=normal(3, steps if isinstance(steps, int) else 9, 2, seed=1))
