"""Columns of CSV files are read block by block: what Python's `csv` reads row by row."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from nnspec.runtime.rules import csv as rules
from nnspec.runtime.rules.csv_dialect import Dialect
from nnspec.runtime.rules.markers import Markers

HEADER = ["a", "b", "c"]
CELLS = ["1", "", "NA", " x", "2024-01-02", "é", '"q"', '"a,b"', '"l\nm"', '"d""d"', "-999"]
PLAIN = CELLS[:6] + CELLS[-1:]
ENDS = ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"]


def text_of(rng: random.Random) -> str:
    """Mostly a table: some have quotes from a row on, ends of other kinds, or a row that is too long."""
    count, quoted = rng.randrange(1, 30), rng.choice([0, 15, 99])
    ends = ENDS[:1] if rng.random() < 0.5 else ENDS if rng.random() < 0.3 else ENDS[1:2]
    rows = [[rng.choice(CELLS if row >= quoted else PLAIN) for _ in HEADER] for row in range(count)]
    if rng.random() < 0.2:
        rows[rng.randrange(count)].append("more")
    if rng.random() < 0.1:
        rows[rng.randrange(count)][0] = "zero\0byte"
    body = "".join(",".join(row) + rng.choice(ends) for row in rows)
    return "a,b,c\n" + (body if rng.random() < 0.7 else body.rstrip("\r\n"))


def found_by(read: Callable[[], list[list[str]]]) -> list[list[str]] | str:
    try:
        return read()
    except rules.CsvError as error:
        return f"{error} {error.remedy}"


def test_random_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, file, kinds = random.Random(5), tmp_path / "a.csv", set()
    names = ["c", "a"]
    for number in range(400):
        text = text_of(rng)
        file.write_text(text, encoding="utf-8", newline="")
        monkeypatch.setattr(rules, "_BLOCK", rng.choice([1, 7, 40, 1000]))

        def by_columns() -> list[list[str]]:
            chunks = list(rules.read_columns(file, HEADER, names))
            return [[cell for chunk in chunks for cell in chunk[place]] for place in range(2)]

        def by_rows() -> list[list[str]]:
            rows = [row for chunk in rules.read_chunks(file, HEADER) for row in chunk]
            return [[row[HEADER.index(name)] for row in rows] for name in names]

        found = found_by(by_columns)
        assert found == found_by(by_rows), text
        if isinstance(found, list):
            own = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row][1:]
            assert found == [[row[2] for row in own], [row[0] for row in own]], number
        kinds.add(type(found))
    assert kinds == {list, str}


def test_a_column_alone_has_no_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n\n3\n")
    assert [list(cells) for (cells,) in rules.read_columns(tmp_path / "a.csv", ["a"], ["a"])] == [["1", "3"]]


def test_markers_hold_nothing_in_their_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n-999,0;-999\n4,5;6\n")
    markers = Markers.from_options({"na_values": {"a": -999}})
    dialect = Dialect(delimiter=";", decimal=",", markers=markers)
    found = list(rules.read_columns(tmp_path / "a.csv", ["a", "b"], ["b", "a"], dialect))
    assert [list(cells) for cells in found[0]] == [["-999", "6"], ["", "4,5"]]


def test_markers_with_the_signs_of_numbers() -> None:
    """`n.a.` marks missing values in a table with decimal commas, too; numbers do in its own spelling."""
    cells = ["1,5", "n.a.", "-999", "-999,0", ".", "1.5", "a,b", "1.000"]
    for decimal, wanted in (
        (",", ["1,5", "", "", "", "", "1.5", "", "1.000"]),
        (".", ["1,5", "", "", "-999,0", "", "1.5", "", "1.000"]),
    ):
        dialect = Dialect.from_options({"decimal": decimal, "na_values": {"x": ["n.a.", -999, ".", "a,b"]}})
        assert list(dialect.without_markers_of("x", cells)) == wanted
