"""Memory does not grow with the rows of a table: four times as many take hardly more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.support.paths import ROOT

ROWS, COLUMNS = 40_000, 48
MIB = 2**20
NAMES = [f"c{i}" for i in range(COLUMNS)]
SPEC = f"""
nnspec: 1
name: rows
inputs: {{x: {{axes: {{feature: {COLUMNS}}}}}}}
model: [{{Dense: {{units: 1}}}}]
outputs: {{y: {{task: regression}}}}
data:
  source: {{parquet: rows.parquet}}
  missing: {{c0: median, c1: mean}}
  split: {{train: 0.8, validation: 0.1, test: 0.1, by: random, stratify: color}}
  inputs: {{x: {{columns: [{", ".join(NAMES)}], scale: standard}}}}
  outputs: {{y: {{columns: [y], scale: standard}}}}
training: {{epochs: 1}}
"""


def prepare(folder: Path, rows: int) -> dict[str, float]:
    """What preparing so many rows takes, in a process of its own."""
    folder.mkdir()
    drawn = ", ".join(f"CAST(random() AS FLOAT) AS {name}" for name in NAMES)
    gaps = "CASE WHEN c0 > 0.1 THEN c0 END AS c0, CASE WHEN c1 > 0.01 THEN c1 END AS c1"
    words = "list_value('red', 'green', 'blue')[1 + CAST(floor(c2 * 3) AS INT)] AS color"
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            f"COPY (SELECT * REPLACE ({gaps}), CAST(c2 - c3 AS FLOAT) AS y, {words} FROM "
            f"(SELECT {drawn} FROM range({rows}))) TO '{folder / 'rows.parquet'}' (FORMAT parquet, ROW_GROUP_SIZE 4096)"
        )
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    environment = {**os.environ, "NNSPEC_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.support.rows_in_memory", str(folder / "spec.yaml")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    few, many = prepare(tmp_path / "few", ROWS), prepare(tmp_path / "many", 4 * ROWS)
    assert many["bytes"] - few["bytes"] > 17 * MIB
    for phase, most in (("check", 13), ("load", 12)):
        growth = (many[phase] - few[phase]) / MIB
        assert growth < most, f"{phase}: {growth:.1f} MiB more for {4 * ROWS:,} rows than for {ROWS:,}"
    assert abs(many["mae"] - 1) < 1e-4
