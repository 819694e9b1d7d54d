"""CSV files in the dialects that people have: read as they say, and proposed where the spec says another."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.diagnostics.apply import machine_fix
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_samples
from nnspec.runtime.rules.csv import CellError, NumberColumn, read_chunks
from nnspec.runtime.rules.csv_dialect import Dialect
from nnspec.runtime.rules.csv_sniff import propose_layout, propose_marks
from tests.support.data_files import run
from tests.unit.data.section.test_plan import plan_of, slot

X = slot("x", ("feature", 2))
Y = slot("y", ("unit", 1), task="regression")
PLAN = """
source: SOURCE
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
ROWS = 8


def faults_of(source: str, root: Path) -> list[Diagnostic]:
    return probe(plan_of(PLAN.replace("SOURCE", source), root), {"x": X}, {"y": Y})


@pytest.mark.parametrize(
    ("cell", "decimal", "thousands", "number"),
    [
        ("1,5", ",", "", 1.5),
        ("-0,25", ",", "", -0.25),
        (",5", ",", "", 0.5),
        ("3,", ",", "", 3.0),
        ("1,5e3", ",", "", 1500.0),
        ("7", ",", ".", 7),
        ("1.234,5", ",", ".", 1234.5),
        ("12.345.678", ",", ".", 12345678),
        ("1,234.5", ".", ",", 1234.5),
        ("1234567,5", ",", ".", 1234567.5),
        ("1\u202f234,5", ",", "\u202f", 1234.5),
        (" 2,5 ", ",", "", 2.5),
        ("NA", ",", ".", None),
        ("1.5", ",", "", "text"),
        ("1.5", ",", ".", "text"),
        ("12.34,5", ",", ".", "text"),
        ("1.2345", ",", ".", "text"),
        ("1,5,6", ",", "", "text"),
        ("1,5", ".", ",", "text"),
    ],
)
def test_marks_of_numbers(cell: str, decimal: str, thousands: str, number: float | str | None) -> None:
    dialect = Dialect(decimal=decimal, thousands=thousands)
    for cells in ([cell], ["2", cell]):
        if number == "text":
            with pytest.raises(CellError) as caught:
                NumberColumn(dialect).read(cells)
            assert caught.value.cell == cell, "as it stands in the file"
        else:
            assert NumberColumn(dialect).read(cells)[-1] == number


@pytest.mark.parametrize("keys", [{"encoding": "latin-1", "delimiter": ";"}, {"encoding": "utf-16"}, {"quote": "'"}])
def test_training_and_serving_read_alike(keys: dict[str, str], tmp_path: Path) -> None:
    dialect = Dialect.from_options(keys)
    lines = [["a", "b", "c"], *([f"{i}", f"{i * 2}", f"{i * 3}"] for i in range(ROWS))]
    text = "\n".join(dialect.delimiter.join(f"{dialect.quote}{c}{dialect.quote}" for c in line) for line in lines)
    (tmp_path / "a.csv").write_bytes(text.encode(dialect.encoding))
    source = ", ".join(["{csv: a.csv", *(f"{key}: {value!r}" for key, value in keys.items())]) + "}"
    raw = run(PLAN.replace("SOURCE", source), tmp_path, [X], [Y]).splits["train"].raw["x"]
    np.testing.assert_array_equal(raw, [[i, 2 * i] for i in range(4)])
    body = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"], "options": keys}
    np.testing.assert_array_equal(read_inputs(tmp_path / "a.csv", {"inputs": {"x": body}})["x"][:4], raw)


