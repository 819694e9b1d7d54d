"""A table means the same with a query and without, in training and at prediction: random CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.data.checks.files import probe
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_samples
from tests.property.test_clean_check_loads import CELLS, METADATA, ROWS, TABLE, X, Y, loaded, written
from tests.unit.data.section.test_plan import plan_of

QUERY = "SELECT a, b, c FROM source"
QUERIED = TABLE.replace("split:", f"query: {QUERY}\nsplit:")
DEPLOYED = {**METADATA, "query": {"text": QUERY, "tables": {"source": {"kind": "csv", "options": {}}}}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("queried")
    return (base / str(index) for index in count())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(columns=st.lists(st.lists(CELLS, min_size=ROWS, max_size=ROWS), min_size=3, max_size=3))
def test_a_table_means_the_same_in_a_query(columns: list[list[str]], folders: Iterator[Path]) -> None:
    folder = next(folders)
    folder.mkdir()
    (folder / "a.csv").write_bytes(written(columns, ("\n", False, False, False)))
    alone, told_alone = loaded(plan_of(TABLE, folder), {"x": X}, {"y": Y})
    plan = plan_of(QUERIED, folder)
    faults = probe(plan, {"x": X}, {"y": Y})
    queried, told = loaded(plan, {"x": X}, {"y": Y})
    assert told == {fault.code for fault in faults if fault.is_error}
    assert (alone is None) == (queried is None), f"{told_alone} alone, {told} in a query"
    if alone is None or queried is None:
        return
    for name, split in alone.splits.items():
        np.testing.assert_array_equal(queried.splits[name].raw["x"], split.raw["x"])
        np.testing.assert_array_equal(queried.splits[name].target["y"], split.target["y"])
    raw = np.concatenate([queried.splits[name].raw["x"] for name in ("train", "test")])
    for tables in ({}, None):
        found = read_samples(folder / "a.csv", DEPLOYED, tables).inputs["x"]
        np.testing.assert_array_equal(np.asarray(found, np.float32), raw)


JOIN = "SELECT s.a, t.b FROM source s JOIN t USING (key) ORDER BY s.a"
JOINED = {
    **METADATA,
    "query": {"text": JOIN, "tables": {"source": {"kind": "csv", "options": {"delimiter": ";"}}, "t": {"kind": "csv"}}},
}


def test_new_tables_in_a_partitioned_folder(tmp_path: Path) -> None:
    for year in (2023, 2024):
        (tmp_path / "t" / f"year={year}").mkdir(parents=True)
        table = pyarrow.table({"a": [year + 0.5]})
        pyarrow.parquet.write_table(table, tmp_path / "t" / f"year={year}" / "x.parquet")
    query = {"text": "SELECT a, year AS b FROM source ORDER BY a", "tables": {"source": {"kind": "parquet"}}}
    found = read_samples(tmp_path / "t", {**METADATA, "query": query}, {}).inputs["x"]
    assert found.tolist() == [[2023.5, 2023], [2024.5, 2024]]
    one = read_samples(tmp_path / "t" / "year=2024" / "x.parquet", {**METADATA, "query": query}, {}).inputs["x"]
    assert one.tolist() == [[2024.5, 2024]]


def test_new_tables(tmp_path: Path) -> None:
    source, table = tmp_path / "source.csv", tmp_path / "t.csv"
    source.write_text("key;a\nu;2\nv;1\nw;3\n")
    table.write_text("key,b\nv,10\nu,20\n")
    assert read_samples(source, JOINED, {"t": table}).inputs["x"].tolist() == [[1, 10], [2, 20]]
    result = tmp_path / "result.csv"
    result.write_text("a;b\n5;6\n")
    with pytest.raises(InputError):  # rows of the result, in the dialect that inputs have
        read_samples(source, {**JOINED, "query": None}, None)
    for tables, said in (
        ({"u": table}, "reads no table `u`"),
        ({}, "reads table `t` too: give it with `--tables t=FILE`"),
        ({"t": tmp_path / "none.csv"}, "there is no file"),
        ({"t": tmp_path / "t.npz"}, "there is no file"),
    ):
        with pytest.raises(InputError, match=said):
            read_samples(source, JOINED, tables)
    table.write_text("key,d\nv,10\n")
    with pytest.raises(InputError, match="cannot be run on these tables"):
        read_samples(source, JOINED, {"t": table})
    with pytest.raises(InputError, match="trained without a query"):
        read_samples(source, METADATA, {"t": table})
