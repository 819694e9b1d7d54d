"""`nnspec predict` and `evaluate` read a table some rows at a time, and say what they say of all rows at once."""

from __future__ import annotations

import csv
import datetime
import json
import sqlite3
import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, TypeVar, cast

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import api
from nnspec.cli import main
from nnspec.data.arrays import mapped
from nnspec.runtime import reading
from nnspec.runtime.rules import csv as csv_rules
from nnspec.runtime.tables import json_tables, parts, typed

COUNT = 700
SPEC = """\
nnspec: 1
inputs: {x: {axes: {feature: auto}}}
model:
- Dense: {name: body, units: 8, activation: relu}
- Dense: {name: number, units: 1}
- Dense: {from: body, name: label, units: 3, activation: softmax}
- Dense: {from: body, name: bit, units: 1, activation: sigmoid}
outputs:
  y: {from: number, task: regression, metrics: [RootMeanSquaredError, R2Score, LogCoshError]}
  label: {from: label, task: classification, metrics: [AUC, {F1Score: {average: macro}}]}
  bit: {from: bit, task: binary, metrics: [AUC, Precision, BinaryIoU]}
data:
  source: {csv: rows.csv}
  missing: {a: median, color: category, b: drop, y: drop}
  split: {train: 0.8, validation: 0.1, test: 0.1, by: random}
  inputs:
    x:
      columns:
        a: standard
        b: standard
        color: one_hot
        tags: {multi_hot: {separator: "|"}}
        flag: boolean
        day: {date: [month, hour]}
  outputs: {y: {columns: [y], scale: standard}, label: {columns: [label]}, bit: {columns: [bit]}}
training: {epochs: 1, batch_size: 64}
"""
NAMES = ("id", "a", "b", "color", "tags", "flag", "day", "y", "label", "bit", "weight")
KINDS = ("csv", "csv.gz", "jsonl", "json", "parquet", "arrow", "sqlite")
Row = dict[str, object]
T = TypeVar("T")


