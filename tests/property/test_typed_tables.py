"""Random Parquet tables of random types: a clean check loads, a deployed model reads alike, and what is not is told.

Other tables in every run; a longer run: NNSPEC_EXAMPLES=120.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.data.checks.files import probe
from nnspec.data.sources.label_keys import label_key
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs
from nnspec.runtime.rules.csv import is_missing
from tests.property.test_clean_check_loads import METADATA, X, Y, loaded
from tests.unit.data.section.test_plan import plan_of, slot

ROWS = 6
TABLE = """
source: {parquet: t}
missing: MISSING
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
WORDS = """
source: {parquet: t}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
DAY = datetime.datetime(2020, 2, 29, 12, 30)
ZONE = datetime.timezone(datetime.timedelta(hours=2))
VALUES = {
    pyarrow.int8(): st.integers(-9, 9),
    pyarrow.uint64(): st.integers(0, 2**64 - 1),
    pyarrow.int64(): st.integers(-(2**63), 2**63 - 1),
    pyarrow.float32(): st.sampled_from([1.5, -2.0, 3.0, float("nan"), float("inf"), 3e38]),
    pyarrow.float64(): st.sampled_from([1.5, -2.0, 1e39, 0.1, float("nan")]),
    pyarrow.bool_(): st.booleans(),
    pyarrow.decimal128(9, 2): st.sampled_from([Decimal("1.50"), Decimal("-3.00")]),
    pyarrow.string(): st.sampled_from(["u", "", "NA", "2020-01-01", "3", " null "]),
    pyarrow.dictionary(pyarrow.int8(), pyarrow.string()): st.sampled_from(["u", "v"]),
    pyarrow.date32(): st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)),
    pyarrow.timestamp("us"): st.just(DAY),
    pyarrow.timestamp("us", "Europe/Paris"): st.just(DAY.replace(tzinfo=ZONE)),
    pyarrow.list_(pyarrow.int8()): st.just([1, 2]),
    pyarrow.binary(): st.just(b"\x00"),
    pyarrow.null(): st.none(),
}
NUMBERS = [kind for kind in VALUES if pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)]


@st.composite
def columns(draw: st.DrawFn) -> pyarrow.Array:
    kind = draw(st.sampled_from([*VALUES, *NUMBERS]))
    is_gappy = draw(st.booleans())
    value = st.one_of(VALUES[kind], st.none()) if is_gappy else VALUES[kind]
    return pyarrow.array(draw(st.lists(value, min_size=ROWS, max_size=ROWS)), kind)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder each time: files that follow one another within a tick of the clock look alike."""
    base = tmp_path_factory.mktemp("typed")
    return (base / str(index) for index in count())


def write(table: pyarrow.Table, folders: Iterator[Path], cuts: list[int]) -> Path:
    folder = next(folders)
    (folder / "t").mkdir(parents=True)
    for index, (start, stop) in enumerate(zip([0, *cuts], [*cuts, ROWS], strict=True)):
        pyarrow.parquet.write_table(table.slice(start, stop - start), folder / "t" / f"{index}.parquet")
    pyarrow.parquet.write_table(table, folder / "whole.parquet")
    return folder


SETTINGS = settings(
    max_examples=int(os.environ.get("NNSPEC_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SETTINGS
@given(
    table=st.tuples(columns(), columns(), columns()),
    cuts=st.sampled_from([[], [3], [1, 4]]),
    missing=st.sampled_from(["error", "drop", "forward_fill"]),
)
def test_numbers(table: tuple[pyarrow.Array, ...], cuts: list[int], missing: str, folders: Iterator[Path]) -> None:
    folder = write(pyarrow.table(dict(zip("abc", table, strict=True))), folders, cuts)
    plan = plan_of(TABLE.replace("MISSING", missing), folder)
    faults = probe(plan, {"x": X}, {"y": Y})
    data, told = loaded(plan, {"x": X}, {"y": Y})
    errors = {fault.code for fault in faults if fault.is_error}
    assert bool(told) == bool(errors), f"check says {errors}, loading {told}"
    if data is None or missing != "error":
        return
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    expected = np.array([[float(value) for value in column.to_pylist()] for column in table[:2]]).T
    np.testing.assert_array_equal(raw, expected.astype(np.float32))
    deployed = read_inputs(folder / "whole.parquet", METADATA)["x"]
    np.testing.assert_array_equal(np.asarray(deployed, np.float32), raw)


@SETTINGS
@given(table=st.tuples(columns(), columns()), cuts=st.sampled_from([[], [2]]))
def test_words(table: tuple[pyarrow.Array, ...], cuts: list[int], folders: Iterator[Path]) -> None:
    numbers = pyarrow.array(np.arange(float(ROWS)))
    folder = write(pyarrow.table({"a": table[0], "b": table[1], "c": numbers}), folders, cuts)
    text = slot("x", ("word", 2), dtype="string")
    plan = plan_of(WORDS, folder)
    faults = probe(plan, {"x": text}, {"y": Y})
    data, told = loaded(plan, {"x": text}, {"y": Y})
    assert told == {fault.code for fault in faults if fault.is_error}
    if data is None:
        assert told, "it neither loads nor says why"
        return
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    for column, found in zip(table, raw.T, strict=True):
        if column.type == pyarrow.string():
            assert column.to_pylist() == found.tolist()
        if pyarrow.types.is_date32(column.type):
            assert [value.isoformat() for value in column.to_pylist()] == found.tolist()
        assert not any(is_missing(word) for word in found)
    body = {**METADATA["inputs"]["x"], "dtype": "string"}
    deployed = read_inputs(folder / "whole.parquet", {"inputs": {"x": body}})["x"]
    np.testing.assert_array_equal(np.asarray(deployed, dtype=str), np.asarray(raw, dtype=str))


@SETTINGS
@given(column=columns(), cuts=st.sampled_from([[], [2]]))
def test_labels(column: pyarrow.Array, cuts: list[int], folders: Iterator[Path]) -> None:
    """Labels are spelt as a CSV file's are, and their number is that of the check."""
    numbers = pyarrow.array(np.arange(float(ROWS)))
    folder = write(pyarrow.table({"a": numbers, "b": numbers, "c": column}), folders, cuts)
    labels = slot("y", ("class", 2), task="classification", classes=None, class_axis="class")
    plan = plan_of(TABLE.replace("MISSING", "error"), folder)
    faults = probe(plan, {"x": X}, {"y": labels})
    data, told = loaded(plan, {"x": X}, {"y": labels})
    assert told <= {fault.code for fault in faults if fault.is_error} | {"NN513"}, "which splits alone show"
    if data is None:
        return
    found = np.concatenate([data.splits[name].target["y"].ravel() for name in ("train", "test")])
    if pyarrow.types.is_temporal(column.type):
        return
    expected = [label_key(float(v) if isinstance(v, Decimal) else v) for v in column.to_pylist()]
    assert [label_key(value) for value in found.tolist()] == expected


def test_a_folder_of_the_deployed_file_is_a_column(tmp_path: Path) -> None:
    inside = tmp_path / "year=2024"
    inside.mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"a": [1.0, 2.0]}), inside / "part.parquet")
    body = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "year"]}
    assert read_inputs(inside / "part.parquet", {"inputs": {"x": body}})["x"].tolist() == [[1, 2024], [2, 2024]]
    with pytest.raises(InputError, match="no column `month`"):
        read_inputs(inside / "part.parquet", {"inputs": {"x": {**body, "columns": ["a", "month"]}}})
