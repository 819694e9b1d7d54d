"""Memory and speed of `nnspec predict` and `nnspec evaluate` on tables of mixed columns.

    python -m tests.benchmarks.memory --only serving                    # CSV and Parquet, as of 0.05 to 1 GB of CSV
    python -m tests.benchmarks.memory --only serving --gigabytes 0.25   # up to 0.25 GB
    python -m tests.benchmarks.memory --only serving --model windows    # of a model that reads windows in time order

Each run is a process of its own, after one on 2,000 rows that tells what the interpreter and the model take.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.paths import ROOT

TINY = 2000
LINE = 68  # bytes of a row, about
SIZES = (0.05, 0.25, 1.0)

TABLE = """
SELECT range AS id,
    make_timestamp(1500000000000000 + 60000000 * ((range * 7919) % {rows})) AS at,
    CASE WHEN range % 97 <> 1 THEN round(random() * 2 - 1, 4) END AS a,
    round(random() * 100, 2) AS b,
    CASE WHEN range % 31 <> 1 THEN list_value('red', 'green', 'blue', 'yellow')[1 + range % 4] END AS color,
    CASE WHEN range % 3 = 0 THEN 'yes' ELSE 'no' END AS flag,
    CASE WHEN range % 211 <> 1 THEN round(random() - 0.5 + (range % 4), 4) END AS y,
    list_value('low', 'mid', 'high')[1 + CAST(floor(random() * 3) AS INTEGER)] AS label,
    CASE WHEN random() < 0.3 THEN 1 ELSE 0 END AS bit
FROM range({rows})
"""
ROWS = """nnspec: 1
name: rows
inputs: {x: {axes: {feature: auto}}}
model:
- Dense: {name: body, units: 16, activation: relu}
- Dense: {name: number, units: 1}
- Dense: {from: body, name: label, units: 3, activation: softmax}
- Dense: {from: body, name: bit, units: 1, activation: sigmoid}
outputs:
  y: {from: number, task: regression, metrics: [RootMeanSquaredError, R2Score]}
  label: {from: label, task: classification, metrics: [accuracy, AUC]}
  bit: {from: bit, task: binary, metrics: [AUC, Precision]}
data:
  source: {csv: few.csv}
  missing: {a: median, color: category, y: drop}
  split: {train: 0.8, validation: 0.1, test: 0.1, by: random}
  inputs: {x: {columns: {a: standard, b: standard, color: one_hot, flag: boolean, at: {date: [month, hour]}}}}
  outputs: {y: {columns: [y], scale: standard}, label: {columns: [label]}, bit: {columns: [bit]}}
training: {epochs: 1, batch_size: 256}
"""
WINDOWS = """nnspec: 1
name: windows
inputs: {x: {axes: {time: 16, feature: auto}}}
model: [Flatten, {Dense: {units: 8, activation: relu}}, {Dense: {units: 1}}]
outputs: {b: {task: regression}}
data:
  source: {csv: few.csv}
  order_by: at
  missing: forward_fill
  window: {lookback: 16, horizon: 1}
  split: {train: 0.8, validation: 0.1, test: 0.1, by: time}
  inputs: {x: {columns: [b], scale: standard}}
  outputs: {b: {columns: [b], scale: standard}}
training: {epochs: 1, batch_size: 256}
"""
MODELS = {"rows": ROWS, "windows": WINDOWS}


def make_table(file: Path, rows: int) -> None:
    """A table with dates in no order, words, gaps, numbers and targets, by the file's suffix."""
    import duckdb

    form = {".csv": "csv", ".parquet": "parquet", ".jsonl": "json"}[file.suffix]
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '2GB'; SET temp_directory = '{file.parent}'; SELECT setseed(0.5)")
    connection.execute(f"COPY ({TABLE.format(rows=rows)}) TO '{file}' (FORMAT {form})")
    connection.close()


def build_model(folder: Path, kind: str) -> Path:
    """A small model, trained on few rows."""
    from nnspec import api

    make_table(folder / "few.csv", TINY)
    (folder / "spec.yaml").write_text(MODELS[kind], encoding="utf-8")
    return api.load(folder / "spec.yaml").build(folder / "out").onnx


def serve(command: list[str]) -> None:
    """What the process of one run does: a verb of nnspec; prints its numbers as JSON."""
    from nnspec.cli import main
    from tests.benchmarks.memory import Watch, resident

    watch = Watch()
    watch.start()
    started = time.perf_counter()
    main(command, standalone_mode=False)
    seconds = time.perf_counter() - started
    watch.is_over.set()
    watch.join()
    print(json.dumps({**resident(), "highest": watch.highest, "seconds": seconds}))


def measure(verb: str, model: Path, table: Path) -> dict[str, float]:
    """The memory and the seconds of a verb on a table."""
    out = table.with_name("predicted.csv" if verb == "predict" else "metrics.json")
    command = [sys.executable, "-m", "tests.benchmarks.serving", verb, str(model), str(table), "--out", str(out)]
    environment = {**os.environ, "NNSPEC_CACHE": str(table.parent / "cache"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def show_all(gigabytes: float, kind: str) -> None:
    """Both verbs on tables of each form and size, above what the same takes of few rows."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("NNSPEC_BENCHMARK_FOLDER")) as name:
        folder = Path(name)
        model = build_model(folder, kind)
        for suffix in (".csv", ".parquet"):
            least: dict[str, dict[str, float]] = {}
            for size in (0.0, *(size for size in SIZES if size <= gigabytes)):
                table = folder / f"rows{suffix}"
                rows = int(size * 1e9 / LINE) or TINY
                make_table(table, rows)
                for verb in ("predict", "evaluate"):
                    found = measure(verb, model, table)
                    least.setdefault(verb, found)
                    above = [(found[key] - least[verb][key]) / 2**20 for key in ("highest", "VmHWM")]
                    print(
                        f"{verb:<8} {suffix:<8} {rows:>10,} rows {table.stat().st_size / 1e9:6.3f} GB   "
                        f"{above[0]:6.0f} MiB anonymous above the model, {above[1]:6.0f} MiB with files "
                        f"(of {found['VmHWM'] / 2**20:.0f})   {found['seconds']:7.1f} s",
                        flush=True,
                    )


if __name__ == "__main__":
    serve(sys.argv[1:])
