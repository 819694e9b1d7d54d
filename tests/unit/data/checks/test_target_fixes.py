"""What is advised where targets have other axes than their output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec.pipeline import diagnose

ONE, ALL = {"GRU": {"units": 4}}, {"GRU": {"units": 4, "return_sequences": True}}
CLASSES = {"Dense": {"units": 3, "activation": "softmax"}}


def advice(tmp_path: Path, targets: np.ndarray, task: str, model: list[object]) -> str:
    np.savez(tmp_path / "d.npz", x=np.zeros((20, 7, 2), np.float32), y=targets)
    document = {
        "nnspec": 1,
        "data": {
            "source": {"npz": "d.npz"},
            "split": {"train": 0.5, "test": 0.5, "by": "order"},
            "inputs": {"x": {"array": "x"}},
            "outputs": {"y": {"array": "y"}},
        },
        "inputs": {"x": {"axes": {"time": 7, "feature": 2}}},
        "model": model,
        "outputs": {"y": {"task": task}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    found = [d for d in diagnose(path) if d.code == "NN506"]
    assert len(found) == 1
    return " ".join(fix.message for fix in found[0].fixes)


@pytest.mark.parametrize(
    ("shape", "task", "model", "wanted"),
    [
        ((20, 3), "classification", [ONE, CLASSES], "one-hot"),
        ((20, 7), "classification", [ONE, CLASSES], "return_sequences: true"),
        ((20,), "classification", [ALL, CLASSES], "leave out `return_sequences`"),
        ((20, 1), "binary", [ONE, {"Dense": {"units": 2, "activation": "sigmoid"}}], "one unit"),
    ],
)
def test_advice(tmp_path: Path, shape: tuple[int, ...], task: str, model: list[object], wanted: str) -> None:
    assert wanted in advice(tmp_path, np.zeros(shape, np.int64), task, model)
