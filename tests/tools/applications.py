"""Every model of keras.applications, untrained: imported, checked, compiled, exported and verified, a row a model.

`python tests/tools/applications.py [NAME …] [--most MILLIONS]`; each runs in a process of its own, since the largest
have 350 million parameters. Ends with 1 where a model does not pass.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def names() -> list[str]:
    """The functions that build a model, by name."""
    import keras

    found = vars(keras.applications).items()
    return sorted(name for name, value in found if inspect.isfunction(value) and name[0].isupper())


def built(name: str) -> Any:
    """The model as Keras draws it, but with statistics in its normalizations that a wrong folding would not survive.

    They are near those that Keras gives, since the deepest models blow up under others.
    """
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = getattr(keras.applications, name)(weights=None, classifier_activation=None)  # a softmax hides errors
    rng = np.random.default_rng(1)
    for variable in model.weights:
        if "moving_mean" in variable.path:
            variable.assign(rng.normal(0, 0.01, variable.shape))
        elif "moving_variance" in variable.path or variable.path.endswith("gamma"):
            variable.assign(rng.uniform(0.9, 1.1, variable.shape))
    return model


def parameters(name: str) -> int:
    import keras

    return int(getattr(keras.applications, name)(weights=None).count_params())


def row(name: str) -> dict[str, Any]:
    """What became of a model: numbers, or why it was refused."""
    from nnspec import pipeline
    from nnspec.diagnostics import SpecError
    from nnspec.importers.keras.importer import import_model
    from nnspec.jobs import run_export
    from nnspec.progress import Progress

    model = built(name)
    found: dict[str, Any] = {"model": name, "parameters": model.count_params()}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        try:
            made = import_model(model, Path(folder), name=name)
        except SpecError as error:
            (diagnostic,) = error.diagnostics
            return {**found, "refused": diagnostic.message}
        del model
        found |= {"layers": made.layers, "lines": made.lines, "import_error": made.error}
        found["import_seconds"] = round(time.perf_counter() - started, 1)
        assert made.graph.parameters == found["parameters"]
        checked = pipeline.check(made.spec)
        started = time.perf_counter()
        try:
            run = run_export(checked, Path(folder) / "out", Progress(quiet=True), weights=made.weights, untrained=False)
        except SpecError as error:
            return {**found, "failed": str(error)}
        found["export_seconds"] = round(time.perf_counter() - started, 1)
        verified = run.verification
        found["onnx_nodes"] = sum(verified["nodes"].values())
        found["onnx_error"] = max(measured["max_relative_error"] for measured in verified["outputs"].values())
    return found


def described(found: dict[str, Any]) -> str:
    head = f"{found['model']:20s} {found['parameters'] / 1e6:6.1f} M"
    if "refused" in found:
        return f"{head}  refused: {found['refused']}"
    head += f"  {found['layers']:4d} layers in {found['lines']:3d} lines  equal within {found['import_error']:.1e}"
    if "failed" in found:
        return f"{head}  export failed: {found['failed']}"
    return (
        f"{head}  {found['onnx_nodes']:4d} ONNX nodes within {found['onnx_error']:.1e}"
        f"  import {found['import_seconds']} s, export {found['export_seconds']} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--most", type=float, help="leave out models of more than so many million parameters")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(row(options.row)))
        return
    failed = 0
    for name in options.names or names():
        if options.most is not None and parameters(name) > options.most * 1e6:
            continue
        command = [sys.executable, __file__, "--row", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name:20s} failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
            failed += 1
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        failed += "failed" in found or "refused" in found
        print(described(found), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
