"""What a file says of the side on which padding stands, against what it does with rows that are padded there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from nnspec import api, runtime

FREE = ["Masking", {"GRU": {"units": 3}}, {"Dense": {"units": 2, "as": "target"}}]
END = {"Dense": {"units": 2, "as": "target"}}
STEPS = ["Masking", {"LSTM": {"units": 3, "return_sequences": True}}]
EVERY = [*STEPS, END]
PLACED = [*STEPS, "unmask", "Flatten", END]


def exported(folder: Path, model: list[Any], *, lengths: bool) -> Path:
    spec: dict[str, Any] = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 9, "feature": 2}}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
    }
    if lengths:
        counts = np.array([9, 4, 6, 3])
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(counts.sum(), 2)).astype(np.float32)
        np.savez(folder / "rows.npz", x=rows, n=counts, y=rng.normal(size=(4, 2)).astype(np.float32))
        spec["data"] = {
            "source": {"npz": "rows.npz"},
            "split": {"train": 0.5, "test": 0.5},
            "inputs": {"x": {"array": "x", "axes": ["time", "feature"], "lengths": "n", "pad_value": 0.0}},
            "outputs": {"y": {"array": "y", "axes": ["sample", "target"]}},
        }
    path = folder / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return api.load(path).export(folder / "out", untrained=True).folder


@pytest.mark.parametrize(
    ("model", "lengths", "side"),
    [(FREE, False, "any"), (EVERY, False, "any"), (PLACED, False, "as in training"), (PLACED, True, "end")],
    ids=["free", "every-step", "placed", "padded-by-the-loader"],
)
def test_side_is_what_the_file_does(model: list[Any], lengths: bool, side: str, tmp_path: Path) -> None:
    folder = exported(tmp_path, model, lengths=lengths)
    said = json.loads((folder / "interface.json").read_text(encoding="utf-8"))["inputs"]["x"]["padding"]
    assert said == {"value": 0.0, "axis": "time", "side": side}
    written = onnx.load(folder / "model.onnx")
    assert ("may be anywhere" in written.doc_string) == (side == "any")
    assert "`x` (0.0)" in written.doc_string
    right = np.random.default_rng(1).normal(size=(2, 9, 2)).astype(np.float32)
    right[:, 5:] = 0
    loaded = runtime.load(folder / "model.onnx")
    assert loaded.metadata["inputs"]["x"]["padding"] == said
    first, second = loaded(right)["y"], loaded(np.roll(right, 4, axis=1))["y"]
    if model is EVERY:
        first, second = first[:, :5], second[:, 4:]
    assert np.allclose(first, second, atol=1e-6) == (side == "any")


def test_without_padding_nothing_is_said(tmp_path: Path) -> None:
    folder = exported(tmp_path, ["Flatten", {"Dense": {"units": 2, "as": "target"}}], lengths=False)
    said = json.loads((folder / "interface.json").read_text(encoding="utf-8"))
    assert "padding" not in said["inputs"]["x"]
    assert onnx.load(folder / "model.onnx").doc_string == ""
