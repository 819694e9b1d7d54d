"""Which nodes of an exported model multiply by trained weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nnspec.ir.graph import Graph

if TYPE_CHECKING:
    import onnx

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
RECURRENT = ("GRU", "LSTM", "RNN")
TABLES = ("Gather",)
MATRICES = ("Gemm", "MatMul")
EVERY = (*PRODUCTS, *RECURRENT, *TABLES)


def layer_of(node: onnx.NodeProto, graph: Graph) -> str | None:
    """The layer that a node was lowered from: nodes are called after it."""
    names = {layer.name for layer in graph.nodes}
    stem = str(node.name)
    while stem:
        if stem in names:
            return stem
        stem = stem.rpartition("/")[0]
    return None


def trained_nodes(model: onnx.ModelProto, graph: Graph, operators: Iterable[str]) -> dict[str, str]:
    """The nodes with a constant of a trained layer among their inputs, each with its layer."""
    trained = {layer.name for layer in graph.nodes if layer.weights and not layer.layer.is_transform}
    constants = {tensor.name for tensor in model.graph.initializer if len(tensor.dims) > 1}
    wanted, found = set(operators), dict[str, str]()
    for node in model.graph.node:
        layer = layer_of(node, graph)
        if node.op_type in wanted and layer in trained and constants.intersection(node.input):
            found[node.name] = str(layer)
    return found


def kernels_for(variant: str, model: onnx.ModelProto, graph: Graph) -> dict[str, str]:
    """The nodes that a variant converts, each with its layer."""
    return trained_nodes(model, graph, MATRICES if variant == "int4" else EVERY)


def nodes_at_ends(model: onnx.ModelProto, kernels: Iterable[str]) -> list[str]:
    """The nodes that do not lie between trained kernels: before the first on any path, or behind the last."""
    nodes = list(model.graph.node)
    wanted = set(kernels)
    behind = _collect_readers(nodes, wanted)
    before = _leading(nodes, wanted)
    return [node.name for node in nodes if node.name not in behind or node.name not in before]


def _collect_readers(nodes: Iterable[onnx.NodeProto], kernels: set[str]) -> set[str]:
    """The kernels, and what reads them directly or not."""
    values, found = set[str](), set[str]()
    for node in nodes:
        if node.name in kernels or values.intersection(node.input):
            found.add(node.name)
            values.update(node.output)
    return found


def _leading(nodes: list[onnx.NodeProto], kernels: set[str]) -> set[str]:
    """The kernels, and what they read directly or not."""
    values, found = set[str](), set[str]()
    for node in reversed(nodes):
        if node.name in kernels or values.intersection(name for name in node.output if name):
            found.add(node.name)
            values.update(node.input)
    return found
