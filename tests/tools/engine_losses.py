"""JAX against TensorFlow, step by step: `python -m tests.tools.engine_losses [SPEC …] [case:PATTERN …]`.

The initial weights and the losses of 20 steps of each spec (default all that train) and of each layer's case of the
tests that is asked for (`case:*` for all), without dropout and changes of pictures; a process an engine. Where the
losses of a spec differ by more, TensorFlow is run twice more: with initial weights moved by one rounding each, against
itself, and with the means and variances of BatchNormalization in float64, against JAX.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.support.paths import ROOT

ENGINES = ("jax", "tensorflow")


def found_by(engine: str, asked: list[str]) -> dict[str, np.ndarray]:
    """What `tests.support.engine_steps` makes of specs and cases."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "found.npz")
        subprocess.run([sys.executable, "-m", "tests.support.engine_steps", engine, out, *asked], cwd=ROOT, check=True)
        with np.load(out) as found:
            return dict(found)


def main(*asked: str) -> None:
    every = list(asked or sorted(str(path.relative_to(ROOT)) for path in (ROOT / "specs").glob("*.yaml")))
    one, two = (found_by(engine, every) for engine in ENGINES)
    print("| what | initial weights | losses of 20 steps |\n|---|---|---|")
    for name in sorted({key.rpartition("/")[0] for key in [*one, *two]}):
        failures = [str(found[f"{name}/failure"]) for found in (one, two) if f"{name}/failure" in found]
        if failures:
            print(f"| {name} | {failures[0].splitlines()[0]} | |")
            continue
        pairs = [(one[f"{name}/{key}"], two[f"{name}/{key}"]) for key in ("weights", "losses")]
        weights, losses = (float(np.abs(a - b).max()) if a.size else 0.0 for a, b in pairs)
        more = "" if losses < 1e-4 else " (more than 1e-4)"
        if more and name.endswith(".yaml"):
            again = found_by("tensorflow", [f"moved:{name}", f"double:{name}"])
            own = np.abs(again[f"moved:{name}/losses"] - two[f"{name}/losses"])
            exact = np.abs(again[f"double:{name}/losses"] - one[f"{name}/losses"]).max()
            first = np.abs(one[f"{name}/losses"] - two[f"{name}/losses"])[0]
            more += f"; first step {first:.0e}; TensorFlow, weights moved by a rounding: {own.max():.0e}, {own[0]:.0e}"
            more += f"; JAX against TensorFlow with statistics in float64: {exact:.0e}"
        print(f"| {name} | {weights:.0e} | {losses:.0e}{more} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
