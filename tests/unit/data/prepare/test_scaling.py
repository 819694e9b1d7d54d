"""Scaling, relative targets and the mean baseline. Expected values are worked out by hand or by plain NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.training.baselines import score_baselines
from tests.support.data_files import ARRAYS, WINDOWS, W, X, Y, run, write_table
from tests.unit.data.section.test_plan import slot


def test_scaling_is_fitted_on_training_rows(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    data = run(WINDOWS.replace("[a, b]}", "[a, b], scale: standard}"), tmp_path, [W], [Y])
    t = np.arange(30)
    scaling = data.inputs["w"].scaling
    assert scaling is not None
    np.testing.assert_allclose(scaling.offset, [[t.mean(), 1000 + 2 * t.mean()]], rtol=1e-6)
    np.testing.assert_allclose(scaling.divisor, [[t.std(), 2 * t.std()]], rtol=1e-6)
    test = data.splits["test"]
    np.testing.assert_allclose(test.x["w"][..., 0], (test.raw["w"][..., 0] - t.mean()) / t.std(), rtol=1e-5)
    assert test.x["w"].dtype == np.float32


def test_scaling_follows_its_axes(tmp_path: Path) -> None:
    x = np.arange(7 * 2 * 3).reshape(7, 2, 3) ** 1.5
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(7.0))
    text = """
source: {npz: a.npz}
split: {train: 0.58, test: 0.42, by: order}
inputs: {x: {array: x, scale: SCALE}}
outputs: {y: {array: y}}
"""

    def offsets(scale: str, *axes: tuple[str, int]) -> Any:
        data = run(text.replace("SCALE", scale), tmp_path, [slot("x", *axes)], [Y])
        assert data.inputs["x"].scaling is not None
        return data.inputs["x"].scaling.offset

    train = x[:4]
    np.testing.assert_allclose(offsets("standard", ("row", 2), ("col", 3)), train.mean().reshape(1, 1), rtol=1e-6)
    np.testing.assert_allclose(offsets("standard", ("row", 2), ("channel", 3)), [train.mean((0, 1))], rtol=1e-6)
    along = "{method: minmax, along: [row]}"
    np.testing.assert_allclose(offsets(along, ("row", 2), ("channel", 3)), train.min((0, 2))[:, None], rtol=1e-6)


def test_relative_targets(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    text = WINDOWS.replace("[a, b]", "[a, c]").replace("[c]}", "[c], relative_to: last, scale: standard}")
    for w in (W, slot("w", ("feature", 2), ("time", 4))):
        data = run(text, tmp_path, [w], [Y])
        train, output = data.splits["train"], data.outputs["y"]
        last = np.arange(3, 27) ** 2.0
        target = np.arange(6, 30) ** 2.0
        change = target - last
        assert train.last["y"] is not None
        np.testing.assert_array_equal(train.last["y"][:, 0], last)
        np.testing.assert_allclose(train.y["y"][:, 0], (change - change.mean()) / change.std(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(output.restore(train.y["y"], train.raw)[:, 0], target, rtol=1e-5)
        assert output.relative is not None
        assert (output.relative.columns, output.relative.axis) == ((1,), "time")


def test_relative_targets_of_several_columns_and_steps(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", rows=90)
    text = WINDOWS.replace("[a, b]", "[a, b, c]").replace("[c]}", "[c, a], relative_to: last}")
    text = text.replace("horizon: 3", "horizon: [1, 2, 5]")
    head = slot("y", ("unit", 2), ("step", 3), task="regression")
    train = run(text, tmp_path, [slot("w", ("time", 4), ("feature", 3))], [head]).splits["train"]
    assert train.target["y"][0].tolist() == [[16.0, 25.0, 64.0], [4.0, 5.0, 8.0]]
    assert train.y["y"][0].tolist() == [[7.0, 16.0, 55.0], [1.0, 2.0, 5.0]]


def test_mean_baseline(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(12.0).reshape(6, 2), label=np.array([1.0, 2, 6, 5, 5, 3]))
    text = ARRAYS.replace("SPLIT", "{train: 0.5, test: 0.5, by: order}")
    found = score_baselines(run(text, tmp_path, [X], [Y]), "test", {"y": Y})["y"]
    assert found["name"] == "mean"
    assert found["mae"] == pytest.approx((2 + 2 + 0) / 3)
    assert found["rmse"] == pytest.approx(np.sqrt((4 + 4 + 0) / 3))
