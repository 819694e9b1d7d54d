"""`query` and `tables`: rows of a query as a source, each table read by its own rules. Expected rows by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.sources import query
from nnspec.diagnostics import Diagnostic
from nnspec.runtime.engine.query import Limits
from nnspec.runtime.reading import read_samples
from tests.support.data_files import run
from tests.unit.data.section.test_plan import accepts, faults, plan_of, slot

TEXT = """
source: {csv: sales.csv}
tables: {stores: {parquet: stores.parquet}}
query: >
  QUERY
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [price, size]}}
outputs: {y: {columns: [sold]}}
"""
JOIN = "SELECT price, size, sold FROM source JOIN stores USING (store) WHERE sold >= 0 ORDER BY day DESC"
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sales.csv").write_text(
        "day,store,price,sold\n2020-01-03,b,0.5,3\n2020-01-01,a,1.5,1\n2020-01-04,a,,-1\n2020-01-02,b,2.5,2\n2020-01-05,a,3,5\n"
    )
    pyarrow.parquet.write_table(pyarrow.table({"store": ["a", "b"], "size": [10, 20]}), tmp_path / "stores.parquet")
    return tmp_path


def rows_of(text: str, folder: Path) -> list[list[float]]:
    data = run(TEXT.replace("QUERY", text), folder, [X], [Y])
    rows: list[list[float]] = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")]).tolist()
    return rows


def told(text: str, folder: Path) -> list[Diagnostic]:
    return probe(plan_of(text, folder), {"x": X}, {"y": Y})


def test_rows_of_a_join(folder: Path) -> None:
    assert rows_of(JOIN, folder) == [[3, 10], [0.5, 20], [2.5, 20], [1.5, 10]]
    assert told(TEXT.replace("QUERY", JOIN), folder) == []


def test_tables_are_read_by_their_own_rules(folder: Path) -> None:
    """`NA` and an empty cell are missing, words are words, decimal commas are read, and integers stay such."""
    (folder / "sales.csv").write_text("day;store;price;sold\n2020-01-03;b;0,5;3\nNA;a;;1\n2020-01-04;a;1.000,5;NA\n")
    sql = """
  SELECT CASE WHEN typeof(price) = 'DOUBLE' AND typeof(sold) = 'BIGINT' AND typeof(day) = 'VARCHAR' THEN price END
    AS price, (SELECT count(*) FROM source WHERE day IS NULL) AS size, coalesce(sold, 7) AS sold
  FROM source WHERE price IS NOT NULL"""
    text = TEXT.replace("csv: sales.csv", 'csv: sales.csv, delimiter: ";", decimal: ",", thousands: "."')
    data = run(text.replace("QUERY", sql), folder, [X], [Y])
    assert data.splits["train"].raw["x"].tolist() == [[0.5, 1]]
    assert data.splits["test"].raw["x"].tolist() == [[1000.5, 1]]
    assert data.splits["test"].target["y"].tolist() == [[7]]


def test_files_of_a_pattern_and_folders_are_one_table(folder: Path) -> None:
    for index, kind in ((1, pyarrow.int8()), (2, pyarrow.int64())):
        path = folder / "many" / f"year=202{index}"
        path.mkdir(parents=True)
        table = pyarrow.table({"store": ["a"], "size": pyarrow.array([100], kind)})
        pyarrow.parquet.write_table(table, path / "x.parquet")
    sql = "SELECT size AS price, year + 1 AS size, 1.0 AS sold FROM stores ORDER BY year"
    text = TEXT.replace("stores.parquet", "many").replace("QUERY", sql)
    data = run(text, folder, [X], [Y])
    assert data.splits["train"].raw["x"].tolist() == [[100, 2022]]
    assert data.splits["test"].raw["x"].tolist() == [[100, 2023]]


def test_results_are_tables_as_others_are(folder: Path) -> None:
    """NULL is missing, dates are ISO 8601 and sort, DECIMAL and HUGEINT are numbers, booleans are 1 and 0."""
    sql = "SELECT CAST(price AS DECIMAL(5, 2)) AS price, sum(sold) OVER () AS size, sold > 1 AS sold, day FROM source"
    (fault,) = told(TEXT.replace("QUERY", sql), folder)
    assert (fault.code, fault.message) == ("NN504", "column `price` of `query` has 1 value missing: row 3")
    text = TEXT.replace("QUERY", sql.replace("day FROM", "CAST(day AS DATE) AS day FROM"))
    text = text.replace("split:", "missing: drop\norder_by: day\nsplit:").replace(", by: order", "")
    data = run(text, folder, [X], [Y])
    assert data.splits["train"].raw["x"].tolist() == [[1.5, 10], [2.5, 10]]
    assert np.concatenate([data.splits[n].target["y"] for n in ("train", "test")]).ravel().tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("sql", "code", "text"),
    [
        ("SELECT price, sise AS size, sold FROM source, stores", "NN564", "sise"),
        ("SELECT price, 1 AS size, sold FROM 'stores.parquet'", "NN565", ""),
        (
            "SELECT price, 1 AS size, sold FROM read_parquet('stores.parquet')",
            "NN565",
            "read_parquet('stores.parquet')",
        ),
        ("SELECT price, 1 AS other, sold FROM source WHERE price > 0", "NN503", "size"),
        ("SELECT price, [1] AS size, sold FROM source WHERE price > 0", "NN502", "size"),
        ("SELECT price, 1 AS size, sold FROM source WHERE price > 99", "NN502", ""),
        ("SELECT price, store AS size, sold FROM source WHERE price > 0", "NN506", "size"),
    ],
)
def test_faults_of_a_query_stand_in_the_spec(sql: str, code: str, text: str, folder: Path) -> None:
    found = told(TEXT.replace("QUERY", sql), folder)
    assert [fault.code for fault in found] == [code]
    assert text in found[0].span.text


def test_faults_of_tables_stand_where_they_are_named(folder: Path) -> None:
    (fault,) = told(TEXT.replace("QUERY", JOIN).replace("stores.parquet", "shops.parquet"), folder)
    assert (fault.code, fault.path) == ("NN501", "data.tables.stores.parquet")
    (folder / "stores.parquet").write_bytes(b"PAR1 none")
    (fault,) = told(TEXT.replace("QUERY", JOIN), folder)
    assert (fault.code, fault.path) == ("NN502", "data.tables.stores.parquet")
    (folder / "sales.csv").write_text("day;store;price;sold\n2020-01-01;a;1,5;1\n")
    (fault,) = told(TEXT.replace("QUERY", JOIN), folder)
    assert (fault.code, fault.path) == ("NN502", "data.source.csv")
    (folder / "sales.csv").write_text("day,store\n1,2,3\n")
    (fault,) = told(TEXT.replace("QUERY", JOIN), folder)
    assert (fault.code, fault.path) == ("NN502", "data.source.csv")


def test_limits_are_told_with_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = query.run_query
    monkeypatch.setattr(query, "run_query", lambda sql, tables: limited(sql, tables, Limits(2**28, 0.5)))
    sql = "SELECT max(a.range) AS price, 1 AS size, 1 AS sold FROM range(100000) a, range(100000) b, range(100000) c"
    (fault,) = told(TEXT.replace("QUERY", sql), folder)
    assert (fault.code, fault.message) == ("NN566", "the query takes longer than 0.5 s")
    assert fault.fixes


def test_sections_that_do_not_go_together(tmp_path: Path) -> None:
    text = TEXT.replace("QUERY", JOIN)
    assert accepts(text)
    assert not accepts(text.replace("parquet: stores.parquet", "npz: stores.npz"))
    assert faults(text.replace("csv: sales.csv", "npz: a.npz"), tmp_path)[0] == ("NN208", "data.source.npz")
    assert faults(text.replace("stores:", "SOURCE:"), tmp_path)[0] == ("NN208", "data.tables.SOURCE")
    two = "tables: {t: {csv: a.csv}, T: {csv: b.csv}}"
    assert faults(text.replace("tables: {stores: {parquet: stores.parquet}}", two), tmp_path) == [
        ("NN208", "data.tables.T")
    ]
    assert faults(text.replace("stores.parquet", "../stores.parquet"), tmp_path)[0][0] == "NN510"
    alone = text.replace("source: {csv: sales.csv}\ntables: {stores: {parquet: stores.parquet}}\n", "")
    assert faults(alone, tmp_path)[0] == ("NN208", "data.query")


def test_json_lines_are_a_table_too(folder: Path) -> None:
    lines = ['{"store": "a", "size": 10, "all": [1, 2]}', '{"store": "b", "size": null, "more": {"open": true}}']
    (folder / "stores.json").write_text("\n".join(lines))
    size = 'coalesce(size, -1) + coalesce("more.open", 7) AS size'
    sql = f"SELECT price, {size}, sold FROM source JOIN stores USING (store)"
    text = TEXT.replace("parquet: stores.parquet", "json: stores.json")
    data = run(text.replace("QUERY", f"{sql} WHERE price > 0 ORDER BY day"), folder, [X], [Y])
    assert data.splits["train"].raw["x"].tolist() == [[1.5, 17], [2.5, 0]]


def test_a_query_over_tables_alone(folder: Path) -> None:
    text = TEXT.replace("source: {csv: sales.csv}\n", "").replace(
        "QUERY", "SELECT size AS price, size, 1 AS sold FROM stores"
    )
    data = run(text, folder, [X], [Y])
    assert data.splits["test"].raw["x"].tolist() == [[20, 20]]


def test_a_table_that_changes_is_queried_again(folder: Path) -> None:
    assert rows_of(JOIN, folder)[0] == [3, 10]
    pyarrow.parquet.write_table(pyarrow.table({"store": ["a", "b"], "size": [11, 222]}), folder / "stores.parquet")
    assert rows_of(JOIN, folder)[0] == [3, 11]


@pytest.mark.parametrize("name", ["stores.jsonl", "stores.json"])
def test_a_deployed_model_joins_tables_of_json_as_training_did(name: str, folder: Path) -> None:
    """Objects within a row, a list that is no column, numbers in quotes, truth values and what is missing."""
    stores = [
        {"store": "a", "size": 10, "at": {"floor": True, "code": "7"}, "tags": [1, 2]},
        {"store": "b", "size": None, "at": {"floor": False, "code": "NA"}},
    ]
    lines = "\n".join(map(json.dumps, stores)) if name.endswith("l") else json.dumps(stores)
    (folder / name).write_text(lines)
    sql = """
  SELECT coalesce(size, -1) AS size, "at.floor" + coalesce(len("at.code"), 5) AS price, sold
  FROM source JOIN stores USING (store) ORDER BY day"""
    text = TEXT.replace("parquet: stores.parquet", f"json: {name}").replace("QUERY", sql)
    data = run(text, folder, [X], [Y])
    learned = np.concatenate([data.splits[part].raw["x"] for part in ("train", "test")])
    assert learned.tolist() == [[2, 10], [5, -1], [5, -1], [2, 10], [2, 10]]
    asked = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["price", "size"]}
    tables = {"source": {"kind": "csv", "options": {}}, "stores": {"kind": "json", "options": {}}}
    metadata = {"inputs": {"x": asked}, "outputs": {}, "query": {"text": sql, "tables": tables}}
    found = read_samples(folder / "sales.csv", metadata, {"stores": folder / name})
    assert found.inputs["x"].tolist() == learned.tolist()
