"""NaN and infinite numbers of arrays are told by check, as far as it looks at their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.sources import array_header
from nnspec.diagnostics import SpecError
from tests.unit.data.section.test_plan import plan_of, slot

X = slot("x", ("time", 5), ("feature", 3))
TURNED = slot("x", ("feature", 3), ("time", 5))
Y = slot("y", ("target", 2), task="regression")
PLAN = """
source: {npz: a.npz}
MISSINGsplit: {train: 0.5, test: 0.5}
inputs: {x: {array: X}}
outputs: {y: {array: y}}
"""


def arrays(**values: tuple[tuple[int, ...], float]) -> dict[str, np.ndarray]:
    """An input and a target, with values at places."""
    found = {"x": np.arange(120, dtype=np.float32).reshape(8, 5, 3), "y": np.arange(16.0).reshape(8, 2)}
    for name, (place, value) in values.items():
        found[name][place] = value
    return found


@pytest.mark.parametrize(
    ("changed", "missing", "told"),
    [
        ({"x": ((3, 1, 2), np.nan)}, "", "array `x` of input `x` has missing values (NaN) in row 4"),
        ({"x": ((0, 0, 0), np.inf)}, "", "array `x` of input `x` is infinite in row 1"),
        ({"x": ((7, 4, 2), -np.inf)}, "missing: drop\n", "array `x` of input `x` is infinite in row 8"),
        ({"y": ((2, 1), np.nan)}, "", "array `y` of output `y` has missing values (NaN) in row 3"),
        ({"x": ((3, 1, 2), np.nan)}, "missing: drop\n", None),
        ({"x": ((3, 1, 2), np.nan)}, "missing: forward_fill\n", None),
        ({"x": ((3, 1, 2), np.nan)}, "missing: median\n", "array `x` of input `x` has missing values (NaN) in row 4"),
        ({"y": ((2, 1), np.nan)}, "missing: drop\n", None),
        ({}, "", None),
    ],
)
def test_check_tells_what_loading_refuses(
    changed: dict[str, tuple[tuple[int, ...], float]],
    missing: str,
    told: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    np.savez(tmp_path / "a.npz", **arrays(**changed))
    plan = plan_of(PLAN.replace("MISSING", missing).replace("X", "x"), tmp_path)
    faults = [fault for fault in probe(plan, {"x": X}, {"y": Y}) if fault.is_error]
    assert [(fault.code, fault.message) for fault in faults] == ([("NN504", told)] if told else [])
    monkeypatch.setattr("nnspec.data.sources.npz.find_not_finite", lambda *_: ([], []))  # loading checks again
    if told is None:
        load(plan, {"x": X}, {"y": Y})
        return
    with pytest.raises(SpecError) as caught:
        load(plan, {"x": X}, {"y": Y})
    assert [fault.code for fault in caught.value.diagnostics] == ["NN504"]


def test_samples_on_another_axis(tmp_path: Path) -> None:
    found = arrays(x=((3, 1, 2), np.nan))
    found["x"] = np.ascontiguousarray(np.moveaxis(found["x"], 0, 1).swapaxes(0, 2))  # axes `feature sample time`
    np.savez(tmp_path / "a.npz", **found)
    plan = plan_of(PLAN.replace("MISSING", "").replace("X", "x, axes: [feature, sample, time]"), tmp_path)
    faults = [fault.message for fault in probe(plan, {"x": TURNED}, {"y": Y}) if fault.is_error]
    assert faults == ["array `x` of input `x` has missing values (NaN) in row 4"]


def test_steps_of_sequences(tmp_path: Path) -> None:
    end = np.arange(60, dtype=np.float32).reshape(20, 3)
    end[[11, 13], 1] = np.nan
    np.savez(tmp_path / "a.npz", x=end, n=[2, 3] * 4, y=arrays()["y"])
    plan = plan_of(PLAN.replace("MISSING", "missing: drop\n").replace("X", "x, lengths: n, pad_value: 0.5"), tmp_path)
    faults = [fault.message for fault in probe(plan, {"x": X}, {"y": Y}) if fault.is_error]
    assert faults == ["array `x` of input `x` has missing values (NaN) in steps 12, 14"]


def test_no_more_is_read_than_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_header, "MAX_NUMBERS", 50)
    np.savez(tmp_path / "a.npz", **arrays(x=((3, 1, 2), np.nan)))  # number 50, from 0
    plan = plan_of(PLAN.replace("MISSING", "").replace("X", "x"), tmp_path)
    assert not [fault for fault in probe(plan, {"x": X}, {"y": Y}) if fault.is_error]
