"""Kills searches at random times and goes on with them: `python -m tests.tools.search_kills --searches 5 --kills 8`.

A small search trains with two workers, once undisturbed and then as often as asked for with SIGKILL at random times: at
a worker, or at the search itself, whose workers then end too. Whenever it has ended it is resumed, until it comes to an
end. Each search must end in the same trials.csv and in the same best/model.onnx, byte for byte; exits with 1 where one
does not. A row a search: the kills of each sort, how often it was resumed, and whether both files are the same.

    python -m tests.tools.search_kills --searches 20 --kills 10 --seed 3 --workers 2
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.searched_specs import SEARCHED

SPEC = (
    SEARCHED
    + """expect: {parameters: "<= 100"}
training: {optimizer: Adam, epochs: 12}
search:
  goal: {minimize: validation.y.rmse}
  trials: TRIALS
  generation: 3
  pruning: median
  warmup: 3
  space:
    vars.units: {from: 2, to: 40, scale: log}
    training.restore_best: [true, false]
    training.batch_size: [16, 24]
    training.optimizer: [Adam, SGD]
    training.optimizer.Adam.learning_rate: {from: 0.001, to: 0.1, scale: log, when: {training.optimizer: Adam}}
    training.optimizer.SGD.learning_rate: {from: 0.001, to: 0.3, scale: log, when: {training.optimizer: SGD}}
"""
)


@dataclass
class Row:
    """A search that was killed.

    Attributes:
        workers: how many of them were killed.
        searches: how often the search itself was.
    """

    workers: int = 0
    searches: int = 0
    resumed: int = 0
    is_same: bool = False


def write_spec(folder: Path, trials: int) -> Path:
    rows = "".join(f"{i % 11 / 5},{i % 7 / 3},{(i % 11) * (i % 7) / 20}\n" for i in range(400))
    (folder / "rows.csv").write_text(f"a,b,c\n{rows}", encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC.replace("TRIALS", str(trials)), encoding="utf-8")
    return folder / "spec.yaml"


def begin(spec: Path, out: Path, workers: int, *, resume: bool) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "nnspec.cli",
        "search",
        str(spec),
        "--out",
        str(out),
        "--workers",
        str(workers),
        "-q",
    ]
    return subprocess.Popen([*command, *(["--resume"] if resume else [])], stdout=subprocess.DEVNULL)


def workers_of(process: int) -> list[int]:
    """The processes that a search has started."""
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def search_killed(spec: Path, out: Path, workers: int, kills: int, longest: float, chance: random.Random) -> Row:
    """A search that is killed at random times, and resumed until it comes to its end."""
    row = Row()
    process = begin(spec, out, workers, resume=False)
    while process.poll() is None:
        if row.workers + row.searches < kills:
            time.sleep(chance.uniform(0.0, longest))
            children = workers_of(process.pid)
            if children and chance.random() < 0.5:
                os.kill(chance.choice(children), signal.SIGKILL)
                row.workers += 1
            elif process.poll() is None:
                process.kill()
                row.searches += 1
        process.wait() if row.workers + row.searches >= kills else time.sleep(0.05)
        if process.poll() is not None and process.returncode != 0:
            process = begin(spec, out, workers, resume=True)
            row.resumed += 1
    return row


def results(out: Path) -> tuple[bytes, bytes]:
    return (out / "trials.csv").read_bytes(), (out / "best" / "model.onnx").read_bytes()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=5)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--trials", type=int, default=9)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longest", type=float, default=15.0, help="seconds between two kills, at most")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    chance = random.Random(given.seed)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = write_spec(folder, given.trials)
        if begin(spec, folder / "calm", given.workers, resume=False).wait():
            print("the undisturbed search failed", file=sys.stderr)
            return 1
        wanted = results(folder / "calm")
        print("search  workers killed  search killed  resumed  same")
        for number in range(given.searches):
            out = folder / f"killed{number}"
            row = search_killed(spec, out, given.workers, given.kills, given.longest, chance)
            row.is_same = results(out) == wanted
            rows.append(row)
            print(f"{number:<7} {row.workers:<15} {row.searches:<14} {row.resumed:<8} {row.is_same}", flush=True)
    kills = sum(row.workers + row.searches for row in rows)
    same = sum(row.is_same for row in rows)
    print(f"{kills} kills in {len(rows)} searches; {same} of them end in the same trials and the same winner")
    return 0 if same == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
