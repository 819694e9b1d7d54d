"""Wrappers and masks beyond single cases: files that reload, shared weights, receptive fields, diagnostics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.diagnostics import SpecError
from nnspec.ir.graph import Graph, Node
from tests.support.loaded_python import run_loaded

CONV = {"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "causal"}}


def write(folder: Path, axes: dict[str, Any], model: list[Any], layers: dict[str, Any] | None = None) -> Path:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes}},
        **({"layers": layers} if layers else {}),
        "model": model,
        "outputs": {"y": {"task": "regression"}},
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def graph_of(folder: Path, axes: dict[str, Any], model: list[Any], layers: dict[str, Any] | None = None) -> Graph:
    return pipeline.check(write(folder, axes, model, layers)).graph


def errors_of(folder: Path, axes: dict[str, Any], model: list[Any]) -> list[str]:
    with pytest.raises(SpecError) as caught:
        pipeline.check(write(folder, axes, model))
    return [f"{d.code}: {d.message}" for d in caught.value.diagnostics if d.severity.value == "error"]


# ------------------------------------------------------------------------------------------------- files


PLAIN: dict[str, dict[str, Any]] = {
    "conv": CONV,
    "lstm": {"LSTM": {"units": 3}},
    "dense": {"Dense": {"units": 3}},
    "nested": {"TimeDistributed": {"layer": {"Dense": {"units": 2}}}},
}


@pytest.fixture(scope="module")
def reloaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each layer in a wrapper what the built model gives, and what its file gives in a process without nnspec."""
    folder = tmp_path_factory.mktemp("reloaded")
    x = np.random.default_rng(0).normal(size=(3, 2, 7, 5)).astype(np.float32)
    np.save(folder / "x.npy", x)
    given = {}
    for name, layer in PLAIN.items():
        graph = graph_of(folder, {"part": 2, "time": 7, "channel": 5}, [{"TimeDistributed": {"layer": layer}}])
        model = build_model(graph).model
        model.save(folder / f"{name}.keras")
        given[name] = predict(model, graph, {"x": x})["y"]
    script = (
        "import sys, numpy as np, keras\n"
        f"for name in {list(PLAIN)}:\n"
        "    model = keras.models.load_model(f'{name}.keras', safe_mode=True)\n"
        "    np.save(f'{name}.npy', np.asarray(model(np.load('x.npy'))))\n"
        "assert not any(name.split('.')[0] == 'nnspec' for name in sys.modules)\n"
    )
    run_loaded("-c", script, cwd=folder, check=True)
    return {name: (given[name], np.load(folder / f"{name}.npy")) for name in PLAIN}


