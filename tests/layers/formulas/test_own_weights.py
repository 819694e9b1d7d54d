"""What declared weights hold, where they are kept, and what depends on them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import Compiled, build_model, predict, read_weights
from nnspec.diagnostics import SpecError
from nnspec.jobs.exporting import run_export
from nnspec.progress import Progress
from tests.support.loaded_python import run_loaded

TABLE = np.arange(12, dtype=np.float32).reshape(4, 3) / 7
ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nnspec":
            raise ImportError("nnspec is not here")
sys.meta_path.insert(0, Refuse())
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[2], np.asarray(model(np.load(sys.argv[3]))))
"""


def spec(folder: Path, model: list[Any], axes: dict[str, Any] | None = None, **more: Any) -> pipeline.Checked:
    path = folder / "spec.yaml"
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes or {"time": 4, "feature": 3}}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
        **more,
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return pipeline.check(path)


def built(checked: pipeline.Checked) -> Compiled:
    keras.utils.set_random_seed(5)
    return build_model(checked.graph)


def output(checked: pipeline.Checked, x: np.ndarray) -> np.ndarray:
    return predict(built(checked).model, checked.graph, {"x": x})["y"]


X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)


@pytest.mark.parametrize("name", ["table.npy", "tables.npz/positions"])
def test_a_constant_comes_from_a_file_and_is_not_trained(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "table.npy", TABLE)
    np.savez(tmp_path / "tables.npz", positions=TABLE, other=TABLE * 2)
    weight = {"axes": {"time": None, "feature": 3}, "file": name}
    checked = spec(tmp_path, [{"formula": {"expression": "x + t", "weights": {"t": weight}}}])
    assert checked.graph.trainable_parameters == 0
    assert np.allclose(output(checked, X), X + TABLE)


def test_a_file_outside_the_folder_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", TABLE)
    inside = tmp_path / "inside"
    inside.mkdir()
    weight = {"axes": {"time": 4, "feature": 3}, "file": "../table.npy"}
    with pytest.raises(SpecError) as refused:
        spec(inside, [{"formula": {"expression": "x + t", "weights": {"t": weight}}}])
    assert [d.code for d in refused.value.diagnostics] == ["NN510"]


def test_a_pickled_file_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", np.array([[{}] * 3] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(SpecError) as refused:
        spec(tmp_path, [{"weight": {"axes": {"time": 4, "feature": 3}, "file": "table.npy"}}])
    assert [d.code for d in refused.value.diagnostics] == ["NN369"]


def test_the_manifest_has_the_hash_of_a_constants_file(tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", TABLE)
    weight = {"axes": {"time": 4, "feature": 3}, "file": "table.npy"}
    checked = spec(tmp_path, [{"formula": {"expression": "x + t", "weights": {"t": weight}}}])
    run_export(checked, tmp_path / "out", Progress(quiet=True), weights=None, untrained=True)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    digest = hashlib.sha256((tmp_path / "table.npy").read_bytes()).hexdigest()
    assert manifest["constants"] == {"table.npy": digest}


def test_values_of_the_spec(tmp_path: Path) -> None:
    weights = {"t": {"axes": {"feature": 3}, "values": [1, -2.5, 3]}, "s": {"axes": {}, "values": 2}}
    checked = spec(tmp_path, [{"formula": {"expression": "s * x + t", "weights": weights}}])
    assert np.allclose(output(checked, X), 2 * X + np.asarray([1, -2.5, 3]))
    assert checked.graph.trainable_parameters == 0
    weights["t"]["trainable"] = True
    assert (
        spec(tmp_path, [{"formula": {"expression": "s * x + t", "weights": weights}}]).graph.trainable_parameters == 3
    )


def test_an_initializer_sees_the_weights_own_axes(tmp_path: Path) -> None:
    """Glorot's bounds follow from the sizes of the weight, not from those of the table that it is kept in."""
    weight = {"axes": {"a": 2, "b": 50, "c": 40}, "initializer": "glorot_uniform"}
    checked = spec(tmp_path, [{"weight": weight}])
    node = checked.graph.nodes[0]
    values = read_weights(node, built(checked).layers[node.name])["value"]
    receptive, fan_in, fan_out = 2, 50, 40
    bound = np.sqrt(6 / (receptive * (fan_in + fan_out)))
    assert 0.9 * bound < np.abs(values).max() <= bound


@pytest.mark.parametrize("axis", [0, -1])
def test_a_constraint_holds_a_vector_along_its_only_axis(tmp_path: Path, axis: int) -> None:
    weight = {"axes": {"feature": 3}, "initializer": "ones", "constraint": {"UnitNorm": {"axis": axis}}}
    checked = spec(tmp_path, [{"formula": {"expression": "x * g", "weights": {"g": weight}}}])
    compiled = built(checked)
    compiled.model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    compiled.model.fit(X, X, verbose=0)
    (node,) = checked.graph.nodes
    assert np.linalg.norm(read_weights(node, compiled.layers[node.name])["g"]) == pytest.approx(1, abs=1e-5)


def test_a_regularizer_is_part_of_the_loss(tmp_path: Path) -> None:
    weight = {"axes": {"feature": 3}, "initializer": "ones", "regularizer": {"L2": {"l2": 0.5}}}
    checked = spec(tmp_path, [{"formula": {"expression": "x * g", "weights": {"g": weight}}}])
    assert float(sum(built(checked).model.losses)) == pytest.approx(1.5)


def test_an_archive_needs_keras_alone(tmp_path: Path) -> None:
    model = [
        {"weight": {"name": "table", "from": "x", "axes": {"time": None, "feature": None}, "initializer": "ones"}},
        {"Add": {"name": "placed", "from": ["x", "table"]}},
        {
            "formula": {
                "expression": "where(x > 0, gamma * x, exp(x) - 1) + mean(x, time) ** 2 - min(x, 0.5)",
                "weights": {"gamma": {"axes": {"feature": None}, "initializer": "random_normal"}},
            }
        },
    ]
    checked = spec(tmp_path, model)
    compiled = built(checked)
    compiled.model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("model.keras", "y.npy", "x.npy")]
    run_loaded("-c", ALONE, *paths, cwd=tmp_path, check=True)
    assert np.allclose(np.load(tmp_path / "y.npy"), predict(compiled.model, checked.graph, {"x": X})["y"], atol=1e-6)


