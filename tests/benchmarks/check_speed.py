"""Cold `nnspec check`, whole processes in turn: against `import keras`, or against another checkout of nnspec.

    python tests/benchmarks/check_speed.py
    git worktree add --detach ../before 6239804 && python tests/benchmarks/check_speed.py --against ../before

The first prints medians and the ratio pair by pair. The second prints, for each spec, the least CPU time of both in
milliseconds, which other work on the machine changes least, and their ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECK = [str(Path(sys.executable).parent / "nnspec"), "check", "specs/causal_cnn.yaml", "-q"]
KERAS = [sys.executable, "-c", "import keras"]
SPECS = (
    "specs/causal_cnn.yaml",
    "specs/mnist_cnn.yaml",
    "specs/networks/resnet50.yaml",
    "specs/airline_lstm.yaml",
    "specs/multi_output_classifier.yaml",
    "specs/mfcc_regression.yaml",
)


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def against_keras(rounds: int) -> None:
    seconds(CHECK), seconds(KERAS)
    pairs = [(seconds(CHECK), seconds(KERAS)) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"nnspec check {ours:.3f} s   import keras {theirs:.3f} s   ratio {ratio:.4f} (a {1 / ratio:.1f}th)")


def cpu_milliseconds(checkout: Path, spec: str) -> float:
    """User and system time of a check by a checkout's own code, of its own spec."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "nnspec.cli", "check", spec, "-q"]
    subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def against_checkout(other: Path, rounds: int) -> None:
    print(f"{'spec':<36}{'before':>9}{'now':>9}{'ratio':>8}")
    for spec in SPECS:
        cpu_milliseconds(other, spec), cpu_milliseconds(ROOT, spec)
        pairs = [(cpu_milliseconds(other, spec), cpu_milliseconds(ROOT, spec)) for _ in range(rounds)]
        before, now = (min(column) for column in zip(*pairs, strict=True))
        print(f"{spec:<36}{before:>9.1f}{now:>9.1f}{now / before:>8.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout of nnspec")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    if chosen.against is not None:
        against_checkout(chosen.against.absolute(), chosen.rounds)
    else:
        against_keras(chosen.rounds)


if __name__ == "__main__":
    main()
