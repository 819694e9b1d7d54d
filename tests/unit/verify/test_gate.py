"""What the gate compares on, and what it says of networks that no two programs compute alike."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest

import nnspec
from nnspec import api, pipeline
from nnspec.backends.keras.model import build_model
from nnspec.backends.onnx.backend import OnnxModel
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.transforms import OutputTransform, Scaling
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.ir import axes as ax
from nnspec.ir.graph import Output, Value
from nnspec.layers.registry import REGISTRY
from nnspec.verify import Gate
from nnspec.verify.comparison import Measure, clear_labels, differences, errors
from nnspec.verify.hostile_rows import hostile_rows
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
    assert "this network amplifies rounding error" in diagnostic.notes[-1]


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


CLOSED = {"units": 3, "bias_initializer": {"Constant": {"value": -3.0}}}
GATES: dict[str, list[Any]] = {
    "activation": [{"Dense": {**CLOSED, "activation": "sigmoid"}}],
    "layer": [{"Dense": CLOSED}, {"Activation": "sigmoid"}],
    "formula": [{"Dense": CLOSED}, {"formula": "sigmoid(x)"}],
    "silu": [{"Dense": {**CLOSED, "activation": "silu"}}],
}


@pytest.mark.parametrize("gates", GATES)
def test_rest_of_closed_gates_is_not_compared(tmp_path: Path, gates: str) -> None:
    """Keras' sigmoid of -30 is 1e-13, ONNX Runtime's 0: normalized to length 1, they are as far apart as can be."""
    model = [*GATES[gates], "UnitNormalization", {"Dense": {"units": 2, "as": "target"}}]
    run = api.load(written(tmp_path, {"feature": 4}, model)).export(tmp_path / "out", untrained=True)
    assert run.verification["outputs"]["y"]["passed"]
    assert any("random inputs 30 times as large as usual" in note for note in run.verification["notes"])


@pytest.mark.parametrize("factor", [1.01, 0.99])
def test_wrong_gates_are_refused_where_they_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    unit = type(REGISTRY["UnitNormalization"])
    right = unit.to_onnx

    def wrong(self: Any, node: Any, inputs: Any, lowering: Any) -> Any:
        (made,) = right(self, node, inputs, lowering)
        return [replace(made, tensor=lowering.node("Mul", made.tensor, lowering.scalar(factor)))]

    monkeypatch.setattr(unit, "to_onnx", wrong)
    model = [*GATES["activation"], "UnitNormalization", {"Dense": {"units": 2, "as": "target"}}]
    path = written(tmp_path, {"feature": 4}, model)
    with pytest.raises(SpecError, match="NN701"):
        api.load(path).export(tmp_path / "out", untrained=True)


CONFIDENT = [
    {"Dense": {"units": 16, "activation": "tanh"}},
    {
        "Dense": {
            "units": 1,
            "activation": "sigmoid",
            "as": "p",
            "kernel_initializer": {"RandomNormal": {"stddev": 1.5}},
            "bias_initializer": {"Constant": {"value": -12.0}},
        }
    },
]


def test_probability_is_measured_against_one(tmp_path: Path) -> None:
    path = written(tmp_path, {"feature": 4}, CONFIDENT, outputs={"y": {"task": "binary"}}, training={"seed": 1})
    spec = api.load(path)
    run = spec.export(tmp_path / "out", untrained=True)
    assert run.verification["outputs"]["y"]["passed"]
    # Relative to themselves, these very probabilities differ by more than the tolerance.
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    wanted = np.asarray(keras.models.load_model(tmp_path / "out" / "model.keras")(x))
    got = nnspec.runtime.load(tmp_path / "out" / "model.onnx")(x)["y"]
    assert np.max(np.abs(got - wanted) / wanted) > 1e-4
    assert wanted.max() < 0.02


def test_value_is_measured_against_its_output_over_many_rows_not_against_itself() -> None:
    wanted = np.array([[3.0], [1e-5]], np.float32)
    measure = Measure.of(an_output("regression"), [wanted], None)
    assert measure.relative(errors(wanted + np.float32(1e-5), wanted), wanted).max() == pytest.approx(1e-5 / 3, rel=0.1)
    assert differences(wanted[1:] * 2, wanted[1:])[1] == pytest.approx(1.0)  # by itself, it is its own scale


def test_offset_of_the_targets_does_not_hide_an_error() -> None:
    transform = OutputTransform(Scaling(np.array([1e5], np.float32), np.array([2.0], np.float32)))
    predicted = np.array([[1.0], [-1.0]], np.float32)
    wanted = transform.restore(predicted, {})
    wrong = transform.restore(predicted * np.float32(1.2), {})
    measure = Measure.of(an_output("regression"), [predicted], transform)
    assert measure.relative(errors(wrong, wanted), wanted).max() > 0.15
    assert differences(wrong, wanted)[1] < 1e-5


@pytest.mark.parametrize(
    ("got", "wanted", "error"),
    [
        ([np.nan, 1.0], [np.nan, 1.0], 0.0),
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([np.inf, 1.0], [-np.inf, 1.0], np.inf),
        ([np.nan, 1.0], [0.0, 1.0], np.inf),
        ([0.0, 1.0], [np.nan, 1.0], np.inf),
    ],
)
def test_two_that_are_no_numbers_do_not_differ(got: list[float], wanted: list[float], error: float) -> None:
    assert differences(np.array(got), np.array(wanted))[1] == error


def test_labels_count_where_rounding_does_not_decide_them(tmp_path: Path) -> None:
    scores = np.array([[0.5, 0.5 + 1e-6, 0.0], [0.5, 0.3, 0.2]], np.float32)
    assert clear_labels(an_output("classification"), scores, 2e-4).tolist() == [False, True]
    assert clear_labels(an_output("binary"), scores, 2e-4)[0].tolist() == [False, False, True]


def test_model_that_gives_no_number_is_said_to(tmp_path: Path) -> None:
    big = {"Dense": {"units": 2, "kernel_initializer": {"Constant": {"value": 1e30}}, "name": "big"}}
    model = [big, {"Multiply": {"from": ["big", "big"], "name": "square"}}]
    path = written(tmp_path, {"feature": 3}, [*model, {"Dense": {"units": 2, "as": "target"}}])
    with pytest.raises(SpecError) as error:
        api.load(path).export(tmp_path / "out", untrained=True)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN710"
    assert "`square` (Multiply)" in diagnostic.message


def test_reason_names_the_tolerance_that_would_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dense = type(REGISTRY["Dense"])
    right = dense.to_onnx

    def wrong(self: Any, node: Any, inputs: Any, lowering: Any) -> Any:
        lowering.weights = {**lowering.weights, "kernel": lowering.weights["kernel"] * np.float32(1.003)}
        return right(self, node, inputs, lowering)

    monkeypatch.setattr(dense, "to_onnx", wrong)
    model = [{"Dense": {"units": 2, "as": "target"}}]
    path = written(tmp_path, {"feature": 3}, model)
    with pytest.raises(SpecError) as error:
        api.load(path).export(tmp_path / "out", untrained=True)
    (fix,) = error.value.diagnostics[0].fixes
    accepted = float(re.findall(r"tolerance: ([\d.e+-]+)", fix.message)[0])
    path = written(tmp_path, {"feature": 3}, model, export={"tolerance": accepted})
    assert api.load(path).export(tmp_path / "out2", untrained=True).verification["outputs"]["y"]["passed"]


def an_output(task: str) -> Output:
    """An output of three values along `class`."""
    value = Value(node="x", axes=(ax.fresh("class", 3, "x"),))
    return Output(
        name="y",
        value=value,
        task=task,
        span=Span(Source("", "")),
        class_axis="class" if task == "classification" else None,
    )


MASKED = [
    ({"time": 5, "feature": 2}, "float32", [{"Masking": {"mask_value": -1.0}}, {"LSTM": {"units": 3}}]),
    (
        {"time": 5},
        "int32",
        [{"Embedding": {"input_dim": 9, "output_dim": 3, "mask_zero": True}}, {"GRU": {"units": 3}}],
    ),
]


@pytest.mark.parametrize(("axes", "dtype", "model"), MASKED, ids=["masking", "embedding"])
def test_hostile_rows_are_padded_everywhere(tmp_path: Path, axes: Any, dtype: str, model: list[Any]) -> None:
    path = written(tmp_path, axes, model, inputs={"x": {"axes": axes, "dtype": dtype}})
    graph = pipeline.check(path).graph
    drawn = random_inputs(graph, Deployment(), 8, 11)
    drawn["x"] = np.where(drawn["x"] == 0, 1, drawn["x"])
    padded, strange, *larger = hostile_rows(graph, drawn)
    value = -1.0 if dtype == "float32" else 0
    masked = (padded.inputs["x"].reshape(len(padded.rows), 5, -1) == value).all(axis=2)
    by_kind = dict(zip(padded.rows, masked.tolist(), strict=True))
    assert not any(by_kind["none"])
    assert all(by_kind["whole"])
    assert by_kind["right"][-1]
    assert not by_kind["right"][0]
    assert by_kind["left"][0]
    assert not by_kind["left"][-1]
    assert not by_kind["middle"][0]
    assert any(by_kind["middle"])
    by_name = {variant.name: variant.inputs["x"] for variant in larger}
    assert set(by_name) == ({"bytes", "silence", "huge values", "constant values"} if dtype == "float32" else set())
    if larger:
        assert np.abs(strange.inputs["x"]).max() < 10  # or they would hide errors in what is of the usual size
        assert np.abs(by_name["huge values"]).max() > 1000
        assert not by_name["silence"].reshape(len(by_name["silence"]), -1).any(axis=1).all()  # some rows are silent
    else:
        assert [np.unique(row).tolist() for row in strange.inputs["x"][1:3]] == [[0], [8]]  # the first id and the last


def test_lowering_whose_padding_moves_the_state_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnspec.layers.recurrent.gates import GRUGates

    monkeypatch.setattr(GRUGates, "held", (0, 0, 0))
    model = [{"Masking": {}}, {"GRU": {"units": 3}}, {"Dense": {"units": 1, "as": "target"}}]
    path = written(tmp_path, {"time": 5, "feature": 2}, model)
    with pytest.raises(SpecError) as error:
        api.load(path).export(tmp_path / "out", untrained=True)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN701"
    assert any("a row with padding" in note for note in diagnostic.notes)


def add_behind(proto: Any, op: str, **attributes: Any) -> None:
    """Another node between what computes the only output and the output, whose declared shape stays."""
    (port,) = proto.graph.output
    (maker,) = [node for node in proto.graph.node if port.name in node.output]
    maker.output[list(maker.output).index(port.name)] = "inside"
    inputs = ["inside"]
    if op == "Gather":
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 5], np.int64), "beyond"))
        inputs.append("beyond")
    proto.graph.node.append(onnx.helper.make_node(op, inputs, [port.name], **attributes))


@pytest.mark.parametrize(
    ("op", "attributes", "code"),
    [("Gather", {"axis": 1}, "NN702"), ("Squeeze", {}, "NN703")],
    ids=["fails-when-it-runs", "gives-other-axes"],
)
def test_a_file_that_fails_when_it_runs_is_refused(
    tmp_path: Path, op: str, attributes: dict[str, Any], code: str
) -> None:
    """It passes the checker, and ONNX Runtime loads it: only a run shows what is wrong."""
    path = written(tmp_path, {"feature": 3}, [{"Dense": {"units": 2, "as": "target"}}])
    run = api.load(path).export(tmp_path / "out", untrained=True)
    proto = onnx.load(run.onnx)
    add_behind(proto, op, **attributes)
    checked = pipeline.check(path)
    keras.utils.set_random_seed(0)
    gate = Gate(checked.graph, build_model(checked.graph).model, Deployment())
    with pytest.raises(SpecError) as error:
        gate.run(OnnxModel(proto))
    assert error.value.diagnostics[0].code == code