def rows_of(count: int) -> list[Row]:
    """Rows with gaps in the columns that are filled, and in those that leave a row out."""
    rng = np.random.default_rng(3)
    found: list[Row] = []
    for i, (a, b, y) in enumerate(rng.normal(size=(count, 3)).round(4).tolist()):
        row: Row = {"id": f"c-{i}", "a": a, "b": b, "color": ["red", "green", "odd, one"][i % 3]}
        row |= {"tags": ["x|y", "y", "z|x"][i % 3], "flag": ["yes", "no"][i // 2 % 2]}
        row |= {"day": str(datetime.datetime(2024, 1 + i % 12, 1 + i % 28, i % 24)), "y": y}
        row |= {"label": ["cat", "dog", "cow"][i * 7 % 3], "bit": i // 5 % 2, "weight": 0.5 + i % 3}
        for name, every in (("a", 13), ("b", 29), ("color", 17), ("y", 41)):
            row[name] = None if i % every == 5 else row[name]
        found.append(row)
    return found


def write(rows: list[Row], file: Path) -> Path:
    if ".csv" in file.name:
        cells = [NAMES, *(["" if row[name] is None else str(row[name]) for name in NAMES] for row in rows)]
        with _text(file) as stream:
            csv.writer(stream, lineterminator="\n").writerows(cells)
    elif file.suffix == ".json":
        file.write_text(json.dumps(rows), encoding="utf-8")
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif file.suffix == ".sqlite":
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(f"CREATE TABLE t ({', '.join(NAMES)})")
            marks = ", ".join("?" * len(NAMES))
            database.executemany(f"INSERT INTO t VALUES ({marks})", [tuple(row.values()) for row in rows])
    else:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet  # type: ignore[import-untyped]

        table = pa.table({name: [row[name] for row in rows] for name in NAMES})
        if file.suffix == ".parquet":
            pyarrow.parquet.write_table(table, file, row_group_size=300)
        else:
            with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table, 200)
    return file


def _text(file: Path) -> IO[str]:
    import gzip

    return (
        cast("IO[str]", gzip.open(file, "wt", encoding="utf-8"))
        if file.suffix == ".gz"
        else file.open("w", encoding="utf-8")
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streamed")
    write(rows_of(COUNT), folder / "rows.csv")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return api.load(folder / "spec.yaml").build(folder / "out").onnx


def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if few rows were many."""
    monkeypatch.setattr(parts, "MOST_ROWS", 37)
    monkeypatch.setattr(csv_rules, "_BLOCK", 500)
    monkeypatch.setattr(csv_rules, "CHUNK_ROWS", 7)
    monkeypatch.setattr(json_tables, "_ROWS", 11)
    monkeypatch.setattr(typed, "_ROW_GROUP", 101)


def run(*command: str) -> tuple[str, str, int]:
    done = CliRunner().invoke(main, list(command))
    return done.stdout, done.stderr, done.exit_code


def in_both_ways(call: Callable[[], T], monkeypatch: pytest.MonkeyPatch) -> tuple[T, T]:
    """What is said of parts, and of all rows at once."""
    with monkeypatch.context() as patch:
        tiny(patch)
        in_parts = call()
    with monkeypatch.context() as patch:
        patch.setattr(reading, "is_row_wise", lambda table, metadata: False)
        return in_parts, call()


@pytest.mark.parametrize("kind", KINDS)
def test_parts_say_what_the_whole_says(kind: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = write(rows_of(COUNT), tmp_path / f"new.{kind}")

    def call() -> tuple[tuple[str, str, int], tuple[str, str, int], list[bytes]]:
        said = run("predict", str(model), str(table), "--keep", "id")
        scored = run("evaluate", str(model), str(table), "--by", "color", "--format", "json")
        files = []
        for suffix in ("csv", "jsonl", "json", "npz") if kind in ("csv", "parquet") else ():
            assert run("predict", str(model), str(table), "--out", str(tmp_path / f"p.{suffix}"))[2] == 0
            files.append((tmp_path / f"p.{suffix}").read_bytes())
        return said, scored, files

    in_parts, whole = in_both_ways(call, monkeypatch)
    assert in_parts == whole
    (lines, notes, code), (metrics, _, scored), _ = whole
    assert (code, scored) == (0, 0), (notes, metrics)
    records = [json.loads(line) for line in lines.splitlines()]
    assert [record["id"] for record in records] == [f"c-{i}" for i in range(COUNT)]
    lacks = [i % 29 == 5 for i in range(COUNT)]
    assert [record["y"] is None for record in records] == lacks
    assert f"no prediction for {sum(lacks)} samples without a value of `b`" in notes
    found = json.loads(metrics)
    assert found["outputs"]["y"]["samples"] == sum(i % 29 != 5 and i % 41 != 5 for i in range(COUNT))
    assert f"left out: {sum(lacks)} samples without a value of `b`, as in training" in found["notes"]


def spoil(name: str, value: object) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        rows[600][name] = value

    return change


FAULTS: Mapping[str, tuple[str, str, Callable[[list[Row]], None], str]] = {
    "word": ("predict", "csv", spoil("a", "tall"), "column `a` has no number in row 601: `tall`"),
    "word in JSON": ("predict", "jsonl", spoil("a", "tall"), 'column `a` has no number in row 601: `"tall"`'),
    "list in JSON": ("predict", "jsonl", spoil("color", [1]), "`color` of row 601 is a list or an object"),
    "infinite": ("predict", "csv", spoil("a", "inf"), "column `a` has no number in row 601"),
    "date": ("predict", "csv", spoil("day", "soon"), "column `day` has no date in row 601: `soon`"),
    "zone": ("predict", "csv", spoil("day", "2024-01-01 10:00:00Z"), "column `day` has no date in row 601"),
    "truth": ("predict", "parquet", spoil("flag", "perhaps"), "column `flag` has no yes or no in row 601: `perhaps`"),
    "class": (
        "evaluate",
        "csv",
        spoil("label", "emu"),
        f"no class `emu`, the label of one of {COUNT - 24} samples (the first is sample 580)",
    ),
    "number": ("evaluate", "csv", spoil("y", "tall"), "column `y` has no number in row 601: `tall`"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_far_below_is_told_as_of_a_small_table(
    fault: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb, kind, change, words = FAULTS[fault]
    rows = rows_of(COUNT)
    change(rows)
    table, out = write(rows, tmp_path / f"new.{kind}"), tmp_path / ("p.csv" if verb == "predict" else "m.json")
    out.write_text("what was there before", encoding="utf-8")
    in_parts, whole = in_both_ways(lambda: run(verb, str(model), str(table), "--out", str(out)), monkeypatch)
    assert in_parts == whole
    _, said, code = whole
    assert code == 1
    assert words in said
    assert out.read_text(encoding="utf-8") == "what was there before"
    assert [path.name for path in tmp_path.iterdir() if path not in (table, out)] == []


def test_a_row_of_another_width_far_below(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = write(rows_of(COUNT), tmp_path / "new.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[601] += ",more"
    table.write_text("\n".join(lines), encoding="utf-8")
    in_parts, whole = in_both_ways(lambda: run("predict", str(model), str(table))[1:], monkeypatch)
    assert in_parts == whole
    assert "row 601 has 12 cells, but the header has 11" in str(whole)


def test_a_key_that_comes_late_in_json(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows_of(60)]
    for row in rows[:50]:
        row.pop("color", None)
    table = tmp_path / "new.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    in_parts, whole = in_both_ways(lambda: run("predict", str(model), str(table)), monkeypatch)
    assert in_parts == whole
    assert whole[2] == 0
    for row in rows:
        row.pop("color", None)
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert "has no column `color`" in run("predict", str(model), str(table))[1]


def test_figures_of_many_targets_are_those_of_few(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is written to files, and metrics are summed over parts: but for rounding all is the same."""
    table = write(rows_of(COUNT), tmp_path / "new.csv")
    command = ("evaluate", str(model), str(table), "--format", "json")
    wanted = json.loads(run(*command)[0])["outputs"]
    monkeypatch.setattr(mapped, "LARGE", 1 << 12)
    monkeypatch.setattr(mapped, "STRETCH", 50)
    monkeypatch.setattr("nnspec.training.metrics.streamed.CHUNK", 1 << 12)
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
    tiny(monkeypatch)
    assert_close(json.loads(run(*command)[0])["outputs"], wanted)


def assert_close(got: object, wanted: object, place: str = "") -> None:
    if isinstance(wanted, dict):
        assert isinstance(got, dict)
        assert got.keys() == wanted.keys(), place
        for key, value in wanted.items():
            assert_close(got[key], value, f"{place}/{key}")
    elif isinstance(wanted, float):
        # ranks of shares that are equal but for float32's last bits are ties in the one and not in the other
        loose = 1e-5 if place.endswith(("roc_auc", "roc_auc_macro", "average_precision")) else 1e-12
        assert got == pytest.approx(wanted, rel=loose, abs=1e-12), place
    else:
        assert got == wanted, place


@pytest.mark.parametrize(("verb", "kind"), [("predict", "csv"), ("predict", "jsonl"), ("evaluate", "parquet")])
def test_memory_does_not_grow_with_rows(
    verb: str, kind: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's and NumPy's at most: of four thousand more rows, which would take 2 MB and more."""
    monkeypatch.setattr(mapped, "LARGE", 1 << 12)
    monkeypatch.setattr("nnspec.training.metrics.streamed.CHUNK", 1 << 14)
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
    tiny(monkeypatch)
    rows, most = rows_of(500), []
    for times in (1, 2, 10):  # the first is not counted: what it loads stays
        table, out = write(rows * times, tmp_path / f"new.{kind}"), tmp_path / "found.jsonl"
        tracemalloc.start()
        assert run(verb, str(model), str(table), "--out", str(out))[2] == 0
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[2] - most[1] < 400_000, most
