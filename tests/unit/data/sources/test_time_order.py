"""What sorts by time: ISO 8601 in any of its forms, and text with the year first; the rest is told by check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.sources.base import Reading
from nnspec.data.sources.time_order import find_unsortable
from nnspec.diagnostics import SpecError
from nnspec.runtime.rules import csv as rules
from nnspec.runtime.rules.times import sort_keys
from tests.unit.data.section.test_plan import plan_of, slot

PLAN = """
source: {csv: a.csv}
order_by: t
split: {train: 0.5, test: 0.5, by: time}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [a]}}
"""
X = slot("x", ("feature", 1))
Y = slot("y", ("target", 1), task="regression")


def write(folder: Path, times: list[str]) -> None:
    rows = [f"{time},{i}" for i, time in enumerate(times)]
    (folder / "a.csv").write_text("t,a\n" + "\n".join(rows) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    "times",
    [
        ["31/12/2020", "01/01/2021", "02/01/2021", "03/01/2021"],
        ["01:00 PM", "02:00 PM", "11:00 AM", "12:00 AM"],
        ["2020-Jan", "2020-Feb", "2020-Mar", "2020-Apr"],
        ["05:00", "06:00", "07:00", "08:00"],
        ["2020-1", "2020-11", "2020-2", "2020-3"],
        ["2020-01-01", "2020/01/02", "2020-01-03", "2020/01/04"],
        ["2020-01-01T00:00Z", "2020-01-01T01:00", "2020-01-01T02:00Z", "2020-01-01T03:00"],
    ],
)
def test_text_that_does_not_sort_is_told_by_check_as_by_loading(times: list[str], tmp_path: Path) -> None:
    write(tmp_path, times)
    found = probe(plan_of(PLAN, tmp_path), {"x": X}, {"y": Y})
    assert [fault.code for fault in found] == ["NN514"]
    with pytest.raises(SpecError, match="NN514"):
        load(plan_of(PLAN, tmp_path), {"x": X}, {"y": Y})


@pytest.mark.parametrize(
    ("times", "order"),
    [
        (["2020-01-01 05:00:30", "2020-01-01 05:00", "2020-01-02", "2019-12-31T23:59"], [3, 1, 0, 2]),
        (["2020-01-01T05:00+02:00", "2020-01-01T04:00Z", "2020-01-01T02:00Z", "2020-01-01T09:00+05:30"], [2, 0, 3, 1]),
        (["2021 Q2", "2020 Q4", "2021 Q1", "2020 Q3"], [3, 1, 2, 0]),
        (["10", "9", "8.5", "100"], [2, 1, 0, 3]),
    ],
)
def test_rows_are_in_the_order_of_time(times: list[str], order: list[int], tmp_path: Path) -> None:
    write(tmp_path, times)
    plan = plan_of(PLAN, tmp_path)
    assert not probe(plan, {"x": X}, {"y": Y})
    data = load(plan, {"x": X}, {"y": Y})
    rows = np.concatenate([data.splits[name].raw["x"][:, 0] for name in ("train", "test")])
    assert rows.tolist() == order


def test_the_first_strange_one_is_named() -> None:
    assert find_unsortable(["2020-01", "2020-02", "2020-Mar"]) == "2020-Mar"
    assert find_unsortable([]) is None


@pytest.mark.parametrize(
    "cells",
    [
        ["3", "1", "2.5", "-4"],
        ["3", "1", "2", "9007199254740993"],
        ["3", "1", "NA", "two"],
        ["2024-01-02", "2024-01-01", "2024-01-03"],
        ["2024-01-02", "2024-01-01T05:00", "2024-01-01 04:00:00.5"],
        ["2024-01-02T00:00Z", "2024-01-01T23:00-03:00", "2024-01-01T00:00:00Z"],
        ["2024-01-02T00:00Z", "2024-01-01T00:00", "2024-01-03T00:00Z"],
        ["2024-01-02", "2024-01-01", "no time"],
        ["2024-01-02", "5", "2024-01-01"],
    ],
)
def test_a_cell_in_a_later_chunk_decides_too(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sorted alike whether a file is read at once or a line at a time."""
    monkeypatch.setattr(rules, "_BLOCK", 1)
    (tmp_path / "a.csv").write_text("t,a\n" + "".join(f"{cell},1\n" for cell in cells))
    plan = plan_of(PLAN.replace("by: time", "by: order").replace("order_by: t\n", ""), tmp_path)
    assert plan.source is not None
    found = [chunk[0] for chunk in plan.source.source.open_columns(plan.source, ["t"], Reading.ORDER)]
    values = np.concatenate([column.values for column in found])
    wanted = sort_keys(cells)
    if isinstance(wanted[0], str):
        assert values.dtype.kind == "U"
        wanted = ["" if cell == "NA" else cell for cell in cells]
    assert values.tolist() == wanted
