"""A table in several files of a folder is one table, and what folders are called is a column, as in training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_parts

YEARS = {2023: [1.5, 2.5], 2024: [3.5], 2025: [4.5, 5.5, 6.5]}


def metadata(*columns: str) -> dict[str, Any]:
    axes = [["batch", None], ["feature", len(columns)]]
    outputs = {"y": {"axes": [["batch", None], ["target", 1]]}}
    return {"inputs": {"x": {"axes": axes, "dtype": "float32", "columns": list(columns)}}, "outputs": outputs}


def written(folder: Path, kind: str) -> Path:
    for year, values in YEARS.items():
        own = folder / "rows" / f"year={year}"
        own.mkdir(parents=True)
        if kind == "csv":
            (own / "part.csv").write_text("a\n" + "".join(f"{value}\n" for value in values))
        elif kind == "jsonl":
            (own / "part.jsonl").write_text("".join(f'{{"a": {value}}}\n' for value in values))
        else:
            rows = ", ".join(f"({value}::DOUBLE)" for value in values)
            duckdb.connect().execute(f"COPY (SELECT * FROM (VALUES {rows}) t(a)) TO '{own / 'part.parquet'}'")
        (own / "_SUCCESS").touch()
    return folder / "rows"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_rows_of_all_files(kind: str, tmp_path: Path) -> None:
    folder = written(tmp_path, kind)
    wanted = [[value] for values in YEARS.values() for value in values]
    assert read_inputs(folder, metadata("a"))["x"].tolist() == wanted
    found = np.concatenate([part.inputs["x"] for part in read_parts(folder, metadata("a"))])
    assert found.tolist() == wanted


def test_the_names_of_folders_are_columns(tmp_path: Path) -> None:
    wanted = [[value, year] for year, values in YEARS.items() for value in values]
    assert read_inputs(written(tmp_path, "parquet"), metadata("a", "year"))["x"].tolist() == wanted


def test_a_fault_names_its_file(tmp_path: Path) -> None:
    folder = written(tmp_path, "csv")
    (folder / "year=2025" / "part.csv").write_text("a\n4.5\nword\n")
    with pytest.raises(InputError, match=r"`part\.csv`: column `a` has no number in row 2: `word`"):
        read_inputs(folder, metadata("a"))


def test_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"folder `empty` has no table: no \.parquet, "):
        read_inputs(tmp_path / "empty", metadata("a"))
    folder = written(tmp_path, "csv")
    (folder / "more.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(InputError, match=r"tables of several kinds, `\.csv`, `\.jsonl`"):
        read_inputs(folder, metadata("a"))
