"""What is foreseen of targets is what runtimes say of exported files.

`python -m tests.tools.targets_campaign` asks of all networks and all cases of all layers.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from nnspec import pipeline
from nnspec.backends.onnx.backend import ONNX
from nnspec.backends.onnx.targets.tables import load_targets
from nnspec.backends.targets import ForeseeingBackend
from nnspec.checks.context import input_slots, output_slots
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.data.foreseen import foresee_deployment
from nnspec.ir.graph import Graph
from nnspec.ir.targets import TARGETS
from tests.support.case_files import KINDS, cases_of
from tests.support.layer_cases import checked as checked_case
from tests.support.paths import ROOT
from tests.support.targets_by_runtime import by_checker, by_openvino, foreseen
from tests.tools.targets_campaign import CHECKED, differences, network_of

SPECS = ROOT / "specs"
NETWORKS = ("mobilenet_v1", "tcn")
DATA = ("airline_lstm", "m1_panel", "mnist_cnn", "multi_output_classifier", "spoken_language", "titanic")


def test_every_target_has_a_table() -> None:
    assert load_targets().keys() == set(TARGETS)
    assert isinstance(ONNX, ForeseeingBackend)


@pytest.mark.parametrize("batch", [None, 1])
def test_networks_as_the_checker_says(batch: int | None) -> None:
    found = []
    for path in [*sorted(SPECS.glob("*.yaml")), *(SPECS / "networks" / f"{name}.yaml" for name in NETWORKS)]:
        checked = pipeline.check(path, without_data=True)
        network = network_of(checked, **({} if batch is None else {"batch": batch}))
        model = ONNX.lower(network).proto
        found += [f"{path.stem}: {each}" for each in (*differences(network, model), *misread_forms(model))]
    assert not found, "\n".join(found)


MISREAD = {"Mish", "PRelu", "ReduceL1", "ReduceL2"}  # some runtimes lack or misread them, and plain operators do


def misread_forms(model: onnx.ModelProto) -> list[str]:
    """What runtimes other than ONNX Runtime were seen to read wrongly."""
    found = [node.name for node in model.graph.node if node.op_type in MISREAD or not all(node.output)]
    hot = [node for node in model.graph.node if node.op_type == "OneHot"]
    return found + [node.name for node in hot if any(each.name == "axis" and each.i != -1 for each in node.attribute)]


def test_layers_as_the_checker_says(tmp_path: Path) -> None:
    """One case of each kind; the campaign has them all."""
    found = []
    for kind in KINDS:
        network = network_of(checked_case(cases_of(kind)[0], tmp_path))
        found += [f"{kind}: {each}" for each in differences(network)]
    assert not found, "\n".join(found)


def calibrated(graph: Graph, deployment: Deployment) -> Deployment:
    """With offsets of quantiles, which are fitted after training."""
    outputs = dict(deployment.outputs)
    for name, transform in outputs.items():
        if transform.levels is not None and graph.outputs[name].is_calibrated:
            sizes = [axis.size for axis in graph.outputs[name].value.axes if isinstance(axis.size, int)]
            offset = np.arange(1, 1 + np.prod(sizes), dtype=np.float32).reshape(sizes)
            outputs[name] = replace(transform, levels=replace(transform.levels, offset=offset))
    return replace(deployment, outputs=outputs)


@pytest.mark.parametrize("name", DATA)
def test_what_the_file_does_to_data_is_foreseen(name: str) -> None:
    """Figures may differ by operators that what is fitted leaves out, such as the subtraction of a minimum of 0."""
    checked = pipeline.check(SPECS / f"{name}.yaml")
    assert checked.data is not None
    slots = input_slots(checked.graph), output_slots(checked.graph)
    network = network_of(checked, foresee_deployment(checked.data, *slots), batch=1)
    deployment = calibrated(checked.graph, load(checked.data, *slots).deployment)
    model = ONNX.lower(replace(network, deployment=deployment)).proto
    for target, each in zip(CHECKED, ONNX.foresee(network, CHECKED), strict=True):
        said = by_checker(model, target)
        assert said is not None
        assert foreseen(each).refused == said.refused


@pytest.mark.parametrize(("name", "refused"), [("reviews", 1), ("spectrogram_lstm", 0)])
def test_networks_as_openvino_says(name: str, refused: int) -> None:
    network = network_of(pipeline.check(SPECS / f"{name}.yaml", without_data=True))
    (found,) = ONNX.foresee(replace(network, weights={}), ["openvino"])
    assert len(found.refused) == refused
    assert foreseen(found).refused == by_openvino(ONNX.lower(network).proto)


def test_nothing_is_as_large_as_the_weights() -> None:
    """VGG16 has 553 MB of them."""
    checked = pipeline.check(SPECS / "networks" / "vgg16.yaml")
    network = network_of(checked, has_weights=False)
    tracemalloc.start()
    try:
        (found,) = ONNX.foresee(network, ["coreml"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.nodes > 30
    assert peak < 10_000_000
