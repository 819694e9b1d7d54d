"""Cold `nnspec check`, whole processes in turn: against `import keras`, or against another checkout of nnspec.

    python tests/benchmarks/check_speed.py
    git worktree add --detach ../before 6239804 && python tests/benchmarks/check_speed.py --against ../before

The first prints medians and the ratio pair by pair. The second prints, for each spec that both have, the least CPU
time of both in milliseconds and their ratio, and the median of the ratios pair by pair. The two of a pair run at once,
so that other work on the machine slows them down alike; a run of each before compiles what Python keeps compiled.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECK = [str(Path(sys.executable).parent / "nnspec"), "check", "specs/causal_cnn.yaml", "-q"]
KERAS = [sys.executable, "-c", "import keras"]


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


def start(checkout: Path, spec: str) -> subprocess.Popen[bytes]:
    """A check by a checkout's own code, of its own spec."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, compiling all modules would be most of the time
    command = [sys.executable, "-m", "nnspec.cli", "check", spec, "-q"]
    return subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def cpu_milliseconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process, once it has ended."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return 1000 * (used.ru_utime + used.ru_stime)


def pair(first: Path, second: Path, spec: str) -> tuple[float, float]:
    started = start(first, spec), start(second, spec)
    return cpu_milliseconds(started[0]), cpu_milliseconds(started[1])


def specs_of(checkout: Path) -> set[str]:
    return {path.relative_to(checkout).as_posix() for path in checkout.glob("specs/**/*.yaml")}


def against_checkout(other: Path, rounds: int) -> None:
    print(f"{'spec':<40}{'before':>9}{'now':>9}{'ratio':>8}{'pairs':>8}")
    for spec in sorted(specs_of(other) & specs_of(ROOT)):
        pair(other, ROOT, spec)
        pairs = [pair(other, ROOT, spec) for _ in range(rounds)]
        before, now = (min(column) for column in zip(*pairs, strict=True))
        median = statistics.median(b / a for a, b in pairs)
        print(f"{spec:<40}{before:>9.1f}{now:>9.1f}{now / before:>8.3f}{median:>8.3f}", flush=True)


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
