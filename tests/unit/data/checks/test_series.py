"""Several series in one table: rows at one time are told, and what tells them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.diagnostics import Applicability, Diagnostic
from tests.unit.data.section.test_plan import plan_of, slot

PLAN = """
source: {csv: a.csv}
order_by: t
split: {train: 0.5, test: 0.5, gap: 0}
window: {lookback: 2, horizon: 1}
inputs: {w: {columns: [a]}}
outputs: {y: {columns: [a]}}
"""
W = slot("w", ("time", 2), ("feature", 1))
Y = slot("y", ("unit", 1), task="regression")
TIMES = [f"2024-01-{day:02d}" for day in range(1, 31)]


def write(folder: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    lines = [",".join(map(str, row)) for row in rows]
    (folder / "a.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def found(folder: Path, text: str = PLAN) -> list[Diagnostic]:
    return probe(plan_of(text, folder), {"w": W}, {"y": Y})


def test_a_column_that_tells_all_apart_is_a_certain_fix(tmp_path: Path) -> None:
    rows = [(t, c, f"n{c}", i * 7 + k) for i, t in enumerate(TIMES) for k, c in enumerate(("oslo", "rome", "bonn"))]
    write(tmp_path, "t,city,name,a", rows)
    (told,) = found(tmp_path)
    assert (told.code, told.is_error, told.path) == ("NN524", True, "data.order_by")
    first = told.fixes[0]
    assert first.applicability is Applicability.MACHINE
    assert [edit.text for edit in first.edits] == ["series: {by: city}\n"]  # `name` says the same
    assert not found(tmp_path, PLAN.replace("order_by: t", "series: {by: city}\norder_by: t"))


def test_two_columns_that_differ_are_proposed(tmp_path: Path) -> None:
    rows = [(t, k, (k + i // 10) % 2, 3 * i + k) for i, t in enumerate(TIMES) for k in (0, 1)]
    write(tmp_path, "t,left,right,a", rows)
    (told,) = found(tmp_path)
    names = [fix.edits[0].text for fix in told.fixes if fix.edits]
    assert names == ["series: {by: left}\n", "series: {by: right}\n"]
    assert {fix.applicability for fix in told.fixes} == {Applicability.MAYBE}


def test_a_measurement_is_no_series(tmp_path: Path) -> None:
    write(tmp_path, "t,wind,a", [(t, 10 * i + k, i) for i, t in enumerate(TIMES) for k in (0, 1)])
    (told,) = found(tmp_path)
    assert told.is_error
    assert not [fix for fix in told.fixes if fix.edits]


@pytest.mark.parametrize("again", [3, 3.0])
def test_a_clock_that_was_set_back_is_a_warning(again: float, tmp_path: Path) -> None:
    write(tmp_path, "t,a", [(t, t) for t in [0, 1, 2, 3, again, *range(4, 30)]])
    (told,) = found(tmp_path)
    assert (told.code, told.is_error) == ("NN524", False)
    assert "rows 4 and 5" in told.message


def test_right_tables_stay_clean(tmp_path: Path) -> None:
    write(tmp_path, "t,a", [(t, i) for i, t in enumerate(TIMES) if i % 7 not in (5, 6)])  # trading days
    assert not found(tmp_path)
    write(tmp_path, "t,g,a", [(t, g, i) for i, t in enumerate(TIMES) for g in "uv"])
    assert not found(tmp_path, PLAN.replace("gap: 0", "by: random, group: g"))
    assert not found(tmp_path, PLAN.replace("order_by: t", "order_by: t\nseries: {by: g}"))
    no_window = PLAN.replace("window: {lookback: 2, horizon: 1}\n", "")
    assert not probe(plan_of(no_window, tmp_path), {"w": slot("w", ("feature", 1))}, {"y": Y})


def test_group_with_time_says_how_to_cut_each_series(tmp_path: Path) -> None:
    from tests.unit.data.section.test_plan import faults

    write(tmp_path, "t,g,a", [(t, g, i) for i, t in enumerate(TIMES) for g in "uv"])
    assert faults(PLAN.replace("gap: 0", "group: g"), tmp_path) == [("NN514", "data.split.group")]


def test_gaps_in_time_are_told_and_no_fault(tmp_path: Path) -> None:
    kept = [(t, g, i) for i, t in enumerate(TIMES) for g in "uv" if i % 7 not in (5, 6)]
    write(tmp_path, "t,g,a", kept)
    plan = plan_of(PLAN.replace("order_by: t", "order_by: t\nseries: {by: g}"), tmp_path)
    assert not probe(plan, {"w": W}, {"y": Y})
    (note,) = load(plan, {"w": W}, {"y": Y}).notes
    assert "usually 1 day apart, and 8 steps are longer (up to 3 days)" in note  # four weekends of two series
    write(tmp_path, "t,g,a", [(t, "u", i) for i, t in enumerate(TIMES)])
    assert not load(plan, {"w": W}, {"y": Y}).notes
