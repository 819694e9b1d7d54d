"""The ONNX operator set that the layers of a graph need."""

from __future__ import annotations

from nnspec.ir.graph import Graph, Node

DEFAULT = 17  # more runtimes take it than later ones; a spec can ask for those
OPSET_OF_SPLIT = 20  # the first with StringSplit, which takes the words of a cell apart


def needed_opset(graph: Graph) -> int:
    """The operator set that a graph is exported with where the spec names none."""
    return max([DEFAULT, *(node_opset(node) for node in graph.nodes)])


def node_opset(node: Node) -> int:
    """The oldest operator set that a node can be lowered to, and what it wraps."""
    inner = [wrapped for wrapped in (node.inner, node.backward) if wrapped is not None]
    return max([node.layer.opset(node), *(node_opset(wrapped) for wrapped in inner)])
