"""Values scaled by `data` and again by a layer, and those that only look like it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec.pipeline import diagnose

PIXELS = {"Rescaling": {"scale": 1 / 255}}


def is_warned(tmp_path: Path, scale: str | None, model: list[object]) -> bool:
    np.savez(tmp_path / "d.npz", x=np.zeros((20, 4), np.float32), y=np.zeros((20, 1), np.float32))
    document = {
        "nnspec": 1,
        "data": {
            "source": {"npz": "d.npz"},
            "split": {"train": 0.5, "test": 0.5, "by": "order"},
            "inputs": {"x": {"array": "x", **({"scale": scale} if scale else {})}},
            "outputs": {"y": {"array": "y"}},
        },
        "inputs": {"x": {"axes": {"feature": 4}}},
        "model": [*model, {"Dense": 1}],
        "outputs": {"y": {"task": "regression"}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return "NN327" in {diagnostic.code for diagnostic in diagnose(path)}


@pytest.mark.parametrize(
    ("scale", "model", "wanted"),
    [
        ("minmax", [PIXELS], True),
        ("standard", [{"Dropout": 0.1}, PIXELS], True),
        (None, [PIXELS, {"Permute": [1]}, PIXELS], True),
        (None, [PIXELS], False),
        ("minmax", [{"Rescaling": {"scale": 2.0, "offset": -1.0}}], False),
        (None, [PIXELS, {"Dense": 4}, PIXELS], False),
        (None, [PIXELS, {"Rescaling": {"scale": 255.0}}], False),
    ],
)
def test_scaled_twice(tmp_path: Path, scale: str | None, model: list[object], wanted: bool) -> None:
    assert is_warned(tmp_path, scale, model) is wanted
