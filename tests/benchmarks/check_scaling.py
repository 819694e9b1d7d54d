"""Checking 1,000 and 10,000 layers, each in a process of its own: seconds, peak memory, and the ratio."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = """
import resource, sys, time
from nnspec.pipeline import diagnose
started = time.perf_counter()
found = diagnose(sys.argv[1])
assert not found, found[:3]
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def spec(layers: int) -> str:
    body = "\n".join(
        f"  - Conv1D: {{filters: {4 + i % 5}, kernel_size: 3, padding: causal, activation: relu}}"
        for i in range(layers - 1)
    )
    return (
        "nnspec: 1\ninputs:\n  x: {axes: {time: 50, feature: 3}}\nmodel:\n"
        f"{body}\n  - Dense: {{units: 1}}\noutputs:\n  y: {{task: regression}}\n"
    )


def main() -> None:
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for layers in (1000, 10000):
            path = Path(folder) / f"{layers}.yaml"
            path.write_text(spec(layers), encoding="utf-8")
            out = subprocess.run(
                [sys.executable, "-c", SCRIPT, str(path)], check=True, capture_output=True, text=True
            ).stdout
            measured[layers] = [float(word) for word in out.split()]
            print(f"{layers:6d} layers  {measured[layers][0]:.2f} s  {measured[layers][1]:.0f} MB")
    print(f"ratio {measured[10000][0] / measured[1000][0]:.1f}")


if __name__ == "__main__":
    main()
