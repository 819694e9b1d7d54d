"""Prints what smaller forms of files weigh, lose and gain: `python -m tests.tools.variants_table [SPEC…] [--networks]`.

Each spec is built with all forms and without a limit on their loss; what is built already is not built again. The
networks under specs/networks have random weights, so that of them only size, speed and the difference of outputs are
measured. Speeds are ratios of runs in turn, on one thread.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec import api, pipeline
from nnspec.diagnostics import SpecError
from tests.support.paths import ROOT

if TYPE_CHECKING:
    import onnx

    from nnspec.ir.graph import Graph

FORMS = ("float16", "int8", "int4")
HEAD = (
    "| spec | trained kernels in the file | form | size | speed at batch 1 | metrics on test, or largest difference |"
    "\n|---|---|---|---|---|---|"
)


def built(spec: Path, out: Path) -> tuple[Mapping[str, Any], float]:
    """What `verify.json` says of the forms of a build, and how much of the float32 file its weights are."""
    folder = out / spec.stem
    if not (folder / "verify.json").is_file():
        try:
            api.load(spec, {"export.variants": list(FORMS), "export.max_loss": 1e9}).build(folder)
        except SpecError as error:  # all else is written
            if not (folder / "verify.json").is_file():
                return {form: {"reason": error.diagnostics[0].message} for form in FORMS}, float("nan")
    found = json.loads((folder / "verify.json").read_text(encoding="utf-8"))
    import onnx

    return found["variants"], kernel_share(onnx.load(folder / "model.onnx"), pipeline.check(spec).graph)


def kernel_share(model: onnx.ModelProto, graph: Graph) -> float:
    """How much of a file is what variants store in fewer bits."""
    from nnspec.backends.onnx.precision.kernels import kernels_for

    kernels = kernels_for("int8", model, graph)
    read = {name for node in model.graph.node if node.name in kernels for name in node.input}
    arrays = [tensor for tensor in model.graph.initializer if tensor.name in read and len(tensor.dims) > 1]
    return float(sum(len(tensor.raw_data) for tensor in arrays) / model.ByteSize())


def rows_of(name: str, found: Mapping[str, Any], share: float, forms: Sequence[str] = FORMS) -> Iterator[str]:
    for form in forms:
        measured = found[form]
        if "reason" in measured:
            yield f"| {name} | {share:.0%} | {form} | {measured['reason']} |"
            continue
        said = "; ".join(measured.get("losses", ())) or f"{max(measured['max_relative_difference'].values()):.1g}"
        faster = "" if measured["is_faster"] else ", not faster"
        speed = f"{measured['speed']:.2f}×{faster}"
        yield f"| {name} | {share:.0%} | {form} | {measured['size_ratio']:.2f} | {speed} | {said} |"


def network(path: Path) -> tuple[dict[str, Any], float]:
    """The forms of a network with random weights, scaled by random inputs."""
    import keras

    from nnspec import jobs
    from nnspec.backends.base import Convertible
    from nnspec.backends.keras.model import as_model_inputs, build_model
    from nnspec.data.deployment import Deployment
    from nnspec.ir.variants import FORMS as STORED
    from nnspec.jobs.variants.speed import FASTER, relative_speed
    from tests.tools.networks import inputs_of, randomize

    checked = pipeline.check(path)
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    compiled = build_model(checked.graph)
    samples = inputs_of(checked.graph, 4)
    randomize(compiled.model, as_model_inputs(checked.graph, samples))
    exported = jobs.lower(checked, compiled, Deployment(), "")
    whole, size = exported.open(), len(exported.to_bytes())
    one = {name: values[:1] for name, values in samples.items()}
    wanted = whole.run(one)
    found: dict[str, Any] = {}
    assert isinstance(exported, Convertible)
    for variant in FORMS:
        if not exported.convertible(variant, checked.graph):
            found[variant] = {"reason": "it has no such kernels"}
            continue
        for form in STORED[variant]:  # as a build chooses
            made = exported.converted(form, checked.graph, lambda: [samples])
            session = made.open()
            speed = relative_speed(whole, session, one)
            if speed >= FASTER:
                break
        found[variant] = {
            "size_ratio": len(made.to_bytes()) / size,
            "speed": speed,
            "is_faster": speed >= FASTER,
            "max_relative_difference": difference(session.run(one), wanted),
        }
    return found, kernel_share(exported.proto, checked.graph)


def difference(got: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The largest of each output that has numbers, relative to its largest magnitude."""
    numbers = {name: values for name, values in wanted.items() if values.dtype.kind == "f"}
    return {
        name: float(np.max(np.abs(got[name] - values)) / np.max(np.abs(values))) for name, values in numbers.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints a table of the smaller forms of files.")
    parser.add_argument("specs", nargs="*", type=Path, help="default: all under specs/")
    parser.add_argument("--out", type=Path, default=Path("out/variants"))
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=FORMS, help="the rows to print")
    parser.add_argument("--networks", action="store_true", help="those under specs/networks instead, untrained")
    given = parser.parse_args()
    folder = ROOT / "specs" / "networks" if given.networks else ROOT / "specs"
    print(HEAD, flush=True)
    for spec in given.specs or sorted(folder.glob("*.yaml")):
        found, share = network(spec) if given.networks else built(spec, given.out)
        for row in rows_of(spec.stem, found, share, given.forms):
            print(row, flush=True)


if __name__ == "__main__":
    main()
