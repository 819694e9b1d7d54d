"""Prepares a spec's data in a process of its own and goes through all samples: prints how much memory that took.

It is what Python and NumPy have allocated at most, without mapped files and what DuckDB keeps, which it bounds itself.

    python -m tests.support.rows_in_memory SPEC

What is large enough to be mapped, and what is read at a time, is set so small that few rows show what grows with them.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path

import numpy as np

from nnspec import pipeline
from nnspec.checks.context import output_slots
from nnspec.data.arrays import gathered, mapped
from nnspec.data.arrays.gathered import chunks, each_chunk
from nnspec.data.sources import typed
from nnspec.jobs.dataset import load_dataset
from nnspec.training.baselines import score_baselines
from nnspec.training.metrics.outcome import Outcome
from nnspec.training.metrics.score import score_outcome


def main(spec: Path) -> None:
    mapped.LARGE, mapped.STRETCH, mapped.RESIDENT = 1 << 20, 1 << 14, 1 << 22
    gathered.CHUNK = 1 << 18
    typed._AT_ONCE, typed._GROUP = 1 << 18, 1 << 12
    tracemalloc.start()
    checked = pipeline.check(spec)
    _, in_check = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    data = load_dataset(checked)
    sums = 0.0
    for split in data.splits.values():
        for values in split.x.values():
            sums += sum(float(part.sum()) for part in chunks(values, 1 << 18))
    train = data.splits["train"]
    guess = each_chunk(lambda part: part + np.float32(1), train.target["y"])
    metrics = score_outcome(Outcome(task="regression", truth=train.target["y"], predicted=guess))
    score_baselines(data, "test", output_slots(checked.graph))
    _, in_load = tracemalloc.get_traced_memory()
    print(
        json.dumps(
            {
                "check": in_check,
                "load": in_load,
                "bytes": train.x["x"].nbytes,
                "sum": sums,
                "mae": metrics["mae"],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
