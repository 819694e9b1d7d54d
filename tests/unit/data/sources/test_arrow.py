"""Arrow files read as Parquet files are. PyArrow writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.sources.base import Reading
from nnspec.runtime.reading import read_inputs
from tests.property.test_clean_check_loads import METADATA
from tests.support.data_files import run
from tests.unit.data.section.test_plan import plan_of, slot

TEXT = """
source: {arrow: "PATH"}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
X = slot("x", ("feature", 2))
Y = slot("y", ("target", 1), task="regression")
TABLE = pyarrow.table({"a": pyarrow.array([1, 2, 3, 4], "int16"), "b": [0.5, 1.5, 2.5, 3.5], "c": [1.0, 2.0, 3.0, 4.0]})


def write(table: pyarrow.Table, path: Path, how: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if how == "stream":
        with pyarrow.ipc.new_stream(path, table.schema) as writer:
            for batch in table.to_batches(max_chunksize=3):
                writer.write_batch(batch)
    else:
        pyarrow.feather.write_feather(table, path, compression=how, chunksize=3)


@pytest.mark.parametrize("how", ["uncompressed", "lz4", "zstd", "stream"])
@pytest.mark.parametrize("suffix", [".arrow", ".feather"])
def test_files_and_streams(how: str, suffix: str, tmp_path: Path) -> None:
    write(TABLE, tmp_path / f"t{suffix}", how)
    text = TEXT.replace("PATH", f"t{suffix}")
    assert probe(plan_of(text, tmp_path), {"x": X}, {"y": Y}) == []
    data = run(text, tmp_path, [X], [Y])
    raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
    assert raw.tolist() == [[1, 0.5], [2, 1.5], [3, 2.5], [4, 3.5]]
    np.testing.assert_array_equal(np.asarray(read_inputs(tmp_path / f"t{suffix}", METADATA)["x"], np.float32), raw)


def test_values_are_those_of_parquet(tmp_path: Path) -> None:
    import datetime
    from decimal import Decimal

    table = pyarrow.table(
        {
            "i": pyarrow.array([1, None], "int64"),
            "t": ["u", None],
            "b": [True, None],
            "d": [datetime.date(2020, 1, 2), None],
            "z": pyarrow.array([datetime.datetime(2020, 1, 2, 3), None], pyarrow.timestamp("us", "Europe/Paris")),
            "m": [Decimal("1.50"), None],
        }
    )
    write(table, tmp_path / "t.arrow", "uncompressed")
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    plans = [
        plan_of(TEXT.replace("arrow: ", f"{k}: ").replace("PATH", f"t.{k}"), tmp_path) for k in ("arrow", "parquet")
    ]
    for reading in (Reading.WORD, Reading.LABEL, Reading.ORDER):
        found = []
        for plan in plans:
            assert plan.source is not None
            (chunk,) = plan.source.source.open_columns(plan.source, table.column_names, reading)
            found.append([(column.values[~column.missing].tolist(), column.missing.tolist()) for column in chunk])
        assert found[0] == found[1]


def test_patterns_folders_and_types_that_change(tmp_path: Path) -> None:
    write(TABLE.slice(0, 2), tmp_path / "t" / "year=2023" / "x.arrow", "lz4")
    write(TABLE.slice(2, 2), tmp_path / "t" / "year=2024" / "x.arrow", "stream")
    for path in ("t", "t/*/*.arrow"):
        data = run(TEXT.replace("PATH", path).replace("[a, b]", "[a, year]"), tmp_path, [X], [Y])
        raw = np.concatenate([data.splits[name].raw["x"] for name in ("train", "test")])
        assert raw.tolist() == [[1, 2023], [2, 2023], [3, 2024], [4, 2024]]
    other = TABLE.set_column(0, "a", pyarrow.array(["1", "2", "3", "4"]))
    write(other, tmp_path / "t" / "year=2025" / "x.arrow", "lz4")
    (fault,) = probe(plan_of(TEXT.replace("PATH", "t"), tmp_path), {"x": X}, {"y": Y})
    assert fault.code == "NN502"
    assert "type SMALLINT in `year=2023/x.arrow`, but VARCHAR in `year=2025/x.arrow`" in fault.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    write(TABLE, tmp_path / "t.arrow", "lz4")
    content = (tmp_path / "t.arrow").read_bytes()
    for damaged in (b"", b"FEA1 and more", b"a,b\n1,2\n" * 40, content[:120], content[: len(content) // 2]):
        (tmp_path / "t.arrow").write_bytes(damaged)
        found = probe(plan_of(TEXT.replace("PATH", "t.arrow"), tmp_path), {"x": X}, {"y": Y})
        assert [fault.code for fault in found] == ["NN502"], damaged[:20]
    for how in ("uncompressed", "lz4", "stream"):  # nanoarrow would give other values of compressed ones
        categories = pyarrow.table(
            {"a": pyarrow.array([7, 8, 7, 9]).dictionary_encode(), "b": TABLE["b"], "c": TABLE["c"]}
        )
        write(categories, tmp_path / "t.arrow", how)
        (fault,) = probe(plan_of(TEXT.replace("PATH", "t.arrow"), tmp_path), {"x": X}, {"y": Y})
        assert (fault.code, "column `a` holds categories" in fault.message) == ("NN502", True)
