"""Cold `nnspec check` against `import keras`, whole processes in turn: medians and the ratio pair by pair."""

from __future__ import annotations

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


def main(rounds: int = 9) -> None:
    seconds(CHECK), seconds(KERAS)
    pairs = [(seconds(CHECK), seconds(KERAS)) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"nnspec check {ours:.3f} s   import keras {theirs:.3f} s   ratio {ratio:.4f} (a {1 / ratio:.1f}th)")


if __name__ == "__main__":
    main()
