"""Means and sums over many positions, beside NumPy's in float64: equal values are the hardest for sums in float32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nnspec import api

SIZE = 264  # times itself: 69,696 positions
BOTH = ["height", "width"]


def run(folder: Path, model: list[Any], size: int | str, x: np.ndarray) -> np.ndarray:
    """What the deployed model gives."""
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"height": size, "width": size, "channel": 2}}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
    }
    (folder / "spec.yaml").write_text(json.dumps(document), encoding="utf-8")
    made = api.load(folder / "spec.yaml").export(folder / "out", untrained=True)
    found: np.ndarray = onnxruntime.InferenceSession(made.onnx).run(None, {"x": x})[0]
    return found


def equal(_: np.random.Generator) -> np.ndarray:
    return np.full((1, SIZE, SIZE, 2), 0.7371, np.float32)


def two_values(rng: np.random.Generator) -> np.ndarray:
    return rng.choice(np.asarray([0.7371, 0.9113], np.float32), (1, SIZE, SIZE, 2))


def mean_square(x: np.ndarray, axis: tuple[int, int]) -> np.ndarray:
    return np.mean(x * x, axis)


@pytest.mark.parametrize("size", [SIZE, "S"])
@pytest.mark.parametrize(
    ("layer", "values", "oracle"),
    [
        ("GlobalAveragePooling2D", equal, np.mean),
        ({"reduce": {"axis": BOTH, "by": "mean"}}, equal, np.mean),
        ({"reduce": {"axis": BOTH, "by": "sum"}}, equal, np.sum),
        ({"reduce": {"axis": BOTH, "by": "l1"}}, equal, np.sum),
        ({"reduce": {"axis": BOTH, "by": "var"}}, two_values, np.var),
        ({"formula": "mean(x * x, height, width)"}, equal, mean_square),
    ],
    ids=["pooling", "mean", "sum", "l1", "var", "formula"],
)
def test_sums_of_many_values_are_exact(tmp_path: Path, layer: Any, values: Any, oracle: Any, size: int | str) -> None:
    x = values(np.random.default_rng(1))
    found = run(tmp_path, [layer], size, x)
    np.testing.assert_allclose(found.ravel(), oracle(x.astype(np.float64), (1, 2)).ravel(), rtol=5e-6)


def test_normalization_over_many_values_is_exact(tmp_path: Path) -> None:
    x = two_values(np.random.default_rng(2))
    found = run(tmp_path, [{"LayerNormalization": {"axis": [1, 2], "center": False, "scale": False}}], "S", x)
    wide = x.astype(np.float64)
    wanted = (wide - wide.mean((1, 2))) / np.sqrt(wide.var((1, 2)) + 1e-3)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
