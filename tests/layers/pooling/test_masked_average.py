"""The masked mean, of rows that are padding altogether too, by NumPy."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import nnspec
from nnspec import api


def exported(folder: Path, steps: Any, keepdims: bool) -> tuple[Any, Any]:
    """The Keras model and the deployed one: ids, an Embedding with a mask, the mean."""
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": steps}, "dtype": "int32"}},
        "model": [
            {"Embedding": {"input_dim": 7, "output_dim": 3, "mask_zero": True}},
            {"GlobalAveragePooling1D": {"keepdims": keepdims}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "training": {"seed": 3},
    }
    (folder / "spec.yaml").write_text(json.dumps(document), encoding="utf-8")
    run = api.load(folder / "spec.yaml").export(folder / "out", untrained=True)
    assert run.verification["notes"] == []
    return keras.models.load_model(folder / "out" / "model.keras"), nnspec.runtime.load(run.onnx)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("steps", "length"), [(5, 5), (1, 1), ("T", 4)])
def test_mean_of_padding_alone_is_zero(tmp_path: Path, steps: Any, length: int, keepdims: bool) -> None:
    model, deployed = exported(tmp_path, steps, keepdims)
    ids = np.random.default_rng(0).integers(0, 7, size=(6, length)).astype(np.int32)
    ids[0] = 0
    table = model.get_weights()[0]
    wanted = np.stack([table[row[row > 0]].sum(0) / max(1, (row > 0).sum()) for row in ids])
    wanted = wanted[:, None] if keepdims else wanted
    np.testing.assert_allclose(model(ids), wanted, atol=1e-6)
    np.testing.assert_allclose(deployed(ids)["y"], wanted, atol=1e-6)


def test_empty_texts_are_trained_on_and_predicted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with (tmp_path / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for i in range(40):
            words = " ".join(rng.choice(["good", "fun"] if i % 2 else ["bad", "dull"], size=3))
            writer.writerow(["..." if i % 5 == 0 else words, "pos" if i % 2 else "neg"])
    document = {
        "nnspec": 1,
        "data": {
            "source": {"csv": "data.csv"},
            "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "by": "order"},
            "inputs": {"x": {"columns": ["text"]}},
            "outputs": {"y": {"columns": ["label"]}},
        },
        "inputs": {"x": {"axes": {"text": 1}, "dtype": "string"}},
        "model": [
            {"TextVectorization": {"output_sequence_length": 4, "max_tokens": 9}},
            {"Embedding": {"input_dim": 9, "output_dim": 4, "mask_zero": True}},
            "GlobalAveragePooling1D",
            {"Dense": {"units": 2, "activation": "softmax", "as": "class"}},
        ],
        "outputs": {"y": {"task": "classification"}},
        "training": {"epochs": 2, "seed": 1},
    }
    (tmp_path / "spec.yaml").write_text(json.dumps(document), encoding="utf-8")
    run = api.load(tmp_path / "spec.yaml").build(tmp_path / "out")
    assert all(math.isfinite(row["loss"]) for row in run.history)
    answer = nnspec.runtime.load(run.onnx)(np.array([[""], ["..."]], object))["y"]
    bias = keras.models.load_model(tmp_path / "out" / "model.keras").get_weights()[-1]
    np.testing.assert_allclose(answer, [np.exp(bias) / np.exp(bias).sum()] * 2, atol=1e-6)