def test_several_files_and_compressed_ones(tmp_path: Path) -> None:
    """In file-name order, columns by name; a deployed model reads each."""
    (tmp_path / "t").mkdir()
    (tmp_path / "t/2.csv").write_text("c,b,a\n" + "".join(f"0,{i},{i + 100}\n" for i in range(ROWS)))
    (tmp_path / "t/1.csv").write_text("a,b,c\n" + "".join(f"{i},{i},0\n" for i in range(ROWS)))
    data = run(PLAN.replace("SOURCE", '{csv: "t/*.csv"}'), tmp_path, [X], [Y])
    assert data.splits["train"].raw["x"][:, 0].tolist() == list(range(ROWS))
    assert data.splits["test"].raw["x"][:, 0].tolist() == [i + 100 for i in range(ROWS)]
    with gzip.open(tmp_path / "z.csv.gz", "wt") as stream:
        stream.write((tmp_path / "t/2.csv").read_text())
    data = run(PLAN.replace("SOURCE", "{csv: z.csv.gz}"), tmp_path, [X], [Y])
    body = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}
    served = read_inputs(tmp_path / "z.csv.gz", {"inputs": {"x": body}})["x"]
    np.testing.assert_array_equal(served[:4], data.splits["train"].raw["x"])
    (tmp_path / "z.csv.gz").write_bytes((tmp_path / "z.csv.gz").read_bytes()[:-12])
    assert [fault.code for fault in faults_of("{csv: z.csv.gz}", tmp_path)] == ["NN502"]


