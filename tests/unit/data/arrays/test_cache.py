"""The cache of prepared columns: what is read once, shared, bounded, and cleared."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.data.arrays import cache, mapped
from nnspec.data.arrays.growing import Growing
from nnspec.data.dataset import Dataset
from nnspec.data.prepare import large_tables
from nnspec.data.sources import typed
from nnspec.diagnostics import SpecError
from tests.support.data_files import run
from tests.unit.data.section.test_plan import slot

TABLE = """
source: {parquet: a.parquet}
split: {train: 0.6, validation: 0.2, test: 0.2, by: random}
missing: {b: median}
inputs: {x: {columns: [a, b], scale: standard}}
outputs: {y: {columns: [c], scale: standard}}
"""
X, Y = slot("x", ("feature", 2)), slot("y", ("unit", 1), task="regression")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of 1,000 rows with gaps in one column, and all of it large."""
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path / "cache"))
    write(tmp_path, 7)
    return tmp_path


def write(folder: Path, times: int) -> None:
    drawn = f"(i * {times} % 101)::FLOAT AS a, CASE WHEN i % 50 <> 3 THEN sqrt(i) END AS b, i % 13 AS c"
    target = folder / "a.parquet"
    target.unlink(missing_ok=True)
    duckdb.sql(f"COPY (SELECT {drawn} FROM range(1000) r(i)) TO '{target}' (FORMAT parquet)")


def make_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "LARGE", 64)
    monkeypatch.setattr(mapped, "STRETCH", 100)
    monkeypatch.setattr(typed, "_AT_ONCE", 400)


def arrays(data: Dataset) -> dict[str, np.ndarray]:
    return {
        f"{name} {part}": np.asarray(getattr(split, part)[key])
        for name, split in data.splits.items()
        for part, key in (("x", "x"), ("raw", "x"), ("y", "y"), ("target", "y"))
    }


def test_large_tables_are_those_of_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = run(TABLE, folder, [X], [Y])
    assert not list(cache.entries())
    make_large(monkeypatch)
    found = run(TABLE, folder, [X], [Y])
    for name, values in arrays(wanted).items():
        np.testing.assert_allclose(arrays(found)[name], values, rtol=1e-6, atol=1e-6, err_msg=name)
        assert arrays(found)[name].dtype == values.dtype
    for name, split in wanted.splits.items():
        np.testing.assert_array_equal(found.splits[name].rows, split.rows)


def test_tables_are_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_large(monkeypatch)
    first = arrays(run(TABLE, folder, [X], [Y]))
    assert len(list(cache.entries())) == 2  # inputs and outputs
    monkeypatch.setattr(large_tables, "_write", None)
    again = arrays(run(TABLE, folder, [X], [Y]))
    assert all(np.array_equal(first[name], again[name], equal_nan=True) for name in first)
    monkeypatch.undo()
    monkeypatch.setenv("NNSPEC_CACHE", str(folder / "cache"))
    make_large(monkeypatch)
    write(folder, 11)  # another table is another entry
    other = arrays(run(TABLE, folder, [X], [Y]))
    assert not np.array_equal(other["train raw"], first["train raw"])
    assert len(list(cache.entries())) == 4


def test_a_cache_that_cannot_be_written_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_large(monkeypatch)
    columns = folder / "cache" / "columns"
    columns.parent.mkdir()
    columns.write_text("no folder", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        run(TABLE, folder, [X], [Y])
    (told,) = caught.value.diagnostics
    assert (told.code, told.path) == ("NN591", "data.source.parquet")
    assert str(columns) in told.message


def test_the_oldest_entries_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path))
    monkeypatch.setenv("NNSPEC_CACHE_SIZE", "0.000025")
    paths = [cache.entry_path(name) for name in ("one", "two", "three")]
    for age, path in enumerate(paths[:2]):
        cache.store(path, lambda folder: folder.joinpath("values.npy").write_bytes(b"x" * 10_000) and None)
        os.utime(path, (age, age))
    assert cache.is_there(paths[0])  # and is the younger one now
    cache.store(paths[2], lambda folder: folder.joinpath("values.npy").write_bytes(b"x" * 10_000) and None)
    assert [path.is_dir() for path in paths] == [True, False, True]
    assert not list(cache.columns_folder().glob(".part-*"))


def test_an_entry_that_is_there_already_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that write the same: the first one's is whole, and kept."""
    monkeypatch.setenv("NNSPEC_CACHE", str(tmp_path))
    path = cache.entry_path("one")

    def write_late(folder: Path) -> None:
        cache.store(path, lambda other: other.joinpath("values.npy").write_text("first", encoding="utf-8") and None)
        folder.joinpath("values.npy").write_text("second", encoding="utf-8")

    cache.store(path, write_late)
    assert path.joinpath("values.npy").read_text(encoding="utf-8") == "first"


def test_the_cache_is_shown_and_cleared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_large(monkeypatch)
    run(TABLE, folder, [X], [Y])
    shown = CliRunner().invoke(main, ["cache"])
    assert (shown.exit_code, "2 entries" in shown.output) == (0, True), shown.output
    body = json.loads(CliRunner().invoke(main, ["cache", "--format", "json"]).output)
    assert body["bytes"] == sum(entry["bytes"] for entry in body["entries"]) > 1000 * 3 * 4
    assert CliRunner().invoke(main, ["cache", "--clear"]).output.startswith("removed 2 entries")
    assert not list(cache.entries())


def test_arrays_grow_and_widen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "STRETCH", 2)
    parts = [np.arange(6).reshape(3, 2), np.array([[0.5, np.nan]]), np.zeros((0, 2)), np.arange(4).reshape(2, 2)]
    for path in (None, tmp_path / "values.npy"):
        growing = Growing(path)
        for part in parts:
            growing.append(part)
        np.testing.assert_array_equal(growing.finish(), np.concatenate(parts))
    np.testing.assert_array_equal(np.load(tmp_path / "values.npy"), np.concatenate(parts))
