"""Compares what is foreseen of targets with what runtimes say: `python -m tests.tools.targets_campaign [--openvino]`.

Every spec of `specs` and `specs/networks`, and every case of every layer at the oldest and newest operator set, each
with any batch and with one of 1, against ONNX Runtime's usability checker of the exported file (`coreml`, `nnapi`): the
operators that are refused by layer, how many are taken, in how many groups, and the verdict. `--openvino` asks OpenVINO
of the specs too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import onnx

from nnspec import pipeline
from nnspec.backends.base import Deployable
from nnspec.backends.onnx.backend import ONNX
from nnspec.data.deployment import Deployment
from nnspec.ir.opset import needed_opset
from nnspec.pipeline import Checked
from tests.support.targets_by_runtime import by_checker, by_openvino, foreseen
from tests.tools.runtimes import default_sources, random_weights

OPSETS = (17, 23)
CHECKED = ("coreml", "nnapi")


def network_of(
    checked: Checked, deployment: Deployment | None = None, *, has_weights: bool = True, **options: object
) -> Deployable:
    """A spec's network with random weights, and without the scaling of its data where none is given."""
    section = checked.section("export")
    return Deployable(
        graph=checked.graph,
        weights=random_weights(checked.graph) if has_weights else {},
        deployment=deployment or Deployment(),
        layout=section.get("layout") or {},
        layers={},
        options={**section, **options},
        span=checked.root.span,
    )


def differences(network: Deployable, model: onnx.ModelProto | None = None) -> list[str]:
    """Where what is foreseen is not what ONNX Runtime's checker says.

    Args:
        model: the exported file; None: lowered from the network.
    """
    model = model or ONNX.lower(network).proto
    without = replace(network, weights={})
    found = []
    for name, each in zip(CHECKED, ONNX.foresee(without, CHECKED), strict=True):
        said = by_checker(model, name)
        if said is not None and said != foreseen(each):
            found.append(f"{name}: foreseen {foreseen(each)}, but the checker says {said}")
    return found


def networks() -> Iterator[tuple[str, Deployable]]:
    for path in default_sources():
        checked = pipeline.check(path, without_data=True)
        for options in ({}, {"batch": 1}):
            yield f"{path.stem} {options}", network_of(checked, **options)


def cases() -> Iterator[tuple[str, Deployable]]:
    from tests.support.case_files import KINDS, cases_of
    from tests.support.layer_cases import checked as checked_case

    with tempfile.TemporaryDirectory() as folder:
        for case in (case for kind in KINDS for case in cases_of(kind)):
            checked = checked_case(case, Path(folder))
            for opset in (opset for opset in OPSETS if needed_opset(checked.graph) <= opset):
                for options in ({}, {"batch": 1}):
                    yield f"{case.label} at {opset} {options}", network_of(checked, opset=opset, **options)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--openvino", action="store_true", help="ask OpenVINO too")
    options = parser.parse_args(arguments)
    different = 0
    for title, source in (("specs", networks()), ("layers", cases())):
        count = 0
        for label, network in source:
            count += 1
            model = ONNX.lower(network).proto
            found = differences(network, model)
            if options.openvino and title == "specs":
                each = foreseen(ONNX.foresee(network, ["openvino"])[0]).refused
                found += (
                    [f"openvino: foreseen {each}, but it says {said}"] if each != (said := by_openvino(model)) else []
                )
            different += bool(found)
            print(*(f"{label}: {each}" for each in found), sep="\n", end="\n" if found else "")
        print(f"{title}: {count} files", flush=True)
    print(f"different: {different}")
    return different


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
