"""Targets that go through a function, and back: by scikit-learn's TransformedTargetRegressor, or by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler, StandardScaler

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.functions import FUNCTIONS, INVERSES, slope_of_inverse
from nnspec.diagnostics import SpecError
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import faults, plan_of, slot

TEXT = """
source: {csv: a.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: COLUMNS}}
"""
X = slot("x", ("feature", 1))
PRICES = np.array([3, 1, 4, 1.5, 9, 260, 5.3, 5800, 9.7, 93], float)


def write(folder: Path, prices: np.ndarray = PRICES) -> None:
    lines = [f"{i},{price:g}" for i, price in enumerate(prices)]
    (folder / "a.csv").write_text("\n".join(["a,y", *lines]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("encoding", "function", "scaler"),
    [
        ("{transform: log1p, scale: standard}", np.log1p, StandardScaler()),
        ("{transform: log, scale: robust}", np.log, RobustScaler()),
        ("sqrt", np.sqrt, None),
        ("asinh", np.arcsinh, None),
        ("robust", None, RobustScaler()),
    ],
)
def test_learned_and_restored(encoding: str, function: np.ufunc | None, scaler: RobustScaler, tmp_path: Path) -> None:
    write(tmp_path)
    data = load(plan_of(TEXT.replace("COLUMNS", f"{{y: {encoding}}}"), tmp_path), {"x": X}, {"y": Y})
    wanted = PRICES[:, None] if function is None else function(PRICES[:, None])
    wanted = wanted if scaler is None else scaler.fit(wanted[:5]).transform(wanted)
    learned = np.vstack([data.splits[name].y["y"] for name in ("train", "test")])
    np.testing.assert_allclose(learned, wanted, rtol=1e-5, atol=1e-6)
    test = data.splits["test"]
    np.testing.assert_allclose(test.target["y"].ravel(), PRICES[5:], rtol=1e-6)
    again = Deployment.from_json(data.deployment.to_json()).outputs["y"]
    np.testing.assert_allclose(again.restore(test.y["y"], test.raw).ravel(), PRICES[5:], rtol=1e-4)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_slopes_are_those_of_the_inverse(function: str) -> None:
    values = np.array([0.3, 2.0, 50.0])
    learned, step = FUNCTIONS[function](values), 1e-5
    found = (INVERSES[function](learned + step) - INVERSES[function](learned - step)) / (2 * step)
    np.testing.assert_allclose(slope_of_inverse(function, values), found, rtol=1e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_whatever_is_predicted_is_a_number(function: str) -> None:
    with np.errstate(all="raise", under="ignore"):
        found = INVERSES[function](np.array([-1e30, -5, 0, 5, 1e4], np.float32))
    assert np.isfinite(found).all()


def test_targets_outside_the_domain(tmp_path: Path) -> None:
    write(tmp_path, PRICES - 5)
    plan = plan_of(TEXT.replace("COLUMNS", "{y: log1p}"), tmp_path)
    (fault,) = probe(plan, {"x": X}, {"y": Y})
    assert fault.code == "NN551"
    assert fault.message.endswith("4 values at or below -1, where log1p is not defined: rows 1, 2, 3, 4")
    with pytest.raises(SpecError, match="NN551"):
        load(plan, {"x": X}, {"y": Y})


@pytest.mark.parametrize(
    "columns", ["{y: one_hot}", "{y: log1p, a: sqrt}", "{y: standard, a: {transform: log, scale: standard}}"]
)
def test_targets_have_one_function(columns: str, tmp_path: Path) -> None:
    found = faults(TEXT.replace("COLUMNS", columns), tmp_path)
    assert {code for code, _ in found} == {"NN550"}
