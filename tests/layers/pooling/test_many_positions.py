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
    names = {3: ["time"], 4: ["height", "width"]}[x.ndim]
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {**dict.fromkeys(names, size), "channel": x.shape[-1]}}},
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


LONG = 16_000  # one axis of many positions
PRIME = 16_001  # which no rows of one length fill


@pytest.mark.parametrize("size", [LONG, PRIME])
@pytest.mark.parametrize(
    ("layers", "oracle"),
    [
        (["GlobalAveragePooling1D"], lambda x: x.mean(1)),
        ([{"Masking": {"mask_value": -1}}, "GlobalAveragePooling1D"], lambda x: x[:, :-500].mean(1)),
        ([{"reduce": {"axis": "time", "by": "mean", "keepdims": True}}], lambda x: x.mean(1)),
        ([{"reduce": {"axis": "time", "by": "sum"}}], lambda x: x.sum(1)),
        ([{"reduce": {"axis": "time", "by": "std"}}], lambda x: x.std(1)),
        ([{"formula": "mean(x * x, time)"}], lambda x: (x * x).mean(1)),
        ([{"formula": "x / sum(x, time)"}], lambda x: x / x.sum(1, keepdims=True)),  # near 0, of random values
        ([{"UnitNormalization": {"axis": "time"}}], lambda x: x / np.sqrt((x * x).sum(1, keepdims=True))),
    ],
    ids=["pooling", "masked", "mean", "sum", "std", "formula", "share", "unit"],
)
def test_sums_along_one_long_axis_are_exact(tmp_path: Path, layers: list[Any], oracle: Any, size: int) -> None:
    x = np.full((1, size, 2), 0.7371, np.float32)
    x[:, : size // 3] = 0.9113
    if "Masking" in layers[0]:
        x[:, -500:] = -1
    found = run(tmp_path, layers, size, x)
    np.testing.assert_allclose(found.ravel(), oracle(x.astype(np.float64)).ravel(), rtol=5e-6)


@pytest.mark.parametrize("size", [SIZE, "S"])
def test_groups_of_equal_values_normalize_to_zero(tmp_path: Path, size: int | str) -> None:
    found = run(
        tmp_path, [{"GroupNormalization": {"groups": 1}}], size, np.full((1, SIZE, SIZE, 2), 0.7371, np.float32)
    )
    np.testing.assert_allclose(found, 0, atol=1e-4)
