"""Files that people bring by mistake: what each is, and what to do, is said where the spec names it."""

from __future__ import annotations

import gzip
import json
import sqlite3
import unicodedata
from pathlib import Path

import duckdb
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.checks.spellings import spelt_alike
from nnspec.data.checks.text_in_numbers import plain_number
from nnspec.diagnostics import Diagnostic, SpecError
from tests.unit.data.section.test_plan import plan_of, slot

X, Y = slot("x", ("feature", 1)), slot("y", ("target", 1), task="regression")
PLAN = """
source: {SOURCE}
split: {train: 0.5, test: 0.5, by: order}
MORE
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [y]}}
"""
ROWS = [{"a": 1.5 + row, "y": row * row} for row in range(8)]


def table(cells: list[object] | None = None, header: str = "a,y") -> bytes:
    values = cells or [row["a"] for row in ROWS]
    return "\n".join([header, *(f"{value},{row}" for row, value in enumerate(values))]).encode() + b"\n"


def lines(rows: list[dict[str, object]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def told(root: Path, source: str, more: str = "") -> list[Diagnostic]:
    try:
        plan = plan_of(PLAN.replace("SOURCE", source).replace("MORE", more), root)
        return probe(plan, {"x": X}, {"y": Y})
    except SpecError as error:
        return error.diagnostics


def advice(found: list[Diagnostic]) -> str:
    return "\n".join(line for d in found for line in [d.message, *d.notes, *(fix.message for fix in d.fixes)])


FOREIGN: dict[str, tuple[bytes, str, str]] = {
    "a.csv": (b"PK\x03\x04" + bytes(range(200, 256)), "a zip archive", "save the sheet as CSV"),
    "b.csv": (gzip.compress(table()), "compressed by gzip", "rename it to `b.csv.gz`"),
    "c.csv": (b"<!DOCTYPE html>\n<p>404, not found</p>\n", "an HTML or XML page", "download the file again"),
    "d.csv": (lines(ROWS), "is JSON", "write `json:`"),
    "e.csv": (b"\x93NUMPY\x01\x00\xff\xfe", "a NumPy array", "write `npy:`"),
    "f.csv": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1,2\nsize,3\n", "Git LFS", "git lfs pull"),
    "g.csv.gz": (table(), "not compressed by gzip", "rename"),
    "h.csv": (b"# made by a logger\n" + table(), "row 1 has 2 cells", "remove the lines above"),
    "i.csv": (b"sep=,\n" + table(), "no column `a`", "remove the lines above"),
    "j.csv": (b"\n".join(table().split(b"\n")[1:]), "no column `a`", "its first line has numbers"),
    "k.csv": (table().replace(b",", b"    "), "no column `a`", "by several blanks"),
    "l.csv": (table() + bytes(64), "row 9 has 1 cells", "a write that did not end"),
    "m.csv": (b"a,y\n1,2,\n3,4,\n", "row 1 has 3 cells", "the row ends with `,`"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_form(name: str, tmp_path: Path) -> None:
    content, what, remedy = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    found = told(tmp_path, f"csv: {name}")
    assert {d.code for d in found} <= {"NN502", "NN503"}
    assert what in advice(found)
    assert remedy in advice(found)


JSONS: dict[str, tuple[bytes, str, str]] = {
    "commas": (lines(ROWS).replace(b"}\n", b"},\n"), "row 1 is not JSON", "leave out the comma after each object"),
    "columns": (json.dumps({"a": [1, 2], "y": [3, 4]}).encode(), "written by columns", "orient='records'"),
    "frame": (json.dumps({"a": {"0": 1, "1": 2}, "y": {"0": 3, "1": 4}}).encode(), "written by columns", "orient="),
    "wrapped": (json.dumps({"ok": True, "data": ROWS}).encode(), "rows are under `data`", "write the list under"),
    "truncated": (lines(ROWS)[:-6], "row 8 is not JSON", "the text ends within an object"),
    "list": (json.dumps(ROWS).encode()[:-6], "is not JSON", "the text ends within an object"),
    "wide": (lines(ROWS).decode().encode("utf-16"), "not UTF-8", "write the file as UTF-8"),
    "twice": (b'{"a": 1, "y": 2}\n{"a": 1, "a": 3, "y": 2}\n', "row 2 has the key `a` twice", "differently"),
    "within": (b'[{"a": 1, "y": {"b": 1, "b": 2}}]', "the key `b` twice", "differently"),
}  # fmt: skip


@pytest.mark.parametrize("name", JSONS)
def test_json_of_another_form(name: str, tmp_path: Path) -> None:
    content, what, remedy = JSONS[name]
    (tmp_path / "a.json").write_bytes(content)
    (fault,) = told(tmp_path, "json: a.json")
    assert fault.code == "NN502"
    assert what in fault.message
    assert remedy in fault.fixes[0].message


WRITTEN = {
    "$5": "5", "-$5": "", "5 kg": "5", "5%": "5", "1_000": "1000", "€ 1,234.5": "1234.5", "EUR 7": "7", "3m2": "3",
    "\u22123": "-3", "\u0661\u0662": "12", "1 000": "1000", "2020-01-01": "", "13:00": "", "12": "", "A-12": "", "": "",
    "1.2.3": "", "1,2,3": "", "x": "", "R2D2": "", "1/2": "", "+4 °C": "4",
}  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_numbers_with_signs_about_them(text: str) -> None:
    assert plain_number(text) == WRITTEN[text]


@pytest.mark.parametrize(
    ("cells", "place", "help_text"),
    [
        (["$1"] * 8, "`$1` in row 1", "write `1` for `$1`"),
        ([*range(7), "1_000"], "`1_000` in row 8", "write `1000` for `1_000`"),
        ([f"2024-01-0{day}" for day in range(1, 9)], "`2024-01-01` in row 1", "{date: [month, weekday]}"),
        ([1, 2, 3, 4, 5, "six", 7, 8], "`six` in row 6", "correct `six`"),
    ],
)
def test_text_among_numbers(cells: list[object], place: str, help_text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table(cells))
    (fault,) = told(tmp_path, "csv: a.csv")
    assert fault.code == "NN506"
    assert place in fault.message
    assert help_text in fault.fixes[0].message


def test_the_cell_that_is_text_is_the_one_named(tmp_path: Path) -> None:
    """A column of a database that holds both is text as a whole; its first value is a number."""
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE t (a, y)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(1, 2), (3, 4), ("five", 6), (7, 8)])
    (fault,) = told(tmp_path, "sql: a.db, table: t")
    assert "`five` in row 3" in fault.message


def test_numbers_that_are_text_throughout(tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT i::VARCHAR AS a, i AS y FROM range(8) t(i)) TO '{tmp_path / 'a.parquet'}'")
    (fault,) = told(tmp_path, "parquet: a.parquet")
    assert [fix.message for fix in fault.fixes] == [
        "its numbers are text: write them without quotes, or convert them in a query: `a::DOUBLE`"
    ]
    (tmp_path / "a.jsonl").write_bytes(lines([{"a": True if row == 3 else row, "y": row} for row in range(8)]))
    (fault,) = told(tmp_path, "json: a.jsonl")
    assert "write 1 for true" in fault.fixes[0].message


def test_infinite_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table([1, 2, "1e400", 4, 5, 6, 7, 8]))
    (fault,) = told(tmp_path, "csv: a.csv")
    assert fault.code == "NN504"
    assert "row 3" in fault.message
    assert "missing" in fault.fixes[0].message


def test_a_truncated_parquet_file(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT i AS a, i AS y FROM range(8) t(i)) TO '{file}'")
    file.write_bytes(file.read_bytes()[:-9])
    (fault,) = told(tmp_path, "parquet: a.parquet")
    assert "not a whole Parquet file" in fault.message
    assert str(tmp_path) not in fault.message


def test_keys_with_gaps_are_not_filled(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table([1, 2, "", 4, 5, 6, 7, 8], "g,y"))
    text = PLAN.replace("SOURCE", "csv: a.csv").replace("MORE", "series: {by: g}").replace("[a]", "[y]")
    plan = plan_of(text, tmp_path)
    faults = [fault for fault in probe(plan, {"x": X}, {"y": Y}) if fault.code == "NN504"]
    assert "row 3" in faults[0].message
    assert 'WHERE "g" IS NOT NULL' in faults[0].fixes[1].message
    assert not any("forward_fill" in fix.message for fix in faults[0].fixes)


def test_names_that_two_tables_of_a_query_have(tmp_path: Path) -> None:
    """The first is read; where the second says something else, it is not known which was meant."""
    (tmp_path / "a.csv").write_bytes(table())
    for change, codes in ((0, set()), (1, {"NN564"})):
        rows = [f"{row['a'] + change},{index}" for index, row in enumerate(ROWS)]
        (tmp_path / "b.csv").write_text("\n".join(["a,k", *rows]) + "\n")
        more = 'tables: {o: {csv: b.csv}}\nquery: "SELECT * FROM source s JOIN o ON s.y = o.k ORDER BY y"'
        assert {d.code for d in told(tmp_path, "csv: a.csv", more)} == codes


def test_spellings() -> None:
    same = [
        "Yes",
        "yes",
        "no",
        "no ",
        "a",
        "A",
        "Co",
        "CO",
        "x1Y",
        "X1Y",
        "caf\u00e9",
        unicodedata.normalize("NFD", "caf\u00e9"),
    ]
    assert [pair[0] for pair in spelt_alike(same)] == ["Yes", "no", "caf\u00e9"]


def test_an_address_that_is_no_file(tmp_path: Path) -> None:
    for source in ("csv: https://example.org/a.csv", "sql: mysql://u@h/d, table: t"):
        (fault,) = told(tmp_path, source)
        assert "download it first" in fault.fixes[0].message


def test_markers_among_dates(tmp_path: Path) -> None:
    """A column of dates with `?` where there is none: the marker is proposed, not another format."""
    (tmp_path / "a.csv").write_bytes(table([f"2024-01-0{day}" if day != 5 else "?" for day in range(1, 9)]))
    text = PLAN.replace("SOURCE", "csv: a.csv").replace("MORE", "").replace("[a]", "{a: {date: [day]}}")
    plan = plan_of(text, tmp_path)
    (fault,) = probe(plan, {"x": X}, {"y": Y})
    assert (fault.code, fault.fixes[0].edits[0].text) == ("NN554", ', na_values: ["?"]')
