"""Tables of SQLite files. Python's own module writes them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.sources import sql_rows, sqlite
from nnspec.diagnostics import Diagnostic
from tests.support.data_files import run
from tests.unit.data.section.test_plan import accepts, faults, plan_of, slot

TEXT = """
source: {sql: shop.sqlite, table: sales}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [price, size]}}
outputs: {y: {columns: [sold]}}
"""
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.sqlite") as database:
        database.executescript(
            """
            CREATE TABLE sales (day TEXT, price REAL, size INTEGER, sold, gap INT, mixed INT, photo BLOB);
            INSERT INTO sales VALUES ('2020-01-02', 1.5, 10, 1, 1, 1, x'00'),
              ('2020-01-01', 2, 20, 2.5, NULL, 'n/a', NULL),
              ('2020-01-03', 3.5, 30, 3, 3, 3, NULL), ('2020-01-04', 4.5, 40, 4, 4, 4, NULL);
            CREATE TABLE keyed (id INTEGER, shop TEXT, price, size, sold, PRIMARY KEY (shop, id)) WITHOUT ROWID;
            INSERT INTO keyed VALUES (2, 'a', 2, 2, 2), (1, 'b', 3, 3, 3), (1, 'a', 1, 1, 1), (2, 'b', 4, 4, 4);
            CREATE VIEW recent AS SELECT * FROM sales WHERE day > '2020-01-01';
            CREATE VIEW endless AS WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)
              SELECT n AS price, n AS size, n AS sold FROM t WHERE n < 0;
            CREATE TABLE "odd ""name"", '" ("a ""b"" c" INT, size INT, sold INT);
            INSERT INTO "odd ""name"", '" VALUES (1, 2, 3), (4, 5, 6);
            """
        )
    database.close()
    return tmp_path


def told(text: str, folder: Path) -> list[Diagnostic]:
    return probe(plan_of(text, folder), {"x": X}, {"y": Y})


def rows_of(text: str, folder: Path) -> list[list[float]]:
    assert told(text, folder) == []
    data = run(text, folder, [X], [Y])
    rows: list[list[float]] = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")]).tolist()
    return rows


def test_tables_views_and_keys(folder: Path) -> None:
    assert rows_of(TEXT, folder) == [[1.5, 10], [2, 20], [3.5, 30], [4.5, 40]]
    assert rows_of(TEXT.replace("sales", "recent"), folder) == [[1.5, 10], [3.5, 30], [4.5, 40]]
    assert rows_of(TEXT.replace("sales", "keyed"), folder) == [[1, 1], [2, 2], [3, 3], [4, 4]]
    odd = TEXT.replace("table: sales", "table: 'odd \"name\", '''").replace("price", "'a \"b\" c'")
    assert rows_of(odd, folder) == [[1, 2], [4, 5]]


def test_values(folder: Path) -> None:
    (fault,) = told(TEXT.replace("size", "gap"), folder)
    assert (fault.code, "row 2" in fault.message) == ("NN504", True)
    (fault,) = told(TEXT.replace("size", "mixed"), folder)
    assert (fault.code, "contains text" in fault.message) == ("NN506", True)
    (fault,) = told(TEXT.replace("size", "photo"), folder)
    assert (fault.code, "`photo`" in fault.message) == ("NN502", True)
    dated = TEXT.replace("split:", "order_by: day\nsplit:").replace(", by: order", "")
    assert rows_of(dated, folder) == [[2, 20], [1.5, 10], [3.5, 30], [4.5, 40]]


def test_tables_of_a_query(folder: Path) -> None:
    text = TEXT.replace("split:", "tables: {keyed: {sql: shop.sqlite, table: keyed}}\nquery: QUERY\nsplit:")
    sql = "SELECT price, price * 2 AS size, sold FROM source JOIN (SELECT DISTINCT shop FROM keyed) ON true"
    assert len(rows_of(text.replace("QUERY", sql), folder)) == 8


def test_faults(folder: Path) -> None:
    (fault,) = told(TEXT.replace("table: sales", "table: sale"), folder)
    assert (fault.code, fault.message, fault.path) == ("NN567", "`shop.sqlite` has no table `sale`", "data.source.sql")
    assert [fix.message for fix in fault.fixes] == ["use `sales`"]
    assert told(TEXT.replace("shop.sqlite", "shops.sqlite"), folder)[0].code == "NN501"
    (folder / "text.sqlite").write_text("day,price\n" * 100)
    assert told(TEXT.replace("shop.sqlite", "text.sqlite"), folder)[0].code == "NN502"
    content = (folder / "shop.sqlite").read_bytes()
    (folder / "cut.sqlite").write_bytes(content[:5000])
    assert told(TEXT.replace("shop.sqlite", "cut.sqlite"), folder)[0].code in ("NN502", "NN567")
    assert faults(TEXT.replace(", table: sales", ""), folder)[0][0] == "NN203"
    assert faults(TEXT.replace("shop.sqlite", "../shop.sqlite"), folder)[0][0] == "NN510"
    assert not accepts(TEXT.replace("table: sales", "table: sales, secret: 'a b'"))


def test_a_view_without_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SECONDS", 0.5)
    (fault,) = told(TEXT.replace("table: sales", "table: endless"), folder)
    assert (fault.code, "takes longer than 0.5 s" in fault.message) == ("NN567", True)


def test_the_file_stays_as_it_is(folder: Path) -> None:
    before = (folder / "shop.sqlite").read_bytes()
    rows_of(TEXT, folder)
    assert (folder / "shop.sqlite").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["shop.sqlite"]


def test_many_rows(folder: Path) -> None:
    count = 2 * sql_rows.CHUNK_ROWS + 7
    with sqlite3.connect(folder / "shop.sqlite") as database:
        database.execute("CREATE TABLE many (price, size, sold)")
        database.executemany("INSERT INTO many VALUES (?, ?, ?)", ((i, 1, i) for i in range(count)))
    database.close()
    assert [row[0] for row in rows_of(TEXT.replace("sales", "many"), folder)] == list(range(count))
