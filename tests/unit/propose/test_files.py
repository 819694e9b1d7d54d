"""Tables as people have them, in other dialects and formats, are read as they are, and the proposal says how."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from nnspec.pipeline import diagnose
from nnspec.propose.propose import propose_table

ROWS = 60
AGES = [20 + row * 7 % 41 for row in range(ROWS)]
PRICES = [round(1.5 + (row * 13 % 29) / 4, 2) for row in range(ROWS)]
CITIES = [("Rom", "Köln", "Bern")[row * 5 % 3] for row in range(ROWS)]
NAMES = ("age", "price", "city")


def german(folder: Path) -> tuple[str, dict[str, str]]:
    lines = [";".join(map(str, row)).replace(".", ",") for row in zip(AGES, PRICES, CITIES, strict=True)]
    (folder / "t.csv").write_text("\n".join([";".join(NAMES), *lines]), encoding="utf-8")
    return "t.csv", {"csv": "t.csv", "delimiter": ";", "decimal": ","}


def packed(folder: Path) -> tuple[str, dict[str, str]]:
    lines = [",".join(map(str, row)) for row in zip(AGES, PRICES, CITIES, strict=True)]
    (folder / "t.csv.gz").write_bytes(gzip.compress("\n".join([",".join(NAMES), *lines]).encode("utf-8")))
    return "t.csv.gz", {"csv": "t.csv.gz"}


def json_lines(folder: Path) -> tuple[str, dict[str, str]]:
    rows = [dict(zip(NAMES, row, strict=True)) for row in zip(AGES, PRICES, CITIES, strict=True)]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return "t.jsonl", {"json": "t.jsonl"}


def parquet(folder: Path) -> tuple[str, dict[str, str]]:
    columns = dict(zip(NAMES, (AGES, PRICES, CITIES), strict=True))
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "t.parquet")
    return "t.parquet", {"parquet": "t.parquet"}


@pytest.mark.parametrize("write", [german, packed, json_lines, parquet], ids=lambda write: write.__name__)
def test_a_file(write: object, tmp_path: Path) -> None:
    name, source = write(tmp_path)  # type: ignore[operator]
    spec = tmp_path / "t.yaml"
    spec.write_text(propose_table("t", tmp_path / name, name, "price"), encoding="utf-8")
    assert diagnose(spec) == []
    read = yaml.safe_load(spec.read_text(encoding="utf-8"))
    assert read["data"]["source"] == source
    assert read["data"]["inputs"]["row"]["columns"] == {"age": "standard", "city": "one_hot"}
    assert read["outputs"] == {"price": {"task": "regression"}}
