"""Gaps of several series, filled as pandas fills each by itself: of every kind of table, in training and serving."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_samples
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

LOOKBACK, TIMES = 4, 18
SOURCES = {
    "csv": "csv: a.csv",
    "json": "json: a.jsonl",
    "parquet": "parquet: a.parquet",
    "sqlite": "sql: a.sqlite, table: a",
}
FILES = {"csv": "a.csv", "json": "a.jsonl", "parquet": "a.parquet", "sqlite": "a.sqlite"}
TEXT = """
source: {SOURCE}
order_by: t
series: {by: s}
missing: {v: interpolate, w: forward_fill}
split: {train: 0.5, test: 0.5, by: order, gap: 0}
window: {lookback: 4, horizon: 1}
inputs: {x: {columns: [v, w]}}
outputs: {y: {columns: [y]}}
"""
X = slot("x", ("time", LOOKBACK), ("feature", 2))


def table(rng: np.random.Generator, *, leading: bool = False) -> pd.DataFrame:
    """Rows in no order: three series, longer and shorter gaps within, and at the end of each."""
    frame = pd.DataFrame([(t, s, t) for s in ("b", "a", "c") for t in range(TIMES)], columns=["t", "s", "y"])
    for name in ("v", "w"):
        frame[name] = rng.normal(size=len(frame)).round(3)
        frame.loc[(rng.random(len(frame)) < 0.4) & (frame["t"] > 0), name] = np.nan
        frame.loc[(frame["t"] >= TIMES - 3) & (frame["s"] == "a"), name] = np.nan
        frame.loc[frame["t"].between(6, 11) & (frame["s"] == "c"), name] = np.nan  # longer than a window
    if leading:
        frame.loc[(frame["t"] < 2) & (frame["s"] == "c"), "w"] = np.nan
    return frame.sample(frac=1, random_state=int(rng.integers(1000)))


def write(frame: pd.DataFrame, folder: Path) -> None:
    frame.to_csv(folder / "a.csv", index=False)
    rows = [{k: None if v != v else v for k, v in row.items()} for row in frame.to_dict("records")]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    duckdb.sql(f"COPY (FROM read_csv('{folder / 'a.csv'}')) TO '{folder / 'a.parquet'}'")
    with sqlite3.connect(folder / "a.sqlite") as database:
        frame.to_sql("a", database, index=False)
    database.close()


def windows(frame: pd.DataFrame, first: int = 0, last: int = TIMES) -> list[list[list[float]]]:
    """By pandas: each series as far as the window's end, and no further."""
    found = []
    for name in frame.sort_values("t", kind="stable")["s"].drop_duplicates():  # in the order of their first rows
        own = frame[frame["s"] == name].sort_values("t")
        for end in range(first + LOOKBACK, last + 1):
            seen = own[own["t"] < end]
            filled = np.stack([seen["v"].interpolate(), seen["w"].ffill()], axis=1)
            found.append(filled[-LOOKBACK:].tolist())
    return found


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    made = table(np.random.default_rng(11))
    write(made, tmp_path)
    return made


@pytest.mark.parametrize("kind", SOURCES)
def test_windows_are_those_of_pandas(kind: str, frame: pd.DataFrame, tmp_path: Path) -> None:
    plan = plan_of(TEXT.replace("SOURCE", SOURCES[kind]), tmp_path)
    assert [fault.message for fault in probe(plan, {"x": X}, {"y": Y})] == []
    data = load(plan, {"x": X}, {"y": Y})
    for split, first, last in (("train", 0, TIMES // 2), ("test", TIMES // 2, TIMES)):
        wanted = windows(frame, first, last)
        kept = [window for i, window in enumerate(wanted) if (i + 1) % (last - first - LOOKBACK + 1)]  # have a target
        np.testing.assert_allclose(data.splits[split].x["x"], kept, rtol=1e-6)
    body: dict[str, Any] = {
        "axes": [["batch", None], ["time", LOOKBACK], ["feature", 2]],
        "dtype": "float32", "columns": ["v", "w"], "step": "time", **({"table": "a"} if kind == "sqlite" else {}),
    }  # fmt: skip
    metadata = {
        "inputs": {"x": body}, "window": {"lookback": LOOKBACK, "horizon": [1], "stride": 1}, "missing": "error",
        "missing_of": {"v": "interpolate", "w": "forward_fill"}, "order_by": "t", "series": "s",
    }  # fmt: skip
    served = read_samples(tmp_path / FILES[kind], metadata).inputs["x"]
    np.testing.assert_allclose(served, windows(frame), rtol=1e-6)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_gap_at_the_beginning_of_a_series_is_told(kind: str, tmp_path: Path) -> None:
    """There is nothing before it: pandas leaves it open; neither training nor serving takes another series' value."""
    frame = table(np.random.default_rng(12), leading=True)
    write(frame, tmp_path)
    plan = plan_of(TEXT.replace("SOURCE", SOURCES[kind]), tmp_path)
    (fault,) = [fault for fault in probe(plan, {"x": X}, {"y": Y}) if fault.is_error]
    left = frame.reset_index(drop=True).sort_values("t").groupby("s")["w"].ffill().isna()  # by pandas
    assert fault.code == "NN504"
    assert f"rows {', '.join(str(row + 1) for row in sorted(left.index[left]))}" in fault.message
    body = {"axes": [["batch", None], ["time", LOOKBACK], ["feature", 1]], "dtype": "float32", "columns": ["w"]}
    metadata = {
        "inputs": {"x": {**body, "step": "time", "table": "a"}}, "missing": "forward_fill", "order_by": "t",
        "series": "s", "window": {"lookback": LOOKBACK, "horizon": [1], "stride": 1},
    }  # fmt: skip
    with pytest.raises(InputError):
        read_samples(tmp_path / FILES[kind], metadata)
