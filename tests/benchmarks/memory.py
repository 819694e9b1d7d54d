"""Memory and speed of training on more rows than fit into memory.

    python -m tests.benchmarks.memory                    # Parquet of 1 GB and of 4 GB, and long windows over 10⁶ rows
    python -m tests.benchmarks.memory --gigabytes 2      # 0.5 GB and 2 GB
    python -m tests.benchmarks.memory --only serving     # predict and evaluate, see `serving`
    python -m tests.benchmarks.memory --cases            # what a spec may ask of its rows, on 0.5 and 4 million
    python -m tests.benchmarks.memory --cases filled order   # some of that

Each run is a process of its own, whose memory a thread looks at. What counts is the largest anonymous memory (RssAnon):
pages of files are the system's, which takes them back as it likes. "Above the model" is that less the same spec's on
2,000 rows. Numbers of files stand beside it (VmHWM: the largest of all that was resident at a time).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.benchmarks.memory_cases import CASES, make_table
from tests.support.paths import ROOT

COLUMNS = 32
TINY = 2000


def rows_spec(columns: int, batch: int) -> str:
    """A network over the rows of a table."""
    names = ", ".join(f"c{i}" for i in range(columns))
    return f"""
inputs: {{x: {{axes: {{feature: {columns}}}}}}}
model:
- {{Dense: {{units: 64, activation: relu}}}}
- {{Dense: {{units: 1}}}}
outputs: {{y: {{task: regression}}}}
data:
  source: {{parquet: rows.parquet}}
  split: {{train: 0.8, validation: 0.1, test: 0.1, by: random}}
  inputs: {{x: {{columns: [{names}], scale: standard}}}}
  outputs: {{y: {{columns: [y], scale: standard}}}}
training: {{epochs: 1, batch_size: {batch}}}
"""


def windows_spec(columns: int, lookback: int, batch: int) -> str:
    """A network over long windows of a series."""
    names = ", ".join(f"c{i}" for i in range(columns))
    return f"""
inputs: {{x: {{axes: {{time: {lookback}, feature: {columns}}}}}}}
model:
- {{Conv1D: {{filters: 8, kernel_size: 16, strides: 16, activation: relu}}}}
- GlobalAveragePooling1D
- {{Dense: {{units: 1}}}}
outputs: {{y: {{task: regression}}}}
data:
  source: {{parquet: rows.parquet}}
  split: {{train: 0.8, validation: 0.1, test: 0.1, by: order}}
  window: {{lookback: {lookback}, horizon: 1}}
  inputs: {{x: {{columns: [{names}], scale: standard}}}}
  outputs: {{y: {{columns: [y], scale: standard}}}}
training: {{epochs: 1, batch_size: {batch}}}
"""


def make_rows(file: Path, rows: int, columns: int) -> None:
    """Random numbers of four bytes, which no compression makes smaller, and a target that a network can learn."""
    import duckdb

    names = [f"c{i}" for i in range(columns)]
    drawn = ", ".join(f"CAST(random() * 2 - 1 AS FLOAT) AS {name}" for name in names)
    target = f"CAST(0.5 * c0 - c1 * c{columns - 1} + 0.1 * random() AS FLOAT) AS y"
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '2GB'; SET temp_directory = '{file.parent}'; SELECT setseed(0.5)")
    connection.execute(
        f"COPY (SELECT *, {target} FROM (SELECT {drawn} FROM range({rows}))) TO '{file}' (FORMAT parquet)"
    )
    connection.close()


def resident() -> dict[str, int]:
    """The memory of this process in bytes: anonymous, of files, and the largest sum so far."""
    found = {}
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name in ("RssAnon", "RssFile", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024
    return found


class Watch(threading.Thread):
    """Looks at the memory of the process many times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest = 0
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(0.02):
            self.highest = max(self.highest, resident()["RssAnon"])