@pytest.mark.parametrize("name", PLAIN)
def test_static_sizes_reload_without_nnspec(name: str, reloaded: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Plain Keras layers and operations only: a fresh process loads the file in safe mode."""
    here, alone = reloaded[name]
    assert np.allclose(alone, here, atol=1e-6)


def test_unknown_sizes_reload_with_nnspec(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, {"part": "P", "time": "T", "channel": 5}, [{"TimeDistributed": {"layer": CONV}}])
    model = build_model(graph).model
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for part, time in ((2, 7), (3, 5), (1, 1)):
        x = np.random.default_rng(part).normal(size=(3, part, time, 5)).astype(np.float32)
        y = predict(model, graph, {"x": x})["y"]
        assert y.shape == (3, part, time, 4)
        assert np.array_equal(np.asarray(again(x)), y)


def test_symbolic_reshape(tmp_path: Path) -> None:
    """Two unknown sizes in a reshape, one of them shared out."""
    from nnspec.backends.keras.layers.axes import SymbolicReshape

    x = np.arange(2 * 6 * 5 * 3, dtype=np.float32).reshape(2, 6, 5, 3)
    layer = SymbolicReshape(["T", "F", "3"], [{"axis": 1, "over": 2}, 2, -1, 3])
    inputs = keras.Input((None, None, 3))
    made = layer(inputs)
    assert made.shape == (None, None, 2, None, 3)
    model = keras.Model(inputs, made)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(np.asarray(again(x)), x.reshape(2, 3, 2, 5, 3))


# ------------------------------------------------------------------------------------------------- sharing


@pytest.mark.parametrize(
    "layer",
    [
        {"TimeDistributed": {"layer": CONV}},
        {"TimeDistributed": {"layer": {"Bidirectional": {"layer": {"GRU": {"units": 2, "return_sequences": True}}}}}},
    ],
    ids=["conv", "bidirectional"],
)
def test_shared_wrappers(layer: Any, tmp_path: Path) -> None:
    import onnxruntime

    model = [{"share": {"use": "encoder"}}, {"share": {"use": "encoder"}}]
    graph = graph_of(tmp_path, {"part": 2, "time": 7, "channel": 4}, model, {"encoder": layer})
    compiled = build_model(graph)
    assert sum(int(np.prod(w.shape)) for w in compiled.model.weights) == graph.parameters
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    exported = export_graph(graph, weights).builder.to_model({}, "test")
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).normal(size=(3, 2, 7, 4)).astype(np.float32)
    assert np.allclose(session.run(None, {"x": x})[0], predict(compiled.model, graph, {"x": x})["y"], atol=1e-5)


# ------------------------------------------------------------------------------------------------- what is inferred


def last_node(graph: Graph) -> Node:
    return graph.nodes[-1]


@pytest.mark.parametrize(
    ("layer", "formula", "count"),
    [
        ({"LSTM": {"units": 4}}, "4·(4·(1 + 4) + 4)", 96),
        ({"LSTM": {"units": 4, "use_bias": False}}, "4·(4·(1 + 4))", 80),
        ({"GRU": {"units": 4}}, "3·(4·(1 + 4) + 2·4)", 84),
        ({"GRU": {"units": 4, "reset_after": False}}, "3·(4·(1 + 4) + 4)", 72),
        ({"SimpleRNN": {"units": 4}}, "4·(1 + 4) + 4", 24),
        ({"Bidirectional": {"layer": {"LSTM": {"units": 4}}}}, "2·(4·(4·(1 + 4) + 4))", 192),
    ],
)
def test_formulas(layer: Any, formula: str, count: int, tmp_path: Path) -> None:
    node = last_node(graph_of(tmp_path, {"time": 7, "feature": 1}, [layer]))
    assert node.formula == formula
    assert node.parameters == count == eval(formula.replace("·", "*"))


def test_weight_names_of_both_directions(tmp_path: Path) -> None:
    node = last_node(
        graph_of(tmp_path, {"time": 7, "feature": 5}, [{"Bidirectional": {"layer": {"GRU": {"units": 2}}}}])
    )
    assert [w.name for w in node.weights] == [
        f"{direction}_{name}"
        for direction in ("forward", "backward")
        for name in ("kernel", "recurrent_kernel", "bias")
    ]


def test_receptive_fields(tmp_path: Path) -> None:
    def field(layer: Any) -> tuple[int | None, int, int | None]:
        value = last_node(graph_of(tmp_path, {"time": 7, "feature": 5}, [layer])).outputs[0]
        found = value.fields["time"]
        return found.size, found.stride, found.ahead

    assert field({"LSTM": {"units": 2, "return_sequences": True}}) == (7, 1, 0)
    assert field({"LSTM": {"units": 2, "return_sequences": True, "go_backwards": True}}) == (7, -1, None)
    assert field({"LSTM": {"units": 2}}) == (7, 1, None)
    assert field({"Bidirectional": {"layer": {"GRU": {"units": 2, "return_sequences": True}}}}) == (7, 1, None)


def test_receptive_field_inside_time_distributed(tmp_path: Path) -> None:
    model = [{"permute": ["feature", "time"]}, {"insert": {"channel": 1}}, {"TimeDistributed": {"layer": CONV}}]
    fields = last_node(graph_of(tmp_path, {"time": 7, "feature": 5}, model)).outputs[0].fields
    assert (fields["time"].size, fields["time"].ahead) == (3, 0)
    assert fields["feature"].size == 1


def test_mask_goes_along(tmp_path: Path) -> None:
    model = [
        {"Masking": {"name": "m"}},
        {"LSTM": {"units": 2, "return_sequences": True, "name": "a"}},
        {"TimeDistributed": {"layer": {"Dense": {"units": 3}}, "name": "b"}},
        {"LSTM": {"units": 2, "name": "c"}},
    ]
    checked = pipeline.check(write(tmp_path, {"time": 7, "feature": 5}, model))
    assert [node.outputs[0].mask for node in checked.graph.nodes] == ["time", "time", "time", None]
    assert not checked.warnings


@pytest.mark.parametrize("where", ["wrapper", "layer"])
@pytest.mark.parametrize(
    ("kind", "layer"), [("TimeDistributed", CONV), ("Bidirectional", {"GRU": {"units": 2, "return_sequences": True}})]
)
def test_frozen_weights(kind: str, layer: dict[str, Any], where: str, tmp_path: Path) -> None:
    axes = {"part": 2, "time": 7, "channel": 5} if kind == "TimeDistributed" else {"time": 7, "channel": 5}
    inner = {k: {**v, "trainable": False} if where == "layer" else v for k, v in layer.items()}
    body = {"layer": inner, **({"trainable": False} if where == "wrapper" else {})}
    graph = graph_of(tmp_path, axes, [{kind: body}, {"Dense": {"units": 2}}])
    model = build_model(graph).model
    assert graph.nodes[0].trainable_parameters == 0
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == graph.trainable_parameters > 0
    assert sum(int(np.prod(w.shape)) for w in model.weights) == graph.parameters


# ------------------------------------------------------------------------------------------------- diagnostics


def test_lost_mask_is_said(tmp_path: Path) -> None:
    model = ["Masking", {"Conv1D": {"filters": 3, "kernel_size": 2}}, {"LSTM": {"units": 2}}]
    warnings = pipeline.check(write(tmp_path, {"time": 7, "feature": 5}, model)).warnings
    assert [w.code for w in warnings] == ["NN319"]
    assert "`Conv1D`" in warnings[0].message


def test_used_mask_is_no_loss(tmp_path: Path) -> None:
    for layer in ({"GRU": {"units": 2}}, {"Bidirectional": {"layer": {"GRU": {"units": 2}}}}, "GlobalAveragePooling1D"):
        assert not pipeline.check(write(tmp_path, {"time": 7, "feature": 5}, ["Masking", layer])).warnings


@pytest.mark.parametrize(
    ("axes", "layer", "wanted"),
    [
        ({"feature": 5, "time": 7}, {"LSTM": {"units": 2}}, "NN308"),
        ({"feature": 5, "time": 7}, {"Bidirectional": {"layer": {"LSTM": {"units": 2}}}}, "NN308"),
        ({"time": 7, "feature": 5}, {"LSTM": {"units": 2, "over": "feature"}}, "NN309"),
        ({"time": 7}, {"LSTM": {"units": 2}}, "NN310"),
        ({"time": 7, "feature": "F"}, {"LSTM": {"units": 2}}, "NN313"),
        ({"time": "T", "feature": 5}, {"LSTM": {"units": 2, "unroll": True}}, "NN313"),
        ({"time": 7, "feature": 5}, {"Bidirectional": {"layer": {"Dense": {"units": 2}}}}, "NN207"),
        (
            {"time": 7, "feature": 5},
            {"Bidirectional": {"layer": {"LSTM": {"units": 2, "go_backwards": True}}}},
            "NN208",
        ),
        (
            {"time": 7, "feature": 5},
            {"Bidirectional": {"layer": {"LSTM": {"units": 2}}, "backward_layer": {"LSTM": {"units": 2}}}},
            "NN208",
        ),
        (
            {"time": 7, "feature": 5},
            {
                "Bidirectional": {
                    "layer": {"LSTM": {"units": 2}},
                    "backward_layer": {"LSTM": {"units": 3, "go_backwards": True}},
                }
            },
            "NN208",
        ),
        ({"time": 7}, {"TimeDistributed": {"layer": {"Dense": {"units": 2}}}}, "NN310"),
        ({"time": 7, "feature": 5}, {"TimeDistributed": {"layer": "Add"}}, "NN404"),
        ({"time": 7, "feature": 5}, {"TimeDistributed": {"layer": {"Dense": {"units": 2, "name": "a"}}}}, "NN208"),
        (
            {"time": 7, "feature": 5},
            {"TimeDistributed": {"layer": {"Dense": {"units": 2}}, "over": "feature"}},
            "NN309",
        ),
        ({"time": 7, "feature": 5}, {"TimeDistributed": {"layer": {"Dense": {"unit": 2}}}}, "NN201"),
        ({"time": 7, "feature": 5}, {"TimeDistributed": {"layer": {"Dens": {"units": 2}}}}, "NN204"),
    ],
)
def test_diagnostics(axes: dict[str, Any], layer: Any, wanted: str, tmp_path: Path) -> None:
    assert errors_of(tmp_path, axes, [layer])[0].startswith(wanted)


def test_state_of_another_size(tmp_path: Path) -> None:
    model = [
        {"LSTM": {"units": 2, "return_sequences": True, "return_state": True, "name": "a"}},
        {"LSTM": {"units": 3, "from": ["a", "a.hidden", "a.cell"]}},
    ]
    assert errors_of(tmp_path, {"time": 7, "feature": 5}, model)[0].startswith("NN311")
    model[1]["LSTM"] = {"units": 2, "from": ["a", "a.hidden"]}
    assert errors_of(tmp_path, {"time": 7, "feature": 5}, model)[0].startswith("NN404")


def test_shared_stateful_layer_has_one_use(tmp_path: Path) -> None:
    layers = {"memory": {"RNN": {"cell": {"GRUCell": {"units": 5}}, "stateful": True, "return_sequences": True}}}
    model = [{"share": {"use": "memory"}}, {"share": {"use": "memory"}}]
    with pytest.raises(SpecError, match="NN208: shared layer `memory` is stateful"):
        pipeline.check(write(tmp_path, {"time": 7, "feature": 5}, model, layers))
    pipeline.check(write(tmp_path, {"time": 7, "feature": 5}, model[:1], layers))


def test_nothing_inside_time_distributed_is_stateful(tmp_path: Path) -> None:
    layer = {"Bidirectional": {"layer": {"LSTM": {"units": 2, "stateful": True}}}}
    axes = {"part": 2, "time": 7, "feature": 5}
    assert errors_of(tmp_path, axes, [{"TimeDistributed": {"layer": layer}}])[0].startswith("NN208")


def test_normalization_inside_time_distributed_learns_from_every_position(tmp_path: Path) -> None:
    from nnspec.training.adapting import adapt_layers

    layer = {"TimeDistributed": {"layer": "Normalization"}}
    graph = graph_of(tmp_path, {"row": 3, "part": 2, "feature": 5}, [{"TimeDistributed": {"layer": layer}}])
    compiled = build_model(graph)
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(11, 3, 2, 5)).astype(np.float32)
    adapt_layers(compiled, graph, {"x": x})
    flat = x.reshape(-1, 5)
    expected = (x - flat.mean(0)) / flat.std(0)
    assert np.allclose(predict(compiled.model, graph, {"x": x})["y"], expected, atol=1e-4)
    assert np.allclose(by_onnx(compiled, graph, x), expected, atol=1e-4)


def by_onnx(compiled: Any, graph: Graph, x: np.ndarray) -> np.ndarray:
    import onnxruntime

    weights = {n.name: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    exported = export_graph(graph, weights).builder.to_model({}, "test")
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def test_discretization_inside_time_distributed_learns_from_every_position(tmp_path: Path) -> None:
    from nnspec.training.adapting import adapt_layers

    layer = {"Discretization": {"num_bins": 4, "output_mode": "int"}}
    graph = graph_of(tmp_path, {"part": 2, "feature": 5}, [{"TimeDistributed": {"layer": layer}}])
    compiled = build_model(graph)
    x = np.random.default_rng(0).normal(size=(50, 2, 5)).astype(np.float32)
    adapt_layers(compiled, graph, {"x": x})
    alone = keras.layers.Discretization(num_bins=4)
    alone.adapt(x.reshape(-1, 5))
    got = predict(compiled.model, graph, {"x": x})["y"]
    assert np.array_equal(got, np.asarray(alone(x)))
    assert sorted(np.unique(got)) == [0, 1, 2, 3]
    assert np.array_equal(by_onnx(compiled, graph, x), got)


def test_wrappers_that_show_no_data_refuse_what_adapts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnspec.layers.registry import REGISTRY

    monkeypatch.setattr(type(REGISTRY["TimeDistributed"]), "adapts_within", False)
    wanted = "NN208: `Normalization` learns from the training data, which is not possible inside `TimeDistributed`"
    layer = {"TimeDistributed": {"layer": "Normalization"}}
    assert errors_of(tmp_path, {"part": 2, "feature": 5}, [layer]) == [wanted]


def test_gate_draws_ids_that_a_wrapped_embedding_knows(tmp_path: Path) -> None:
    from nnspec.data.deployment import Deployment
    from nnspec.verify.samples import random_inputs

    document = {
        "nnspec": 1,
        "inputs": {"ids": {"axes": {"row": 2, "sentence": 3, "word": 7}, "dtype": "int32"}},
        "model": [
            {"permute": ["sentence", "row", "word"]},
            {
                "TimeDistributed": {
                    "layer": {"TimeDistributed": {"layer": {"Embedding": {"input_dim": 4, "output_dim": 2}}}}
                }
            },
        ],
        "outputs": {"y": {"task": "regression"}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    drawn = random_inputs(pipeline.check(path).graph, Deployment(), 32, 11)["ids"]
    assert set(np.unique(drawn)) == {0, 1, 2, 3}
