"""Dates and timestamps of typed tables: the words that DuckDB writes, in eight bytes each."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import duckdb
import numpy as np
import pytest

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.files import probe
from nnspec.data.checks.row_layout import find_row_layout
from nnspec.data.sources import typed
from nnspec.data.sources.base import Reading
from nnspec.runtime.rows.kept import Times, concatenate_values
from nnspec.runtime.rules.times import parse_times, sort_keys
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

TEXT = """
source: {parquet: "*.parquet"}
order_by: at
split: {train: 0.5, test: 0.5, by: time}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [a]}}
"""
MOMENTS = ["2024-02-29 23:59:59.5", "1969-12-31 23:59:59.999999", "0001-01-01 00:00:00", "2024-03-01 10:00:10.100000"]


def write(file: Path, select: str) -> None:
    duckdb.sql(f"COPY ({select}) TO '{file}' (FORMAT parquet)")


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"])
def test_words_and_order(kind: str, tmp_path: Path) -> None:
    """Two files, neither of them in order."""
    for name, moments in (("1", MOMENTS[:2]), ("2", MOMENTS[2:])):
        listed = ", ".join(f"('{moment}'::TIMESTAMP::{kind}, {i})" for i, moment in enumerate(moments))
        write(tmp_path / f"{name}.parquet", f'SELECT * FROM (VALUES {listed}) t("at", a)')
    table = f"read_parquet({[f'{tmp_path}/{name}.parquet' for name in '12']})"
    words = [row[0] for row in duckdb.sql(f'SELECT "at"::VARCHAR FROM {table}').fetchall()]
    plan = plan_of(TEXT, tmp_path)
    assert plan.source is not None
    files = PlanFacts(plan)
    column = files.column(plan.source, "at", values=True)
    assert column is not None
    assert isinstance(column.values, Times)
    assert list(column.values) == words
    assert list(column.values[1:3]) == words[1:3]
    layout = find_row_layout(plan, files, 4)
    assert layout is not None
    assert list(layout.keys or ()) == sorted(parse_times(words) or ())
    assert [words[row] for row in layout.rows] == sorted(words)


def test_times_beside_words(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", "SELECT DATE '2024-01-02' AS at, 1 AS a FROM range(2)")
    plan = plan_of(TEXT, tmp_path)
    assert plan.source is not None
    column = PlanFacts(plan).column(plan.source, "at", values=True)
    assert column is not None
    assert column.values is not None
    assert list(concatenate_values(column.values, ["x"])) == ["2024-01-02", "2024-01-02", "x"]


def test_a_check_keeps_no_words_of_them(tmp_path: Path) -> None:
    """100,000 timestamps: with their words and moments the check took 17 MB, and takes 10."""
    rows = 100_000
    select = f"SELECT TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS at, i AS a FROM range({rows}) t(i)"
    write(tmp_path / "1.parquet", select)
    plan = plan_of(TEXT, tmp_path)
    tracemalloc.start()
    try:
        probe(plan, {"x": slot("x", ("feature", 1))}, {"y": Y})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 135 * rows


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-02 10:00", "2024-01-01 10:00", "2024-01-03 10:00", "2023-01-03 00:00"],
        ["2024-01-02 10:00", "2024-01-01", "2024-01-03T09:00:00.5", "2023-01-03"],
        ["3", "1", "2.5", "10"],
        ["2024-01-02", "2024-01-01", "no time", "2023-01-01"],
    ],
)
def test_text_that_is_times_sorts_by_time(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In two files, of which the second decides as well; a row at a time."""
    monkeypatch.setattr(typed, "_AT_ONCE", 1)
    for name, part in (("1", cells[:2]), ("2", cells[2:])):
        listed = ", ".join(f"('{cell}', 1)" for cell in part)
        write(tmp_path / f"{name}.parquet", f'SELECT * FROM (VALUES {listed}) t("at", a)')
    plan = plan_of(TEXT, tmp_path)
    assert plan.source is not None
    found = [chunk[0].values for chunk in plan.source.source.open_columns(plan.source, ["at"], Reading.ORDER)]
    assert np.concatenate(found).tolist() == sort_keys(cells)
