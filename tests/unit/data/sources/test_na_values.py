"""Markers of missing values: the same in every kind of table, in checks, training, the deployed graph and serving."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.runtime.reading import read_samples
from nnspec.runtime.rules.markers import Markers, blank_markers
from tests.support.data_files import Y
from tests.support.encoded_columns import run_graph
from tests.unit.data.section.test_plan import plan_of, slot

AGES = [20, -999, 40, 30, -999, 50, -999, 35]
SEXES = ["m", "?", "f", "f", "m", "?", "f", "m"]
SIZES = [1.5, 2.5, -999, 3, 9, 9, 1, -999]  # whose -999 is a number
TEXT = """
source: {SOURCE, na_values: {age: -999, sex: ["?"], grade: ["?", "--"]}}
missing: {age: median, sex: constant, grade: mean}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: {age: number, sex: one_hot, size: number, grade: number}}}
outputs: {y: {columns: [y]}}
"""
GRADES: list[object] = [1, "?", 2, 3, "--", 4, 5, 6]
KNOWN = [1.0, np.nan, 2.0, 3.0, np.nan, 4.0, 5.0, 6.0]


def write_csv(folder: Path) -> str:
    rows = zip(AGES, SEXES, SIZES, GRADES, range(8), strict=True)
    lines = [";".join(str(cell).replace(".", ",") for cell in row) for row in rows]
    (folder / "a.csv").write_text("\n".join(["age;sex;size;grade;y", *lines]) + "\n", encoding="utf-8")
    return 'csv: a.csv, delimiter: ";", decimal: ","'


def records() -> list[dict[str, object]]:
    rows = zip(AGES, SEXES, SIZES, GRADES, range(8), strict=True)
    return [dict(zip(("age", "sex", "size", "grade", "y"), row, strict=True)) for row in rows]


def write_json(folder: Path) -> str:
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in records()), encoding="utf-8")
    return "json: a.jsonl"


def write_sqlite(folder: Path) -> str:
    with sqlite3.connect(folder / "a.sqlite") as database:
        database.execute("CREATE TABLE t (age, sex, size, grade, y)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [tuple(row.values()) for row in records()])
    return "sql: a.sqlite, table: t"


def write_parquet(folder: Path) -> str:
    """Whose columns have one type: the grades are numbers already."""
    rows = [
        f"({row['age']}, '{row['sex']}', {row['size']}, {grade if grade == grade else 'NULL'}, {row['y']})"
        for row, grade in zip(records(), KNOWN, strict=True)
    ]
    sql = f"SELECT * FROM (VALUES {', '.join(rows)}) AS t(age, sex, size, grade, y)"
    duckdb.sql(f"COPY ({sql}) TO '{folder / 'a.parquet'}' (FORMAT parquet)")
    return "parquet: a.parquet"


@pytest.mark.parametrize("write", [write_csv, write_json, write_sqlite, write_parquet])
def test_markers_are_missing(write: Callable[[Path], str], tmp_path: Path) -> None:
    plan, x = plan_of(TEXT.replace("SOURCE", write(tmp_path)), tmp_path), slot("x", ("feature", 7))
    assert [fault.message for fault in probe(plan, {"x": x}, {"y": Y})] == []
    data = load(plan, {"x": x}, {"y": Y})
    found = np.vstack([split.x["x"] for split in data.splits.values()])
    ages = [age if age != -999 else 30 for age in AGES]
    np.testing.assert_array_equal(found[:, 0], ages)
    np.testing.assert_array_equal(found[:, 1:3], [[sex == "f", sex == "m"] for sex in SEXES])
    np.testing.assert_array_equal(found[:, 4], [sex == "?" for sex in SEXES])
    np.testing.assert_array_equal(found[:, 5], SIZES)
    np.testing.assert_array_equal(found[:, 6], np.nan_to_num(KNOWN, nan=2.0))
    assert np.isnan(data.splits["train"].raw["age"]).tolist() == [False, True, False, False]
    assert data.splits["test"].raw["sex"].tolist() == ["m", "", "f", "m"]


def test_raw_markers_in_the_graph(tmp_path: Path) -> None:
    """A consumer that feeds -999 and `?` gets what a gap gives."""
    plan, x = plan_of(TEXT.replace("SOURCE", write_csv(tmp_path)), tmp_path), slot("x", ("feature", 7))
    data = load(plan, {"x": x}, {"y": Y})
    again = Deployment.from_json(data.deployment.to_json())
    wanted = data.splits["test"].x["x"]
    raw = data.splits["test"].raw | {
        "age": np.array(AGES[4:], np.float32),
        "sex": np.array(SEXES[4:], object),
        "size": np.array(SIZES[4:], np.float32),
    }
    np.testing.assert_array_equal(again.to_network(raw)["x"], wanted)
    ports = again.columns["x"].ports
    np.testing.assert_array_equal(run_graph(ports["age"], raw["age"]), wanted[:, :1])
    np.testing.assert_array_equal(run_graph(ports["sex"], raw["sex"]), wanted[:, 1:5])
    np.testing.assert_array_equal(run_graph(ports["size"], raw["size"]), wanted[:, 5:6])


LISTED = """
source: {csv: a.csv, na_values: -1}
missing: {a: mean, b: median}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b, c], scale: standard}}
outputs: {y: {columns: [y]}}
"""


def test_markers_of_an_input_that_lists_columns(tmp_path: Path) -> None:
    cells = np.array([[2, 3, 5], [-1, 8, 2], [4, -1, 3], [9, 1, 1], [1, 1, 4], [-1, -1, 1]], np.float32)
    lines = [",".join(f"{cell:g}" for cell in row) + ",0" for row in cells]
    (tmp_path / "a.csv").write_text("\n".join(["a,b,c,y", *lines]) + "\n", encoding="utf-8")
    data = load(plan_of(LISTED, tmp_path), {"x": slot("x", ("feature", 3))}, {"y": Y})
    again = Deployment.from_json(data.deployment.to_json())
    np.testing.assert_array_equal(again.to_network({"x": cells[3:]})["x"], data.splits["test"].x["x"])
    assert np.isnan(data.splits["test"].raw["x"][2, :2]).all()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_serving_takes_them_as_missing(name: str, tmp_path: Path) -> None:
    for write in (write_csv, write_json, write_parquet):
        write(tmp_path)
    options = {"na_values": {"age": -999, "sex": "?"}, **({"delimiter": ";", "decimal": ","} if "csv" in name else {})}
    ports: dict[str, dict[str, object]] = {
        "age": {"dtype": "float32", "encoding": "number", "gaps": ["age"]},
        "sex": {"dtype": "string", "encoding": "category", "gaps": ["sex"]},
        "size": {"dtype": "float32", "encoding": "number"},
    }
    inputs = {
        port: {**body, "axes": [["batch", None]], "columns": [port], "options": options} for port, body in ports.items()
    }
    found = read_samples(tmp_path / name, {"inputs": inputs, "missing": "error"}).inputs
    np.testing.assert_array_equal(found["age"], [age if age != -999 else np.nan for age in AGES])
    assert found["sex"].tolist() == [sex.replace("?", "") for sex in SEXES]
    np.testing.assert_array_equal(found["size"], SIZES)


def test_how_markers_are_written() -> None:
    markers = Markers.from_options({"na_values": {"a": [-999, "?"], "*": "none"}})
    cells = ["-999", "-999.0", " -9.99e2", "? ", "999", "none", "-9990"]
    assert blank_markers(cells, markers.of("a")) == ["", "", "", "", "999", "none", "-9990"]
    assert blank_markers(cells, markers.of("b")) == ["-999", "-999.0", " -9.99e2", "? ", "999", "", "-9990"]
    assert blank_markers(cells, Markers.from_options({}).of("a")) is cells
