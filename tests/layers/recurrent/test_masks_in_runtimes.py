"""Masked recurrent layers in three runtimes that share no code, against NumPy: none may need `sequence_lens`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
from onnx.reference import ReferenceEvaluator

from nnspec import pipeline
from nnspec.backends.onnx.export import export_graph
from tests.layers.recurrent import cases_bidirectional, cases_layers, cases_rnn
from tests.support.layer_cases import Case, arrays_for, checked, relative_error
from tests.support.oracles.recurrent import recurrent, right_padded

TOLERANCE = 2e-5
Arrays = dict[str, np.ndarray]
Run = Callable[[onnx.ModelProto, Arrays], Arrays]


def by_onnxruntime(model: onnx.ModelProto, feed: Arrays) -> Arrays:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([port.name for port in session.get_outputs()], session.run(None, feed), strict=True))


def by_reference(model: onnx.ModelProto, feed: Arrays) -> Arrays:
    evaluator = ReferenceEvaluator(model)  # as it is: it ignores `sequence_lens`, and the order of equal keys
    with np.errstate(over="ignore"):  # of a closed gate: 1 / (1 + exp(10000)) is 0
        return dict(zip(evaluator.output_names, evaluator.run(None, feed), strict=True))


def by_openvino(model: onnx.ModelProto, feed: Arrays) -> Arrays:
    core = openvino.Core()
    read = core.read_model(model.SerializeToString(), b"")
    compiled = core.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    made = compiled(feed)
    return {port.any_name: np.asarray(made[port]) for port in compiled.outputs}


RUNTIMES: dict[str, Run] = {"onnxruntime": by_onnxruntime, "reference": by_reference, "openvino": by_openvino}
ALL = [*cases_layers.CASES, *cases_bidirectional.CASES, *cases_rnn.CASES]
# Softsign within a recurrent operator, and a Scan backwards, are known to ONNX Runtime alone.
MASKED = [
    case
    for case in ALL
    if any(word in case.label for word in ("masked", "padded", "zero"))
    and not (case.kind == "Bidirectional" and case.id.startswith("SimpleRNN"))
    and "silu-masked-symbol" not in case.label
]


def exported(case: Case, folder: Path) -> tuple[Any, Any, dict[str, Arrays], onnx.ModelProto]:
    graph = checked(case, folder).graph
    node = next(n for n in reversed(graph.nodes) if n.kind == case.kind)
    weights = random_weights(graph)
    return graph, node, weights, export_graph(graph, weights, opset=case.opset).builder.to_model({}, "test")


def random_weights(graph: Any) -> dict[str, Arrays]:
    rng = np.random.default_rng(7)
    return {
        node.owner: {
            w.name: rng.normal(0, 0.4, [int(str(size)) for size in w.shape]).astype(np.float32) for w in node.weights
        }
        for node in graph.nodes
    }


@pytest.mark.parametrize("case", MASKED, ids=[case.label for case in MASKED])
def test_runtimes_agree_with_numpy(case: Case, tmp_path: Path) -> None:
    graph, node, weights, model = exported(case, tmp_path)
    arrays = arrays_for(case, graph, 3, 6)
    found = {name: run(model, arrays)["y"] for name, run in RUNTIMES.items()}
    wanted = found["onnxruntime"]
    if case.oracle is not None:
        wanted = case.oracle(weights.get(node.owner, {}), list(arrays.values()))
        wanted = wanted[0] if isinstance(wanted, list) else wanted
    assert {name: relative_error(y, wanted) < TOLERANCE for name, y in found.items()} == dict.fromkeys(RUNTIMES, True)


def network(folder: Path, items: list[Any], outputs: dict[str, str], inputs: dict[str, Any]) -> tuple[Any, Any, Any]:
    spec = {
        "nnspec": 1,
        "inputs": inputs,
        "model": items,
        "outputs": {name: {"task": "regression", "from": source} for name, source in outputs.items()},
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    graph = pipeline.check(path).graph
    weights = random_weights(graph)
    return graph, weights, export_graph(graph, weights).builder.to_model({}, "test")


X = {"axes": {"time": 7, "feature": 5}}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("is_backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_states_are_carried_over_padding(kind: str, is_backwards: bool, runtime: str, tmp_path: Path) -> None:
    """With states that are given: what is shown begins with zeros, what is carried with them."""
    states = ("hidden", "cell") if kind == "LSTM" else ("hidden",)
    body = {"units": 3, "return_sequences": True, "return_state": True, "go_backwards": is_backwards, "name": "rnn"}
    inputs = {"x": X, **{state: {"axes": {"unit": 3}} for state in states}}
    items = [{"Masking": {"name": "masked", "from": "x"}}, {kind: {**body, "from": ["masked", *states]}}]
    outputs = {"y": "rnn", **{f"last_{state}": f"rnn.{state}" for state in states}}
    _, weights, model = network(tmp_path, items, outputs, inputs)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 7, 5)).astype(np.float32)
    is_data = np.array([[0, 1, 1, 0, 0, 1, 0], [1] * 7, [1, 1, 0, 0, 0, 0, 0], [0] * 7], bool)
    x[~is_data] = 0
    start = [rng.normal(size=(4, 3)).astype(np.float32) for _ in states]
    found = RUNTIMES[runtime](model, {"x": x, **dict(zip(states, start, strict=True))})
    steps, last = recurrent(kind, weights["rnn"], x, mask=is_data, start=list(start), backwards=is_backwards)
    assert relative_error(found["y"], steps) < TOLERANCE
    for state, value in zip(states, last, strict=True):
        assert relative_error(found[f"last_{state}"], value) < TOLERANCE


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_what_stands_in_masked_steps_counts_for_nothing(kind: str, tmp_path: Path) -> None:
    """Not even NaN, or numbers that no gate could hold against."""
    inputs = {"x": X, "z": {"axes": {"time": 7, "mark": 1}}}
    items = [
        {"Masking": {"name": "masked", "from": "z"}},
        {"mask_like": {"name": "values", "from": ["x", "masked"]}},
        {kind: {"units": 3, "name": "rnn", "from": "values"}},
    ]
    _, weights, model = network(tmp_path, items, {"y": "rnn"}, inputs)
    x = np.random.default_rng(2).normal(size=(3, 7, 5)).astype(np.float32)
    is_data = np.array([[0, 1, 1, 0, 1, 0, 0], [1] * 7, [0] * 7], bool)
    outputs, _ = recurrent(kind, weights["rnn"], x, mask=is_data)
    x[~is_data] = np.array([np.nan, 3e38, -1e9, np.inf, 0], np.float32)
    (found,) = by_onnxruntime(model, {"x": x, "z": is_data[..., None].astype(np.float32)}).values()
    assert relative_error(found, outputs[:, -1]) < TOLERANCE


@pytest.mark.parametrize(
    "item", [{"LSTM": {"units": 3}}, {"GRU": {"units": 3}}, {"Bidirectional": {"layer": {"LSTM": {"units": 2}}}}]
)
def test_padding_may_stand_on_either_side(item: Any, tmp_path: Path) -> None:
    items = ["Masking", item, {"Dense": {"units": 1, "name": "end"}}]
    _, _, model = network(tmp_path, items, {"y": "end"}, {"x": X})
    right = right_padded(np.random.default_rng(3), (5, 7, 5)).astype(np.float32)
    lengths = np.any(right != 0, axis=-1).sum(axis=1)
    left = np.stack([np.roll(row, 7 - length, axis=0) for row, length in zip(right, lengths, strict=True)])
    assert not np.array_equal(left, right)
    assert not left[0, 0].any()
    for run in RUNTIMES.values():
        assert relative_error(run(model, {"x": left})["y"], run(model, {"x": right})["y"]) < TOLERANCE