@pytest.mark.parametrize(
    ("spoilt", "code", "words"),
    [
        ("a,c\n1,2\n", "NN502", ["37.csv", "no column `b`", "01.csv"]),
        ("a,b,c\n1,2,3\n1,many,3\n", "NN506", ["`many` in row 2 of `37.csv`"]),
        ("a,b,c\n1,2,3\n1,,3\n", "NN504", ["row 2 of `37.csv`"]),
        ("a,b,c\n1,2\n", "NN502", ["37.csv", "row 1 has 2 cells"]),
        ("a,b,c\n", "NN502", ["37.csv", "no rows"]),
        ("a;b;c\n1;2;3\n", "NN560", ["37.csv", "`;`"]),
    ],
)
def test_a_file_that_differs_is_named(spoilt: str, code: str, words: list[str], tmp_path: Path) -> None:
    for number in range(1, 41):
        (tmp_path / f"{number:02}.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    (tmp_path / "37.csv").write_text(spoilt)
    faults = faults_of('{csv: "*.csv"}', tmp_path)
    assert [fault.code for fault in faults] == [code]
    for word in words:
        assert word in faults[0].message


@pytest.mark.parametrize(
    ("text", "keys", "is_certain"),
    [
        ("a;b;c\n1,5;2;3\n1,25;3;4\n", {"delimiter": ";", "decimal": ","}, True),
        ("a;b;c\n1,500;2;3\n1,250;3;4\n", {"delimiter": ";", "decimal": ","}, False),  # or thousands
        ("a\tb\tc\n1\t2\t3\n", {"delimiter": "\t"}, True),
        ("a|b|c\n1|2|3\n", {"delimiter": "|"}, True),
        ("a;b;c\n1.250,5;2;3\n", {"delimiter": ";", "decimal": ",", "thousands": "."}, True),
        ("'a','b','c'\n1,2,3\n", {"quote": "'"}, True),
        ("a;b;c\n1;2\n", None, False),
        ("x;y;z\n1;2;3\n", None, False),
    ],
)
def test_proposals(text: str, keys: dict[str, str] | None, is_certain: bool, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    found = propose_layout(tmp_path / "a.csv", Dialect(), ["a", "b", "c"])
    assert (found.keys if found else None) == keys
    assert (found is not None and found.is_certain) == is_certain


def test_encodings(tmp_path: Path) -> None:
    """Marks at the beginning leave no doubt, other bytes do."""
    for encoded, given, keys, is_certain in [
        ("ä,b\n1,2\n".encode("latin-1"), "utf-8", {"encoding": "latin-1"}, False),
        ("ä,b\n1,2–\n".encode("cp1252"), "utf-8", {"encoding": "cp1252"}, False),
        ("ä,b\n1,2\n".encode("utf-16"), "utf-8", {"encoding": "utf-16"}, True),
        ("\ufeffä,b\n1,2\n".encode(), "latin-1", {"encoding": "utf-8"}, True),
        ("ä,b\n1,2\n".encode(), "latin-1", {"encoding": "utf-8"}, True),
    ]:
        (tmp_path / "a.csv").write_bytes(encoded)
        found = propose_layout(tmp_path / "a.csv", Dialect(encoding=given), ["ä", "b"])
        assert found is not None
        assert (found.keys, found.is_certain) == (keys, is_certain)


def test_columns_of_words_are_no_numbers_in_another_dialect(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b,c\n"1,5",x,1\n"2,5",1,2\n')
    assert propose_marks([tmp_path / "a.csv"], Dialect(), ["b"]) is None
    found = propose_marks([tmp_path / "a.csv"], Dialect(), ["a", "b"])
    assert found is not None
    assert found.keys == {"decimal": ","}
    faults = faults_of("{csv: a.csv}", tmp_path)
    assert [fault.code for fault in faults] == ["NN560"]
    assert machine_fix(faults[0]) is not None


def test_rows_are_ordered_by_numbers_of_the_dialect(tmp_path: Path) -> None:
    """At check, at load and at serving: as text, `10,5` would stand before `9,5`."""
    lines = ["t;a;b;c", *(f"{t};{i};0;0" for i, t in enumerate(["10,5", "9,5", "1.000", "100", "8,5", "7,5"]))]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    keys = {"delimiter": ";", "decimal": ",", "thousands": "."}
    text = PLAN.replace("SOURCE", '{csv: a.csv, delimiter: ";", decimal: ",", thousands: "."}').replace(
        ", by: order", ""
    )
    data = run(f"order_by: t{text}", tmp_path, [X], [Y])
    trained = [int(v) for name in ("train", "test") for v in data.splits[name].raw["x"][:, 0]]
    assert trained == [5, 4, 1, 0, 3, 2]
    window = {"lookback": 1, "horizon": [1], "stride": 1}
    body = {"axes": [["batch", None], ["time", 1], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}
    metadata = {"inputs": {"x": {**body, "options": keys, "step": "time"}}, "order_by": "t", "window": window}
    assert read_samples(tmp_path / "a.csv", metadata).inputs["x"][:, 0, 0].tolist() == trained


@pytest.mark.parametrize(
    ("text", "words"),
    [("a,b\n1,2\n", "separated by `,`"), ("a;b\n1.5;2\n", "contains|no number"), ("x;y\n1;2\n", "no column")],
)
def test_a_file_of_another_dialect_than_the_models_is_told(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    options = {"delimiter": ";", "decimal": ","}
    body = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"], "options": options}
    with pytest.raises(InputError, match=words):
        read_inputs(tmp_path / "a.csv", {"inputs": {"x": body}})


@pytest.mark.parametrize(
    "source",
    [
        "{csv: a.csv, decimal: ',', thousands: ','}",
        '{csv: a.csv, delimiter: "\'", quote: "\'"}',
        '{csv: a.csv, delimiter: "\\n"}',
        "{npz: a.npz, delimiter: ';'}",
        "{csv: a.csv, npz: b.npz}",
    ],
)
def test_keys_that_contradict_each_other(source: str, tmp_path: Path) -> None:

    with pytest.raises(SpecError) as caught:
        plan_of(PLAN.replace("SOURCE", source), tmp_path)
    assert [fault.code for fault in caught.value.diagnostics] == ["NN208"]


def test_options_of_the_sections_file_stand_beside_it(tmp_path: Path) -> None:

    text = PLAN.replace("SOURCE", "{csv: a.csv}").replace("{columns: [a, b]}", "{columns: [a, b], delimiter: ';'}")
    with pytest.raises(SpecError) as caught:
        plan_of(text, tmp_path)
    assert [fault.code for fault in caught.value.diagnostics] == ["NN208"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("a,b,a\n1,2,3\n", "rename one"),
        ("a,b,c\n1,2,3,4\n", "a cell that contains `,` is quoted"),
        ('a,b,c\n"1"x,2,3\n', "one within it is written twice"),
    ],
)
def test_what_to_do_about_a_table_that_is_none(text: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    (fault,) = faults_of("{csv: t.csv}", tmp_path)
    assert (fault.code, remedy in fault.fixes[0].message) == ("NN502", True)


def test_a_cell_of_any_length(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"a\n{'word ' * 30_000}\n", encoding="utf-8")
    assert [len(row[0]) for rows in read_chunks(tmp_path / "t.csv", ["a"]) for row in rows] == [150_000]