def train_once(folder: Path, large: int | None, kind: str) -> None:
    """What the process of one run does: prints its numbers as JSON."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from nnspec import jobs, pipeline
    from nnspec.data.arrays import mapped
    from nnspec.progress import Progress

    if large is not None:
        mapped.LARGE = large
    watch = Watch()
    watch.start()
    started = time.perf_counter()
    checked = pipeline.check(folder / "spec.yaml")
    run = jobs.run_build if kind == "build" else jobs.run_training
    found = run(checked, folder / "out", Progress(quiet="-v" not in sys.argv))
    seconds = time.perf_counter() - started
    watch.is_over.set()
    watch.join()
    loss = found.history[-1]["loss"]
    print(json.dumps({**resident(), "highest": watch.highest, "seconds": seconds, "loss": loss}))


def measure(
    spec: str, rows: int, columns: int | None, *, large: int | None = None, kind: str = "train"
) -> dict[str, float]:
    """Trains on so many rows in a process of its own; without `columns` on those of `memory_cases`."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("NNSPEC_BENCHMARK_FOLDER")) as name:
        folder = Path(name)
        if columns is None:
            make_table(folder / "rows.parquet", rows)
        else:
            make_rows(folder / "rows.parquet", rows, columns)
        (folder / "spec.yaml").write_text("nnspec: 1\nname: rows\n" + spec, encoding="utf-8")
        command = [sys.executable, "-m", "tests.benchmarks.memory", "--run", str(folder), "--kind", kind]
        command += [] if large is None else ["--large", str(large)]
        environment = {**os.environ, "NNSPEC_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return {**found, "bytes": (folder / "rows.parquet").stat().st_size}


def show(title: str, found: dict[str, float], least: dict[str, float]) -> None:
    above = (found["highest"] - least["highest"]) / 2**20
    print(
        f"{title:<42} {found['bytes'] / 1e9:6.2f} GB file   {found['highest'] / 2**20:6.0f} MiB anonymous at most, "
        f"{above:5.0f} MiB above the model   {found['VmHWM'] / 2**20:6.0f} MiB with files   {found['seconds']:6.0f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--columns", type=int, default=COLUMNS)
    parser.add_argument("--kind", default="train", choices=("train", "build"))
    parser.add_argument("--only", choices=("rows", "windows", "serving"))
    parser.add_argument("--model", default="rows", choices=("rows", "windows"))
    parser.add_argument("--cases", nargs="*", choices=list(CASES))
    parser.add_argument("--run", type=Path)
    parser.add_argument("--large", type=int)
    parser.add_argument("-v", action="store_true")
    asked = parser.parse_args()
    if asked.run is not None:
        train_once(asked.run, asked.large, asked.kind)
        return
    if asked.cases is not None:
        for name in asked.cases or CASES:
            least = measure(CASES[name], TINY, None, kind=asked.kind)
            for rows in (500_000, 4_000_000):
                show(f"{name}, {rows:,} rows", measure(CASES[name], rows, None, kind=asked.kind), least)
        return
    if asked.only == "serving":
        from tests.benchmarks.serving import show_all

        show_all(asked.gigabytes, asked.model)
        return
    if asked.only != "windows":
        columns = asked.columns
        spec, width = rows_spec(columns, 4096), 4 * (columns + 1)
        least = measure(spec, TINY, columns, kind=asked.kind)
        for gigabytes in (asked.gigabytes / 4, asked.gigabytes):
            rows = int(gigabytes * 1e9 / width)
            show(f"{rows:,} rows × {columns + 1} columns", measure(spec, rows, columns, kind=asked.kind), least)
    if asked.only != "rows":
        spec = windows_spec(8, 1000, 256)
        least = measure(spec, 25_000, 8, kind=asked.kind)
        found = measure(spec, 1_000_000, 8, kind=asked.kind)
        show("windows of 1,000 over 1,000,000 rows × 8", found, least)


if __name__ == "__main__":
    main()
