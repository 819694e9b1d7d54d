"""From items to a graph: axes, dtypes, weights, names, and faults that are said once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph, Node
from nnspec.pipeline import check, diagnose

WINDOW = {"time": 10, "feature": 5}


def document(axes: dict[str, Any], model: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
        **more,
    }


def written(tmp_path: Path, content: dict[str, Any]) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def graph(tmp_path: Path, axes: dict[str, Any], model: list[Any], **more: Any) -> Graph:
    return check(written(tmp_path, document(axes, model, **more))).graph


def faults(tmp_path: Path, axes: dict[str, Any], model: list[Any], **more: Any) -> list[Diagnostic]:
    return diagnose(written(tmp_path, document(axes, model, **more)))


def shown(node: Node) -> str:
    return ax.describe(node.outputs[0].axes)


def test_axes_of_a_causal_network(tmp_path: Path) -> None:
    causal = {"Conv1D": {"filters": 32, "kernel_size": 5, "padding": "causal", "dilation_rate": 2}}
    model = [
        {"permute": ["feature", "time"]},
        {"insert": {"channel": 1}},
        {"TimeDistributed": {"over": "feature", "layer": causal}},
        {"permute": ["time", "feature", "filter"]},
        {"merge": {"channel": ["feature", "filter"]}},
        causal,
        "Flatten",
        {"Dense": {"units": 1, "as": "target"}},
    ]
    result = graph(tmp_path, WINDOW, model)
    assert [shown(node) for node in result.nodes] == [
        "(feature 5, time 10)",
        "(feature 5, time 10, channel 1)",
        "(feature 5, time 10, filter 32)",
        "(time 10, feature 5, filter 32)",
        "(time 10, channel 160)",
        "(time 10, filter 32)",
        "(time_filter 320)",
        "(target 1)",
    ]
    assert [node.parameters for node in result.nodes if node.weights] == [5 * 32 + 32, 5 * 160 * 32 + 32, 321]
    assert result.parameters == 192 + 25632 + 321
    assert [node.formula for node in result.nodes if node.weights] == ["5·1·32 + 32", "5·160·32 + 32", "320·1 + 1"]


def test_the_question_about_two_convolutions(tmp_path: Path) -> None:
    """64 kernels of 5×5×32, not 2 a channel: (5, 5, 32, 64), 51,264 parameters."""
    model = [
        {"Conv2D": {"filters": 32, "kernel_size": 5, "padding": "same"}},
        {"MaxPooling2D": {"pool_size": 2}},
        {"Conv2D": {"filters": 64, "kernel_size": 5, "padding": "same"}},
    ]
    nodes = graph(tmp_path, {"height": 28, "width": 28, "channel": 1}, model).nodes
    assert nodes[2].weights[0].shape == (5, 5, 32, 64)
    assert nodes[2].parameters == 51264
    depthwise = [model[0], {"DepthwiseConv2D": {"kernel_size": 5, "depth_multiplier": 2}}]
    nodes = graph(tmp_path, {"height": 28, "width": 28, "channel": 1}, depthwise).nodes
    assert nodes[1].weights[0].shape == (5, 5, 32, 2)
    assert shown(nodes[1]) == "(height 24, width 24, filter 64)"


def test_the_lstm_of_96_parameters(tmp_path: Path) -> None:
    (node,) = graph(tmp_path, {"time": 3, "feature": 1}, [{"LSTM": {"units": 4}}]).nodes
    assert node.parameters == 4 * (4 * (1 + 4) + 4) == 96
    assert shown(node) == "(unit 4)"


def test_symbols_and_constraints(tmp_path: Path) -> None:
    model = [{"split": {"time": {"pair": None, "frame": 2}}}, {"merge": {"channel": ["frame", "mel"]}}]
    result = graph(tmp_path, {"time": "T", "mel": 40}, model)
    assert shown(result.nodes[-1]) == "(pair T/2, channel 80)"
    assert result.constraints == ("T % 2 == 0",)
    result = graph(tmp_path, {"time": None, "mel": 40}, [{"Reshape": {"target_shape": [-1, 8, 5]}}])
    assert shown(result.nodes[-1]) == "(time time, mel_1 8, mel_2 5)"
    assert result.constraints == ()


def test_what_must_hold_of_two_symbols_is_a_constraint(tmp_path: Path) -> None:
    inputs = {"a": {"axes": {"time": "T", "f": 3}}, "b": {"axes": {"time": "T", "f": 3}}}
    assert not diagnose(written(tmp_path, document({}, [{"Add": {"from": ["a", "b"]}}], inputs=inputs)))
    other = {"a": {"axes": {"time": "T", "f": 3}}, "b": {"axes": {"time": "N", "f": 3}}}
    result = check(written(tmp_path, document({}, [{"Add": {"from": ["a", "b"]}}], inputs=other))).graph
    assert result.constraints == ("T == N",)


def test_one_fault_and_its_readers_keep_silent(tmp_path: Path) -> None:
    model = [
        {"Reshape": {"target_shape": [7, 7]}},
        {"Conv1D": {"filters": 3, "kernel_size": 3}},
        {"Dense": {"units": 0.5}},
    ]
    model[2] = {"Dense": {"units": 1}}
    assert [d.code for d in faults(tmp_path, WINDOW, model)] == ["NN302"]


def test_faults_in_different_branches_are_said_together(tmp_path: Path) -> None:
    model = [
        {"Reshape": {"target_shape": [7, 7], "from": "x"}},
        {"drop": {"axis": "time", "from": "x"}},
        {"permute": {"order": ["time"], "from": "x"}},
    ]
    assert [d.code for d in faults(tmp_path, WINDOW, model)] == ["NN302", "NN317", "NN316"]


def test_warnings_are_kept(tmp_path: Path) -> None:
    found = faults(tmp_path, WINDOW, [{"Reshape": {"target_shape": [5, 10]}}, "Flatten", {"Dense": {"units": 1}}])
    assert [(d.code, d.is_error) for d in found] == [("NN305", False)]


def test_a_scramble_with_another_reader_is_an_error(tmp_path: Path) -> None:
    model = [
        {"Reshape": {"target_shape": [5, 10], "name": "r"}},
        "Flatten",
        {"Dense": {"units": 3, "name": "a"}},
        {"Dense": {"units": 3, "from": "r", "name": "b"}},
    ]
    outputs = {"a": {"task": "regression", "from": "a"}, "b": {"task": "regression", "from": "b"}}
    assert [d.code for d in faults(tmp_path, WINDOW, model, outputs=outputs)] == ["NN301"]
    assert [d.code for d in faults(tmp_path, WINDOW, [{"Reshape": {"target_shape": [5, 10]}}])] == ["NN301"]


def test_shared_layers_count_once(tmp_path: Path) -> None:
    inputs = {"a": {"axes": {"feature": 5}}, "b": {"axes": {"feature": 5}}}
    model = [
        {"share": {"use": "encoder", "from": "a", "name": "left"}},
        {"share": {"use": "encoder", "from": "b", "name": "right"}},
        {"Subtract": {"from": ["left", "right"]}},
    ]
    content = document({}, model, inputs=inputs, layers={"encoder": {"Dense": {"units": 3}}})
    result = check(written(tmp_path, content)).graph
    assert result.parameters == 18
    assert [node.name for node in result.owners()] == ["left", "subtract_1"]


def test_outputs(tmp_path: Path) -> None:
    model = [
        {"Dense": {"units": 4, "name": "body"}},
        {"Dense": {"units": 3, "activation": "softmax", "as": "class", "name": "head"}},
        {"Dense": {"units": 1, "from": "body", "name": "value"}},
    ]
    outputs = {
        "kind": {"from": "head", "task": "classification", "classes": ["a", "b", "c"], "weight": 2},
        "amount": {"task": "regression", "loss": "mae", "metrics": ["mse"]},
    }
    result = graph(tmp_path, {"feature": 5}, model, outputs=outputs)
    kind, amount = result.outputs["kind"], result.outputs["amount"]
    assert (kind.class_axis, kind.classes, kind.weight, kind.value.node) == ("class", ("a", "b", "c"), 2.0, "head")
    assert (amount.value.node, amount.loss, amount.metrics, amount.class_axis) == ("value", "mae", ("mse",), None)


def test_ports(tmp_path: Path) -> None:
    model = [
        {"LSTM": {"units": 4, "return_state": True, "name": "encoder"}},
        {"Concatenate": {"axis": "unit", "from": ["encoder.hidden", "encoder.cell"]}},
    ]
    result = graph(tmp_path, WINDOW, model)
    assert [v.port for v in result.nodes[1].inputs] == ["hidden", "cell"]
    assert shown(result.nodes[1]) == "(unit 8)"


def test_dtypes_are_carried(tmp_path: Path) -> None:
    inputs = {"x": {"axes": {"position": 7}, "dtype": "int32"}}
    model = [{"Embedding": {"input_dim": 20, "output_dim": 3}}, "Flatten"]
    result = check(written(tmp_path, document({}, model, inputs=inputs))).graph
    assert [node.outputs[0].dtype for node in result.nodes] == ["float32", "float32"]
    result = check(written(tmp_path, document({}, ["Flatten"], inputs=inputs))).graph
    assert result.outputs["y"].value.dtype == "int32"


def test_paths_and_spans_name_the_place(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {x: {axes: {time: 10, feature: 5}}}\nmodel:\n  - repeat:\n      for: {n: [10, 7]}\n"
        "      model:\n        - Reshape: {target_shape: [$n, 5]}\noutputs: {y: {task: regression}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as caught:
        check(path)
    (found,) = caught.value.diagnostics
    assert found.path == "model[0].repeat.model[0].Reshape.target_shape"
    assert (found.span.line, found.span.column) == (7, 35)
    assert list(map(str, found.span.trail)) == ["in repeat: n = 7 (round 2 of 2)"]


def test_unread_inputs_and_layers(tmp_path: Path) -> None:
    model = [{"Dense": {"units": 3, "name": "a"}}, {"Dense": {"units": 3, "from": "x"}}]
    (found,) = faults(tmp_path, {"feature": 5}, model)
    assert (found.code, "`a`" in found.message) == ("NN405", True)


@pytest.mark.parametrize("name", ["batch", "sample"])
def test_batch_is_implicit(name: str, tmp_path: Path) -> None:
    (found,) = faults(tmp_path, {name: 32, "feature": 5}, [{"Dense": {"units": 1}}])
    assert found.code == "NN307"


def test_an_empty_model_gives_its_input(tmp_path: Path) -> None:
    assert graph(tmp_path, WINDOW, []).outputs["y"].value.node == "x"


def test_over_of_too_few_axes_is_said(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, {"a": 5, "b": 7, "c": 3}, [{"Conv2D": {"filters": 2, "kernel_size": 2, "over": "a"}}])
    assert found.code == "NN309"


def test_whole_floats_are_sizes_of_parts(tmp_path: Path) -> None:
    model = [{"Dense": {"units": 12}}, {"split": {"unit": {"group": 3.0, "member": 4}}}]
    assert shown(graph(tmp_path, {"feature": 5}, model).nodes[-1]) == "(group 3, member 4)"


def test_a_broken_expression_is_no_number(tmp_path: Path) -> None:
    outputs = {"y": {"task": "regression", "weight": "$("}}
    (fault,) = faults(tmp_path, {"feature": 5}, [{"Dense": {"units": 1}}], outputs=outputs)
    assert fault.code == "NN202"


def test_a_huge_kernel_is_judged_at_once(tmp_path: Path) -> None:
    model = [{"Conv1D": {"filters": 2, "kernel_size": 2 * 10**8, "padding": "causal"}}]
    (node,) = graph(tmp_path, {"time": 4, "feature": 5}, model).nodes
    assert "only ever see padding" in node.notes[0]
    model[0]["Conv1D"]["kernel_size"] = 10**24
    (fault,) = faults(tmp_path, {"time": 4, "feature": 5}, model)
    assert fault.code == "NN210"
