"""How many swapped axes `nnspec check model.onnx` finds: `python -m tests.tools.axes_corpus [NAME…]`.

Graphs of keras.applications (by Keras' own exporter and by nnspec), of specs/networks and of specs are checked as they
are, which must raise no alarm, and with one swap at every Reshape and Transpose, which must raise one: a reshape in
place of a transpose, or the sizes of a reshape the wrong way round. Prints a row a graph; ends with 1 where recall is
below 0.99 or a graph that nobody changed raises an alarm. Graphs are kept in --out, without their weights.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from nnspec.onnx_axes.check import check_file
from nnspec.onnx_axes.reading import as_file
from tests.support.onnx_swaps import shapes_of, swaps, without_weights
from tests.support.paths import ROOT

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
RECALL = 0.99
OPEN = 96  # of a height or width that a model leaves open


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of a graph."""

    name: str
    nodes: int
    alarms: int
    swapped: int
    found: int
    missed: tuple[str, ...]
    seconds: float


def measure(path: Path) -> Row:
    """Checks a graph as it is, and with each swap."""
    model = onnx.load(str(path), load_external_data=False)
    started = time.perf_counter()
    alarms = check_file(as_file(model, path), {})
    seconds = time.perf_counter() - started
    missed, count = [], 0
    for swap in swaps(model, shapes_of(model)):
        count += 1
        if not check_file(as_file(swap.model, path), {}):
            missed.append(f"{swap.node}: {swap.how}")
    return Row(
        name=path.stem,
        nodes=len(model.graph.node),
        alarms=len(alarms),
        swapped=count,
        found=count - len(missed),
        missed=tuple(missed),
        seconds=seconds,
    )


def make(name: str, exporter: str, path: Path) -> None:
    """Writes a graph without its weights."""
    if exporter == "keras":
        from tests.tools.applications import built

        whole = path.with_suffix(".whole.onnx")
        model = built(name)
        model(np.zeros([size or 1 if i == 0 else size or OPEN for i, size in enumerate(model.input_shape)], np.float32))
        model.export(str(whole), format="onnx", verbose=False)
    else:
        from nnspec import api

        folder = path.with_suffix(".build")
        spec = name
        if not name.endswith(".yaml"):
            from nnspec.importers.keras.importer import import_model
            from tests.tools.applications import built

            spec = str(import_model(built(name), folder, name=name).spec)
        api.load(spec).export(folder / "export", untrained=True)
        whole = folder / "export" / "model.onnx"
    onnx.save(without_weights(onnx.load(str(whole), load_external_data=False)), str(path))
    whole.unlink()


def graphs() -> list[tuple[str, str, str]]:
    """Name, exporter, and what to call the graph."""
    from tests.tools.applications import names

    specs = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "specs" / "networks").glob("*.yaml")])
    found = [(str(spec), "nnspec", spec.stem) for spec in specs]
    return [*found, *((n, exporter, f"{n}.{exporter}") for n in names() for exporter in ("keras", "nnspec"))]


def main() -> None:
    parser = argparse.ArgumentParser(description="How many swapped axes are found in graphs of ONNX.")
    parser.add_argument("names", nargs="*", help="of graphs, as the table calls them [default: all]")
    parser.add_argument("--out", type=Path, default=Path("out/axes_corpus"))
    parser.add_argument("--make", nargs=3, metavar=("NAME", "EXPORTER", "PATH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        make(given.make[0], given.make[1], Path(given.make[2]))
        return
    given.out.mkdir(parents=True, exist_ok=True)
    rows = []
    print("| graph | nodes | alarms as it is | swapped | found | seconds |\n|---|---|---|---|---|---|")
    for name, exporter, title in graphs():
        if given.names and title not in given.names:
            continue
        path = given.out / f"{title}.onnx"
        if not path.is_file():
            command = [sys.executable, "-m", "tests.tools.axes_corpus", "--make", name, exporter, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"| {title} | not exported: {done.stderr.strip().splitlines()[-1:]} |", flush=True)
                continue
        row = measure(path)
        rows.append(row)
        print(
            f"| {row.name} | {row.nodes} | {row.alarms} | {row.swapped} | {row.found} | {row.seconds:.2f} |", flush=True
        )
        for missed in row.missed:
            print(f"missed in {row.name}: {missed}", flush=True)
    swapped, found, alarms = (sum(getattr(row, what) for row in rows) for what in ("swapped", "found", "alarms"))
    recall = found / swapped if swapped else 1.0
    print(f"recall {recall:.4f} ({found} of {swapped}), {alarms} alarms on {len(rows)} graphs")
    sys.exit(recall < RECALL or alarms > 0)


if __name__ == "__main__":
    main()
