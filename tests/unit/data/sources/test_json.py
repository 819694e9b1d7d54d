"""JSON lines and lists of objects: what a row, a column and an array are, at check, at load and at serving."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.sources.wanted import Reading
from nnspec.diagnostics import Diagnostic
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_samples
from tests.support.data_files import fault, head_of, run
from tests.unit.data.section.test_plan import plan_of, slot

X = slot("x", ("feature", 2))
Y = slot("y", ("unit", 1), task="regression")
PLAN = """
source: {json: rows.jsonl}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b.c]}}
outputs: {y: {columns: [y]}}
"""
BODY = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b.c"]}
ROWS = [{"a": i, "b": {"c": i / 2}, "y": True, "signal": [i, i + 1, i + 2], "word": f"w{i}"} for i in range(8)]


def write(folder: Path, rows: object, name: str = "rows.jsonl", is_list: bool = False) -> Path:
    text = json.dumps(rows) if is_list else "\n".join(json.dumps(row) for row in list(rows)) + "\n"  # type: ignore[call-overload]
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def faults_of(text: str, root: Path) -> list[Diagnostic]:
    return probe(plan_of(text, root), {"x": X}, {"y": Y})


@pytest.mark.parametrize("is_list", [False, True])
def test_rows_are_read_alike(is_list: bool, tmp_path: Path) -> None:
    """Integers, objects within objects, true as 1; as lines and as one list."""
    file = write(tmp_path, ROWS, is_list=is_list)
    train = run(PLAN, tmp_path, [X], [Y]).splits["train"]
    assert train.raw["x"].tolist() == [[i, i / 2] for i in range(4)]
    assert train.target["y"].ravel().tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(read_inputs(file, {"inputs": {"x": BODY}})["x"][:4], train.raw["x"])


def test_lists_of_numbers_are_arrays(tmp_path: Path) -> None:
    file = write(tmp_path, ROWS)
    text = PLAN.replace("{columns: [a, b.c]}", "{array: signal}")
    signal = slot("x", ("time", 3))
    train = run(text, tmp_path, [signal], [Y]).splits["train"]
    assert train.raw["x"].tolist() == [[i, i + 1, i + 2] for i in range(4)]
    body = {"axes": [["batch", None], ["time", 3]], "dtype": "float32", "columns": None, "array": "signal"}
    metadata = {"inputs": {"x": body, "z": BODY}}
    found = read_samples(file, metadata)
    assert found.count == 8
    assert found.inputs["x"][:4].tolist() == train.raw["x"].tolist()
    assert found.inputs["z"][7].tolist() == [7, 3.5]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"signal": [1, 2]}, "`signal` of row 9 has 2 values, but that of row 1 has 3 values"),
        ({"signal": [1, None, 3]}, "`signal` of row 9 holds null"),
        ({"signal": [1, [2], 3]}, "lists of different lengths"),
        ({}, "row 9 has no `signal`"),
        ({"signal": ["a", "b", "c"]}, "values of different kinds"),
    ],
)
def test_lists_that_do_not_fit(row: dict[str, object], words: str, tmp_path: Path) -> None:
    write(tmp_path, [*ROWS, {**{key: value for key, value in ROWS[0].items() if key != "signal"}, **row}])
    text = PLAN.replace("{columns: [a, b.c]}", "{array: signal}")
    code, message = fault(text, tmp_path, [slot("x", ("time", 3))], [Y])
    assert (code, words in message) == ("NN502", True), message


def test_text_and_labels(tmp_path: Path) -> None:
    rows = [{"word": f"w{i % 2}", "y": [1, 2.0, "red"][i % 3]} for i in range(12)]
    file = write(tmp_path, rows)
    words = slot("x", ("word", 1), dtype="string")
    text = PLAN.replace("[a, b.c]", "[word]")
    train = run(text, tmp_path, [words], [head_of(3)]).splits["train"]
    assert train.raw["x"].ravel().tolist() == ["w0", "w1"] * 3
    assert set(train.target["y"].ravel().tolist()) == {"1", "2", "red"}
    body = {"axes": [["batch", None], ["word", 1]], "dtype": "string", "columns": ["word"]}
    assert read_inputs(file, {"inputs": {"x": body}})["x"].ravel().tolist()[:6] == train.raw["x"].ravel().tolist()


def test_what_is_missing(tmp_path: Path) -> None:
    """Null, NaN, and keys that are not there; those of training rows are dropped, or named."""
    rows = [dict(row) for row in ROWS]
    rows[1]["a"] = None
    del rows[2]["b"]
    rows[3]["b"] = {"c": float("nan")}
    write(tmp_path, rows)
    found = faults_of(PLAN, tmp_path)
    assert [d.code for d in found] == ["NN504", "NN504"]
    assert "row 2" in found[0].message
    assert "rows 3, 4" in found[1].message
    data = run(f"missing: drop{PLAN}", tmp_path, [X], [Y])
    assert data.splits["train"].raw["x"].tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ('{"a": 1, "b": {"c": 2}, "y": 1}\n{"a": "many", "b": {"c": 1}, "y": 1}\n', "NN506", '`"many"` in row 2'),
        ('{"a": 1, "b": {"c": 2}, "y": 1}\n{"a": true, "b": {"c": 1}, "y": 1}\n', "NN506", "`true` in row 2"),
        ('{"a": 1, "b": {"c": 2}, "y": 1}\n{"a": [1], "b": {"c": 1}, "y": 1}\n', "NN502", "`array: a`"),
        ('{"a": 1, "b": {"d": 2}, "y": 1}\n', "NN503", "no column `b.c`; did you mean `b.d`?"),
        ('{"a": 1}\n{"a": \n', "NN502", "row 2 is not JSON: Expecting value, character 6"),
        ('{"a": 1}\n[1]\n', "NN502", "row 2 is [1], not an object"),
        ("", "NN502", "empty"),
        ("[]", "NN502", "empty"),
        ("[1, 2]", "NN502", "row 1 is 1, not an object"),
    ],
)
def test_files_with_faults(content: str, code: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(content, encoding="utf-8")
    found = faults_of(PLAN, tmp_path)
    assert found[0].code == code
    assert words in found[0].message
    with pytest.raises(InputError):
        read_inputs(tmp_path / "rows.jsonl", {"inputs": {"x": BODY}})


def test_a_file_among_several_is_named(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, ROWS, f"{number}.jsonl")
    write(tmp_path, [*ROWS[:2], {**ROWS[2], "a": "x"}], "1.jsonl")
    text = PLAN.replace("rows.jsonl", "'*.jsonl'")
    assert "row 3 of `1.jsonl`" in faults_of(text, tmp_path)[0].message
    (tmp_path / "1.jsonl").write_text("{")
    assert "1.jsonl: row 1 is not JSON" in faults_of(text, tmp_path)[0].message


def test_rows_are_sorted_and_told_apart(tmp_path: Path) -> None:
    rows = [{"t": f"2024-01-{day:02}", "s": s, "a": day, "b": {"c": 0}, "y": 1} for s in "uv" for day in (3, 1, 2, 4)]
    file = write(tmp_path, rows)
    text = "order_by: t\nseries: {by: s}\nwindow: {lookback: 2, horizon: 1}" + PLAN.replace(", by: order", "")
    window = slot("x", ("time", 2), ("feature", 2))
    text = text.replace("train: 0.5, test: 0.5", "train: 1.0")
    trained = run(text, tmp_path, [window], [Y]).splits["train"].raw["x"]
    assert trained[:, :, 0].tolist() == [[1, 2], [2, 3]] * 2
    body = {**BODY, "axes": [["batch", None], ["time", 2], ["feature", 2]], "step": "time"}
    plan = {"lookback": 2, "horizon": [1], "stride": 1}
    metadata = {"inputs": {"x": body}, "order_by": "t", "series": "s", "window": plan}
    assert read_inputs(file, metadata)["x"][:, :, 0].tolist() == [[1, 2], [2, 3], [3, 4]] * 2


def test_inputs_by_name_and_single_rows_are_read_as_before(tmp_path: Path) -> None:
    metadata = {"inputs": {"x": BODY}}
    write(tmp_path, {"x": [[1, 2], [3, 4]]}, "named.json", is_list=True)
    assert read_inputs(tmp_path / "named.json", metadata)["x"].tolist() == [[1, 2], [3, 4]]
    write(tmp_path, [[1, 2], [3, 4]], "plain.json", is_list=True)
    assert read_inputs(tmp_path / "plain.json", metadata)["x"].tolist() == [[1, 2], [3, 4]]
    write(tmp_path, {"a": 1, "b": {"c": 2}}, "row.json", is_list=True)
    assert read_inputs(tmp_path / "row.json", metadata)["x"].tolist() == [[1, 2]]
    column = {"axes": [["batch", None], ["feature", 1]], "dtype": "float32", "columns": ["a"]}
    write(tmp_path, {"a": 3}, "column.json", is_list=True)  # an input that is called as its column
    assert read_inputs(tmp_path / "column.json", {"inputs": {"a": column}})["a"].tolist() == [[3]]
    write(tmp_path, ROWS, "rows.json", is_list=True)
    assert len(read_inputs(tmp_path / "rows.json", metadata)["x"]) == 8


ORDERS: dict[str, tuple[list[object], list[object]]] = {
    "numbers": ([3, 1, 2.5, 7, None], [3, 1, 2.5, 7, float("nan")]),
    "integers": ([3, 1, 2, 7], [3, 1, 2, 7]),
    "numbers as text": (["3", "10", "2", "7"], [3, 10, 2, 7]),
    "times": (
        ["2024-01-02", "2024-01-01T05:00", "2023-12-31 07:00:00.5", "2024-02-01"],
        ["2024-01-02", "2024-01-01T05:00", "2023-12-31T07:00:00.5", "2024-02-01"],
    ),
    "text": (["b", "a", "cc", 5], ["b", "a", "cc", "5"]),
    "gaps": (["2024-01-02", "", "2024-01-01", None], ["2024-01-02", "", "2024-01-01", ""]),
}


@pytest.mark.parametrize("values", ORDERS)
def test_what_sorts_rows_is_read_in_parts(values: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, wanted = ORDERS[values]
    monkeypatch.setattr("nnspec.data.sources.json.CHUNK_ROWS", 3)
    for is_list in (False, True):
        write(tmp_path, [{"at": value} for value in given], is_list=is_list)
        plan = plan_of(PLAN, tmp_path).source
        assert plan is not None
        ((column,),) = plan.source.open_columns(plan, ["at"], Reading.ORDER)
        expected = np.array(wanted, "datetime64[us]") if values == "times" else np.array(wanted)
        np.testing.assert_array_equal(column.values, expected)
        assert column.values.dtype.kind == expected.dtype.kind
        assert column.missing.tolist() == [value in (None, "") for value in given]


def test_no_list_of_the_records_is_kept(tmp_path: Path) -> None:
    """What sorts 6,000 rows takes 8 bytes of each, not the row; nor do lists of numbers take more than their array."""
    write(tmp_path, [{"at": row * 7919 % 6000, "note": f"row {row} " * 20, "list": [row, row]} for row in range(6000)])
    plan = plan_of(PLAN, tmp_path).source
    assert plan is not None
    most = []
    for read in (
        lambda: list(plan.source.open_columns(plan, ["at"], Reading.ORDER)),
        lambda: list(plan.source.open_array(plan, "list")),
    ):
        tracemalloc.start()
        read()
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(most) < 2_500_000, most
