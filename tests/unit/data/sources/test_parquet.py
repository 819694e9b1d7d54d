"""Parquet: patterns, partitioned folders, types that change, and what cannot be read. PyArrow writes the files."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.sources.base import Reading
from nnspec.diagnostics import Diagnostic
from nnspec.runtime.engine.types import open_parquet, word_sql
from tests.support.data_files import run
from tests.unit.data.section.test_plan import faults, plan_of, slot

TABLE = """
source: {parquet: "PATH"}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")


def write(path: Path, **columns: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def inputs_of(path: str, root: Path, text: str = TABLE) -> list[list[float]]:
    data = run(text.replace("PATH", path), root, [X], [Y])
    rows: list[list[float]] = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")]).tolist()
    return rows


def told(path: str, root: Path, text: str = TABLE) -> list[Diagnostic]:
    return probe(plan_of(text.replace("PATH", path), root), {"x": X}, {"y": Y})


@pytest.mark.parametrize("path", ["t/*.parquet", "t", "*/*.parquet", "**/*.parquet", "t/[bc]*.parquet"])
def test_files_in_the_order_of_their_paths(path: str, tmp_path: Path) -> None:
    write(tmp_path / "t" / "c.parquet", a=[3, 4], b=[0.3, 0.4], c=[3.0, 4.0])
    write(tmp_path / "t" / "b.parquet", a=[1, 2], b=[0.1, 0.2], c=[1.0, 2.0])
    assert np.allclose(inputs_of(path, tmp_path), [[1, 0.1], [2, 0.2], [3, 0.3], [4, 0.4]])


def test_folders_name_columns(tmp_path: Path) -> None:
    text = TABLE.replace("[a, b]", "[a, year]")
    for year, start in ((2025, 2.0), (2024, 0.0)):
        for month in ("02", "01"):
            path = tmp_path / "t" / f"year={year}" / f"month={month}" / "part.parquet"
            write(path, a=[start + int(month)], c=[start])
    assert inputs_of("t", tmp_path, text) == [[1, 2024], [2, 2024], [3, 2025], [4, 2025]]
    assert inputs_of("t/*/month=01/*.parquet", tmp_path, text.replace("year", "month")) == [[1, 1], [3, 1]]
    word = slot("x", ("feature", 2), dtype="string")
    data = run(text.replace("PATH", "t").replace("year", "month"), tmp_path, [word], [Y])
    assert data.splits["train"].raw["x"][:, 1].tolist() == ["01", "02"], "as the folder is called"
    labels = text.replace("PATH", "t").replace("by: order", "by: {column: year}")
    data = run(labels.replace("train: 0.5", "train: 2025").replace("test: 0.5", "test: 2024"), tmp_path, [X], [Y])
    assert data.splits["test"].raw["x"][:, 0].tolist() == [1, 2]


def test_a_folder_without_a_value_and_one_with_odd_signs(tmp_path: Path) -> None:
    text = TABLE.replace("[a, b]", "[a, place]")
    write(tmp_path / "t" / "place=__HIVE_DEFAULT_PARTITION__" / "x.parquet", a=[1.0], c=[1.0])
    write(tmp_path / "t" / "place=New%20York%3D" / "x.parquet", a=[2.0], c=[2.0])
    found = {fault.code: fault.message for fault in told("t", tmp_path, text)}
    assert found.keys() == {"NN504", "NN506"}
    assert "row 1 of `place=__HIVE_DEFAULT_PARTITION__/x.parquet`" in found["NN504"]
    assert "contains text (`New York=` in row 1 of `place=New%20York%3D/x.parquet`)" in found["NN506"]
    word = slot("x", ("feature", 2), dtype="string")
    (fault,) = probe(plan_of(text.replace("PATH", "t"), tmp_path), {"x": word}, {"y": Y})
    assert (fault.code, "row 1 of" in fault.message) == ("NN504", True)


@pytest.mark.parametrize(
    ("then", "types"),
    [
        (["7.5", "8"], ("BIGINT", "VARCHAR")),
        ([True, False], ("BIGINT", "BOOLEAN")),
    ],
)
def test_a_type_that_changes_in_file_37(then: list[object], types: tuple[str, str], tmp_path: Path) -> None:
    for index in range(1, 41):
        column = then if index == 37 else [index, index]
        write(tmp_path / "t" / f"part-{index:02}.parquet", a=column, b=[0.0, 1.0], c=[1.0, 2.0], d=[3.0, 4.0])
    (fault,) = told("t/*.parquet", tmp_path)
    assert fault.code == "NN502"
    assert "`part-37.parquet`" in fault.message
    assert "`part-01.parquet`" in fault.message
    assert all(kind in fault.message for kind in types)
    unused = TABLE.replace("[a, b]", "[b, d]")
    assert len(inputs_of("t", tmp_path, unused)) == 80, "a column that nothing reads may be anything"


def test_integers_and_numbers_in_one_column(tmp_path: Path) -> None:
    """A writer that saw no fraction, or no gap, wrote integers."""
    write(tmp_path / "t" / "1.parquet", a=[2**53, 2], b=[1, None], c=[1.0, 2.0])
    write(tmp_path / "t" / "2.parquet", a=[0.5, 3.0], b=[2.5, 4.0], c=[1, 2])
    markers = TABLE.replace('"PATH"', '"PATH", na_values: {b: 4}').replace("inputs:", "missing: median\ninputs:")
    rows = np.array(inputs_of("t", tmp_path, markers))
    assert np.array_equal(rows, [[2**53, 1], [2, np.nan], [0.5, 2.5], [3, np.nan]], equal_nan=True)
    source = plan_of(markers.replace("PATH", "t"), tmp_path).source
    assert source is not None
    labels = [word for (column,) in source.source.open_columns(source, ["c"], Reading.LABEL) for word in column.values]
    assert labels == ["1", "2", "1", "2"], "classes of the model"
    write(tmp_path / "t" / "1.parquet", a=[2, 2**53 + 1], b=[1, 2], c=[1.0, 2.0])
    (fault,) = told("t", tmp_path)
    assert fault.code == "NN502"
    assert "column `a` has 9007199254740993 in row 2 of `1.parquet`, which DOUBLE" in fault.message


def test_widths_of_numbers_may_differ_and_a_column_without_values_has_any_type(tmp_path: Path) -> None:
    for index, kind in enumerate([pyarrow.int8(), pyarrow.uint64(), pyarrow.int64(), pyarrow.null()]):
        values = pyarrow.array([None if pyarrow.types.is_null(kind) else 100], kind)
        write(tmp_path / "t" / f"{index}.parquet", a=values, b=pyarrow.array([1.5], pyarrow.float32()), c=[1.0])
    (fault,) = told("t", tmp_path)
    assert (fault.code, "row 1 of `3.parquet`" in fault.message) == ("NN504", True)


def test_a_column_that_a_later_file_lacks(tmp_path: Path) -> None:
    write(tmp_path / "t" / "1.parquet", a=[1], b=[1], c=[1.0])
    write(tmp_path / "t" / "2.parquet", a=[1], c=[1.0])
    (fault,) = told("t", tmp_path)
    assert (fault.code, "`2.parquet` has no column `b`" in fault.message) == ("NN502", True)


@pytest.mark.parametrize(
    ("column", "kind"),
    [([[1], [2]], "BIGINT[]"), ([{"u": 1}, {"u": 2}], "STRUCT(u BIGINT)"), ([b"a", b"b"], "BLOB")],
)
def test_what_is_no_number_date_or_text_is_refused_by_name(column: list[object], kind: str, tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", a=column, b=[1, 2], c=[1.0, 2.0], d=[1.0, 2.0])
    (fault,) = told("t.parquet", tmp_path)
    assert fault.code == "NN502"
    assert "column `a`" in fault.message
    assert kind in fault.message
    assert inputs_of("t.parquet", tmp_path, TABLE.replace("[a, b]", "[b, d]")) == [[1, 1], [2, 2]]


def test_nan_is_missing_though_the_files_statistics_do_not_have_it(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", a=[1.5, float("nan"), -2.0, 3.0], b=[1, 2, 3, 4], c=[1.0, 2.0, 3.0, 4.0])
    (fault,) = told("t.parquet", tmp_path)
    assert (fault.code, "row 2" in fault.message) == ("NN504", True)


def test_names_are_taken_as_they_are(tmp_path: Path) -> None:
    write(tmp_path / "t[1]*.parquet", **{'a "x"': [1, 2], "b'; --": [3, 4], "c": [1.0, 2.0]})
    write(tmp_path / "t1z.parquet", other=[1])
    text = TABLE.replace("[a, b]", '[\'a "x"\', "b\'; --"]')
    plan = plan_of(text.replace("PATH", "t[[]1[]][*].parquet"), tmp_path)
    assert [path.name for path in plan.files()] == ["t[1]*.parquet"]
    data = load(plan, {"x": X}, {"y": Y})
    assert data.splits["test"].raw["x"].tolist() == [[2, 4]]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "t" / "1.parquet", a=[1], b=[1], c=[1.0])
    content = (tmp_path / "t" / "1.parquet").read_bytes()
    (tmp_path / "t" / "2.parquet").write_bytes(content[: len(content) // 2])
    (fault,) = told("t", tmp_path)
    assert (fault.code, "`2.parquet`" in fault.message) == ("NN502", True)
    (tmp_path / "t" / "2.parquet").write_bytes(b"")
    assert told("t", tmp_path)[0].code == "NN502"
    write(tmp_path / "empty.parquet", a=pyarrow.array([], "int8"), b=pyarrow.array([], "int8"), c=[])
    assert "it has no rows" in told("empty.parquet", tmp_path)[0].message


def test_a_folder_without_such_files(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (fault,) = told("t", tmp_path)
    assert (fault.code, fault.message) == ("NN501", "folder `t` has no Parquet files")
    (fault,) = told("t/**/*.parquet", tmp_path)
    assert (fault.code, fault.message) == ("NN501", "no file matches `t/**/*.parquet`")


def test_files_stay_below_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside / "1.parquet", a=[1], b=[1], c=[1.0])
    root = tmp_path / "root"
    (root / "t").mkdir(parents=True)
    (root / "t" / "1.parquet").symlink_to(outside / "1.parquet")
    assert told("t/*.parquet", root)[0].code == "NN510"
    assert told("t", root)[0].code == "NN510"
    assert told("t/../t/*.parquet", root)[0].code == "NN510"
    assert faults(TABLE.replace("PATH", "../outside/*.parquet"), root) == [("NN510", "data.source.parquet")]
    assert faults(TABLE.replace("PATH", "../*/1.parquet"), root) == [("NN510", "data.source.parquet")]


def test_rows_are_sorted_by_dates_and_told_by_them(tmp_path: Path) -> None:
    days = [datetime.date(2020, 1, 3), datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)]
    write(tmp_path / "t.parquet", a=[3, 1, 2], b=[0, 0, 0], c=[1.0, 2.0, 3.0], d=days)
    text = TABLE.replace("split:", "order_by: d\nsplit:").replace(", by: order", "")
    assert [row[0] for row in inputs_of("t.parquet", tmp_path, text)] == [1, 2, 3]
    (fault, *_) = told("t.parquet", tmp_path, TABLE.replace("[a, b]", "[a, d]"))
    assert (fault.code, "`2020-01-03` in row 1" in fault.message) == ("NN506", True)


def test_dates_of_a_type_are_not_kept_to_be_checked(tmp_path: Path) -> None:
    """A table may be larger than memory, and a type says already that its values are dates."""
    text = TABLE.replace("PATH", "t.parquet").replace("[a, b]", "{d: {date: [year]}, e: {date: [year]}}")
    days = pyarrow.array([datetime.date(2020, 1, 3), None, datetime.date(2020, 1, 2)])
    write(tmp_path / "t.parquet", d=days, e=["2020-01-03", "2021-01-03", "soon"], c=[1.0, 2.0, 3.0])
    plan = plan_of(text, tmp_path)
    files = PlanFacts(plan)
    assert plan.source is not None
    found = [files.column(plan.source, name) for name in ("d", "e")]
    assert [column is not None and column.values is None for column in found] == [True, True]
    assert [column is not None and column.is_time for column in found] == [True, False]
    (fault,) = [each for each in probe(plan, {"x": X}, {"y": Y}) if each.code == "NN554"]
    assert "`soon`" in fault.message


def test_a_date_that_is_in_no_calendar_of_python_is_told(tmp_path: Path) -> None:
    text = TABLE.replace("PATH", "t.parquet").replace("[a, b]", "{d: {date: [year]}, a: standard}")
    days = pyarrow.array([18000, 18001, 6_000_000], pyarrow.date32())  # the last in the year 18397
    write(tmp_path / "t.parquet", a=[1.0, 2.0, 3.0], d=days, c=[1.0, 2.0, 3.0])
    found = [each for each in probe(plan_of(text, tmp_path), {"x": X}, {"y": Y}) if each.code == "NN554"]
    assert ["row 3" in each.message for each in found] == [True]


def test_columns_are_read_in_one_go(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", a=[1, None], b=[None, "u"], c=[1.0, 2.0])
    plan = plan_of(TABLE.replace("PATH", "t.parquet"), tmp_path)
    assert plan.source is not None
    (chunk,) = plan.source.source.open_columns(plan.source, ["b", "a", "b"], Reading.WORD)
    assert [column.values.tolist() for column in chunk] == [["", "u"], ["1", ""], ["", "u"]]
    assert [column.missing.tolist() for column in chunk] == [[True, False], [False, True], [True, False]]


def test_a_check_imports_duckdb_and_no_numpy(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", a=[1, 2], b=[1, 2], c=[1.0, 2.0])
    text = "".join(f"  {line}\n" for line in TABLE.replace("PATH", "t.parquet").strip().splitlines())
    spec = "nnspec: 1\ninputs: {x: {axes: {feature: 2}}}\nmodel: [{Dense: {units: 1, as: target}}]\n"
    (tmp_path / "spec.yaml").write_text(spec + "outputs: {y: {task: regression}}\ndata:\n" + text)
    code = (
        "import sys; from nnspec.pipeline import diagnose; assert diagnose('spec.yaml') == [];"
        "print([m for m in ('duckdb', 'numpy', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['duckdb']"


def test_rows_of_words_come_in_file_order(tmp_path: Path) -> None:
    """DuckDB made a join of the list of what stands for nothing, whose threads gave words in no order."""
    file = tmp_path / "t.parquet"
    names = "SELECT 'w' || lpad(i::VARCHAR, 7, '0') AS name, i FROM range(400000) t(i)"
    duckdb.sql(f"COPY ({names}) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 4096)")
    table = open_parquet(file)
    sql = f"SELECT {word_sql('name', 'VARCHAR')} FROM {table.origin}"
    assert "JOIN" not in str(table.rows(f"EXPLAIN {sql}"))
    assert [word for (word,) in table.stream(sql)] == [f"w{i:07}" for i in range(400_000)]
