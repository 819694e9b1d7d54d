"""Checks what a layer of another package writes as ONNX while its name is known.

nnspec's own layers have cases that compare their nodes; of a package's layer nothing is known. A mistake that is found
only when the file is written, or by the gate, would name no layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.backends.onnx.builder import Body
from nnspec.backends.onnx.view import View

if TYPE_CHECKING:
    from nnspec.backends.onnx.builder import GraphBuilder, OnnxNode
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.ir.graph import Node


def check_foreign_nodes(lowering: Lowering, node: Node, views: object, start: int) -> None:
    """Checks the views that `to_onnx` returned, and the nodes that it added.

    Args:
        start: how many nodes there were before.

    Raises:
        TypeError: where a view or the name of a tensor is expected.
        ValueError: where there is another number of views or axes, an unknown tensor or operator.
    """
    graph = lowering.graph
    known = {port.name for port in graph.inputs} | set(graph.constants) | {""}
    known.update(name for written in graph.nodes[:start] for name in written.outputs)
    for written in graph.nodes[start:]:
        _check_node(graph, written, known)
        known.update(written.outputs)
    if not isinstance(views, list | tuple):
        raise TypeError(f"`to_onnx` returns {type(views).__name__}, not a list with a view for each output")
    if len(views) != len(node.outputs):
        raise ValueError(f"`to_onnx` must return a view for each output, {len(node.outputs)}, but returns {len(views)}")
    for view, value in zip(views, node.outputs, strict=True):
        if not isinstance(view, View):
            raise TypeError(f"`to_onnx` returns {type(view).__name__} in its list, not a `View`")
        if view.tensor not in known:
            raise ValueError(f"`to_onnx` returns tensor `{view.tensor}`, which no node writes")
        if len(view.axes) != 1 + len(value.axes):
            names = " ".join(["batch", *(axis.name for axis in value.axes)])
            raise ValueError(f"`to_onnx` must return a view with axes ({names}), but returns one with {len(view.axes)}")


def _check_node(graph: GraphBuilder, node: OnnxNode, known: set[str]) -> None:
    inputs: list[object] = [*node.inputs]
    for name in inputs:
        if isinstance(name, View):
            raise TypeError(f"`{node.op}` reads a `View` where the name of a tensor is expected: pass its `tensor`")
        if not isinstance(name, str):
            raise TypeError(f"`{node.op}` reads {type(name).__name__}, not the name of a tensor")
        if name not in known:
            raise ValueError(f"`{node.op}` reads tensor `{name}`, which no input, constant or earlier node has")
    if any(isinstance(value, Body) for value in node.attributes.values()):
        return
    graph.check(node)
