"""The maximum of steps with a mask: Keras' layer reads padding too, which is told. NN319 has the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
import yaml

from nnspec import api
from nnspec.pipeline import diagnose


def written(folder: Path, model: list[Any], inputs: dict[str, Any]) -> Path:
    path = folder / "spec.yaml"
    spec = {"nnspec": 1, "inputs": inputs, "model": model, "outputs": {"y": {"task": "regression"}}}
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


IDS = {"x": {"axes": {"time": 6}, "dtype": "int32"}}
FEATURES = {"x": {"axes": {"time": 6, "feature": 2}}}
TABLE = {"Embedding": {"input_dim": 9, "output_dim": 4, "mask_zero": True, "name": "steps"}}
DENSE = {"Dense": {"units": 3, "name": "steps", "bias_initializer": {"RandomNormal": {"stddev": 0.9, "seed": 1}}}}
ID = {"Rescaling": {"from": "x", "scale": 1, "name": "real"}}
NONZERO = {"formula": {"from": "x", "name": "real", "expression": "max(abs(x), feature)"}}
MAXIMUM = {
    "formula": {
        "from": ["all", "real"],
        "values": ["steps", "real"],
        "expression": "max(where(real, steps, -1000), time)",
    }
}


def test_padding_in_a_maximum_is_told_with_what_to_do(tmp_path: Path) -> None:
    (found,) = diagnose(written(tmp_path, [TABLE, "GlobalMaxPooling1D"], IDS))
    assert found.code == "NN319"
    assert "`GlobalAveragePooling1D` leaves padding out" in found.fixes[0].message
    assert "unmask" in found.fixes[1].message
    assert diagnose(written(tmp_path, [TABLE, "unmask", "GlobalMaxPooling1D"], IDS)) == []


@pytest.mark.parametrize(
    ("before", "real", "inputs"),
    [([TABLE], ID, IDS), (["Masking", DENSE], NONZERO, FEATURES)],
    ids=["ids", "floats"],
)
def test_the_maximum_of_the_data_alone(before: list[Any], real: Any, inputs: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, [*before, {"unmask": {"name": "all"}}, real, MAXIMUM], inputs)
    assert diagnose(path) == []
    api.load(path).export(tmp_path / "out", untrained=True)
    built = keras.saving.load_model(tmp_path / "out/model.keras")
    rng = np.random.default_rng(4)
    counts = np.array([6, 1, 3, 2, 5])
    is_data = np.arange(6) < counts[:, None]
    ids = np.where(is_data, rng.integers(1, 9, (5, 6)), 0).astype(np.int32)
    x = ids if real is ID else (rng.normal(size=(5, 6, 2)) * is_data[..., None]).astype(np.float32)
    read = keras.Model(built.input, built.get_layer("steps").output)
    steps = np.asarray(read(x))
    wanted = [steps[row, :count].max(axis=0) for row, count in enumerate(counts)]
    assert np.abs(wanted - steps.max(axis=1)).max() > 0.01  # padding would have been the maximum
    session = onnxruntime.InferenceSession(str(tmp_path / "out/model.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(np.asarray(built(x)), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], wanted, rtol=1e-4, atol=1e-5)
