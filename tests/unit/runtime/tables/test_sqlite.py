"""A deployed model reads tables of SQLite files as training did."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_samples
from tests.support.data_files import run
from tests.unit.data.section.test_plan import plan_of, slot

TEXT = """
source: {sql: shop.sqlite, table: sales}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [price, size]}}
outputs: {y: {columns: [id]}}
"""
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.sqlite") as database:
        database.executescript(
            """
            CREATE TABLE sales (shop TEXT, id INTEGER, price, size INTEGER, PRIMARY KEY (shop, id));
            INSERT INTO sales VALUES ('b', 1, 3, 30), ('a', 2, 2.5, 20), ('b', 2, 4, 40), ('a', 1, 1, 10);
            CREATE TABLE others (price, size, word);
            INSERT INTO others VALUES (2.5, -999, 'x'), (1, NULL, 7), (0, 5, ' ? ');
            CREATE VIEW recent AS SELECT price, size, id FROM sales WHERE price > 2;
            CREATE TABLE empty (price, size);
            """
        )
    database.close()
    return tmp_path


def metadata(table: str | None, **body: Any) -> dict[str, Any]:
    found = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["price", "size"], **body}
    return {"inputs": {"x": {**found, **({"table": table} if table else {})}}}


def test_values_are_those_of_training(folder: Path) -> None:
    for table in ("sales", "recent"):
        text = TEXT.replace("sales", table)
        data = run(text, folder, [X], [Y])
        trained = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
        plan = plan_of(text, folder)
        said = plan.inputs["x"].source.source.describe_reading(plan.inputs["x"].source)
        got = read_inputs(folder / "shop.sqlite", metadata(str(said["table"])))
        np.testing.assert_array_equal(got["x"], trained)


def test_markers_words_and_order(folder: Path) -> None:
    body = metadata("others", options={"na_values": [-999, "?"]})
    body["inputs"]["x"] |= {"gaps": ["price", "size"]}
    got = read_inputs(folder / "shop.sqlite", body)["x"]
    np.testing.assert_array_equal(got, [[2.5, np.nan], [1, np.nan], [0, 5]])
    words = {"axes": [["batch", None]], "dtype": "string", "columns": ["word"], "gaps": ["word"], "encoding": "one_hot"}
    words |= {"table": "others", "options": {"na_values": "?"}}
    assert read_inputs(folder / "shop.sqlite", {"inputs": {"word": words}})["word"].tolist() == ["x", "7", ""]
    ordered = {**metadata("sales"), "order_by": "size"}
    assert read_samples(folder / "shop.sqlite", ordered).inputs["x"][:, 1].tolist() == [10, 20, 30, 40]


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no table `none`.*`others`.*`sales`"):
        read_inputs(folder / "shop.sqlite", metadata("none"))
    with pytest.raises(InputError, match="4 tables"):
        read_inputs(folder / "shop.sqlite", metadata(None))
    with pytest.raises(InputError, match="`colour`"):
        read_inputs(folder / "shop.sqlite", metadata("sales", columns=["price", "colour"]))
    with pytest.raises(InputError, match="no number in row 1: `a`"):
        read_inputs(folder / "shop.sqlite", metadata("sales", columns=["price", "shop"]))
    (folder / "no.sqlite").write_bytes(b"this is not a database at all" * 10)
    with pytest.raises(InputError, match="cannot be read"):
        read_inputs(folder / "no.sqlite", metadata("sales"))
    assert not (folder / "shop.sqlite-journal").exists()


JOINED = """
source: {sql: shop.sqlite, table: sales}
tables: {others: {sql: shop.sqlite, table: others, na_values: {word: ["?"]}}}
query: |
  SELECT s.price, s.size + 10 * coalesce(o.size, 0) + length(coalesce(o.word, 'none')) AS size, s.id
  FROM source s LEFT JOIN others o USING (price) ORDER BY s.id, s.shop
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [price, size]}}
outputs: {y: {columns: [id]}}
"""


def test_the_tables_of_a_query(folder: Path) -> None:
    data = run(JOINED, folder, [X], [Y])
    trained = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    source = plan_of(JOINED, folder).source
    assert source is not None
    tables = {name: {"kind": part.kind, "options": dict(part.options)} for name, part in source.parts.items()}
    said = {**metadata(None), "query": {"text": source.options["query"], "tables": tables}}
    new = folder / "new.sqlite"
    (folder / "shop.sqlite").rename(new)
    np.testing.assert_array_equal(read_samples(new, said, {"others": new}).inputs["x"], trained)
    with sqlite3.connect(new) as database:
        database.execute("DROP TABLE others")
    database.close()
    with pytest.raises(InputError, match="no table `others`, which the model was trained on"):
        read_samples(new, said, {"others": new})
