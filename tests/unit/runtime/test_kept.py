"""Columns that a caller keeps stand beside predictions, whatever the table is, in the order of the samples."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pytest

from nnspec.runtime import InputError
from nnspec.runtime.ports import Metadata
from nnspec.runtime.reading import read_samples
from nnspec.runtime.writing import records, write_predictions

ROWS = [(2, 20.0, "c-2", "b"), (1, 10.0, "c-1", "a"), (3, 30.0, "", "c")]  # day, x, the id, another key
AXES = [["batch", None], ["feature", 1]]
PORT: Metadata = {"axes": AXES, "dtype": "float32", "columns": ["x"], "step": None}
METADATA: Metadata = {"inputs": {"x": PORT}, "outputs": {"y": {"axes": AXES}}, "states": {}, "order_by": "day"}


def written(kind: str, folder: Path) -> Path:
    file = folder / f"rows.{kind}"
    names = ("day", "x", "customer", "key")
    if kind == "csv":
        file.write_text("\n".join(",".join(map(str, row)) for row in (names, *ROWS)), encoding="utf-8")
    elif kind == "jsonl":
        file.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in ROWS), encoding="utf-8")
    elif kind == "sqlite":
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("CREATE TABLE t (day INTEGER, x REAL, customer TEXT, key TEXT)")
            database.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", ROWS)
    else:
        values = ", ".join(map(str, ROWS))
        duckdb.sql(f"COPY (SELECT * FROM (VALUES {values}) t(day, x, customer, key)) TO '{file}' (FORMAT parquet)")
    return file


@pytest.mark.parametrize("kind", ["csv", "jsonl", "sqlite", "parquet"])
def test_an_id_is_kept(kind: str, tmp_path: Path) -> None:
    samples = read_samples(written(kind, tmp_path), {**METADATA, "keep": ["customer"]})
    found = list(records({"y": samples.inputs["x"] * 2}, METADATA, samples.keys))
    assert [row["customer"] for row in found] == ["c-2", "c-1", ""]
    assert [row["y"] for row in found] == [40.0, 20.0, 60.0]
    with pytest.raises(InputError, match="no column `customers`"):
        read_samples(tmp_path / f"rows.{kind}", {**METADATA, "keep": ["customers"]})


def test_a_name_of_an_output_is_refused() -> None:
    asked = {**METADATA, "keep": ["y"]}
    with pytest.raises(InputError, match="column `y` has the name of a prediction"):
        list(records({"y": np.zeros((1, 1))}, asked, {"y": ["7"]}))


def test_no_number_is_no_prediction(tmp_path: Path) -> None:
    """NaN is no JSON, and the label that comes with it is none either."""
    metadata: Metadata = {"outputs": {"y": {"axes": AXES}, "y_label": {"axes": [["batch", None]]}}}
    outputs = {"y": np.array([[1.0], [np.nan], [np.inf]]), "y_label": np.array(["a", "a", "b"], object)}
    rows = list(records(outputs, metadata))
    assert rows == [{"y": 1.0, "y_label": "a"}, *[{"y": None, "y_label": None}] * 2]
    write_predictions(outputs, metadata, tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text()) == {"y": [[1.0], [None], [None]], "y_label": ["a", None, None]}


def test_rows_of_one_time_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("day,x\n2,1\n1,2\n2,3\n", encoding="utf-8")
    window = {**METADATA, "window": {"lookback": 1}}
    (note,) = read_samples(tmp_path / "a.csv", window).notes
    assert note == "`a.csv`: 1 row has the same `day` as another, such as `2`: windows count each of them"
    (tmp_path / "a.csv").write_text("day,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="has 0 rows, but at least one"):
        read_samples(tmp_path / "a.csv", METADATA)