def test_a_formula_outside_its_domain_passes_the_gate(tmp_path: Path) -> None:
    """Both give NaN for the logarithm and the root of what is negative, and infinities alike."""
    checked = spec(tmp_path, [{"formula": "log(x) + sqrt(x) + x ** 0.5 + 1 / max(x, 0)"}])
    run = run_export(checked, tmp_path / "out", Progress(quiet=True), weights=None, untrained=True)
    assert run.verification is not None


def test_each_use_of_a_block_has_weights_of_its_own(tmp_path: Path) -> None:
    scale = {"expression": "x * gamma", "weights": {"gamma": {"axes": {"feature": None}, "values": "$start"}}}
    blocks = {"scale": {"parameters": {"start": None}, "model": [{"formula": scale}]}}
    scale["weights"]["gamma"] = {"axes": {"feature": "$size"}, "initializer": {"Constant": {"value": "$start"}}}
    blocks["scale"]["parameters"]["size"] = None
    model = [
        {"block": {"use": "scale", "start": 2, "size": 3}},
        {"repeat": {"times": 2, "model": [{"block": {"use": "scale", "start": 3, "size": 3}}]}},
    ]
    checked = spec(tmp_path, model, blocks=blocks)
    assert checked.graph.trainable_parameters == 9
    assert np.allclose(output(checked, X), 18 * X)


def test_a_table_of_positions_leaves_a_causal_network_causal(tmp_path: Path) -> None:
    model = [
        {"weight": {"name": "table", "from": "x", "axes": {"time": None, "feature": None}}},
        {"Add": {"from": ["x", "table"]}},
        {"Conv1D": {"filters": 2, "kernel_size": 3, "padding": "causal"}},
        {"formula": {"expression": "x * gamma", "weights": {"gamma": {"axes": {"filter": None}}}}},
    ]
    expect = {"outputs": {"y": {"receptive_field": {"time": 3}, "causal": "time"}}}
    spec(tmp_path, model, axes={"time": 8, "feature": 3}, expect=expect)


def test_a_mean_over_time_sees_all_of_it(tmp_path: Path) -> None:
    expect = {"outputs": {"y": {"receptive_field": {"time": "all"}}}}
    spec(tmp_path, [{"formula": "x - mean(x, time)"}], axes={"time": 8, "feature": 3}, expect=expect)
    expect = {"outputs": {"y": {"causal": "time"}}}
    with pytest.raises(SpecError) as refused:
        spec(tmp_path, [{"formula": "x - mean(x, time)"}], axes={"time": 8, "feature": 3}, expect=expect)
    assert [d.code for d in refused.value.diagnostics] == ["NN333"]
