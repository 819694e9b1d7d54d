"""The larger networks: clean, of the published sizes and reaches, and equal to keras.applications."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from nnspec import pipeline, show
from nnspec.ir.graph import Field, Graph
from tests.tools.networks import FOLDER, NETWORKS, compare

# Receptive fields before global pooling or flattening, as published: A. Araujo, W. Norris, J. Sim: Computing Receptive
# Fields of Convolutional Neural Networks, Distill 2019; for WaveNet and the TCN the formulas in their specs.
REACH = {
    "densenet121": 2071,
    "inception_v3": 1311,
    "mobilenet_v1": 315,
    "mobilenet_v2": 491,
    "resnet50": 483,
    "tcn": 3061,
    "vgg16": 212,
    "wavenet": 3071,
}
LONGEST = 60  # lines, without comments and empty ones; InceptionV3 has eight kinds of blocks


@cache
def graph_of(name: str) -> Graph:
    checked = pipeline.check(FOLDER / f"{name}.yaml")
    assert not checked.warnings
    return checked.graph


def field_of(graph: Graph, axis: str) -> Field:
    """The widest field along an input axis among the values that still have that axis."""
    fields = [
        value.fields[axis]
        for node in graph.nodes
        for value in node.outputs
        if any(a.origin == axis and a.size != 1 for a in value.axes)
    ]
    return max(fields, key=lambda field: field.size or 0)


def test_every_network_has_a_row() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_are_the_published_ones(name: str) -> None:
    graph = graph_of(name)
    assert graph.parameters == show.to_json(graph)["parameters"]
    if NETWORKS[name].parameters is not None:
        assert graph.parameters == NETWORKS[name].parameters


@pytest.mark.parametrize("name", REACH)
def test_reach_is_the_published_one(name: str) -> None:
    graph = graph_of(name)
    for axis in graph.inputs[next(iter(graph.inputs))].axes:
        if axis.name in ("height", "width", "time"):
            assert field_of(graph, axis.name).size == REACH[name]


def test_unet_comes_back_to_single_pixels() -> None:
    graph = graph_of("unet")
    assert "kernel (2, 2, 512, 1024) = 512 kernels of 2×2×1024" in show.to_text(graph)
    steps = [node.outputs[0].fields["height"].stride for node in graph.nodes if node.kind.startswith("Conv2DTranspose")]
    assert steps == [8, 4, 2, 1]
    assert graph.outputs["cell"].value.fields["height"].stride == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_specs_are_short(name: str) -> None:
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    written = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    assert len(written) <= (LONGEST if name != "inception_v3" else 95)


def check(name: str, folder: Path) -> None:
    is_measured = name == "resnet50"
    found = compare(name, folder, exports=2 if is_measured else 1)
    assert found.by_keras is None or found.by_keras < 1e-4
    assert found.by_onnx < 1e-4
    if is_measured:
        assert found.seconds < 2
        assert found.megabytes < 1000


# Half a gigabyte of weights, several times over; and hundreds of layers, built twice, beside those of resnet50.
HEAVY = ("bert_base", "vgg16", "densenet121", "inception_v3")


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in HEAVY])
def test_equals_keras_applications(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_heavy_one_equals_keras_applications(name: str, tmp_path: Path) -> None:
    check(name, tmp_path)
