"""The sizes of all values of a graph, as far as ONNX's own inference of shapes knows them.

Values that are computed, such as what Shape gives, are not followed: a Reshape or Expand to one of them has open sizes,
for ONNX as here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.backends.onnx.builder import Body, GraphBuilder, OnnxNode, Port
from nnspec.backends.onnx.targets.computing import COMPUTING
from nnspec.backends.onnx.targets.moving import MOVING
from nnspec.backends.onnx.targets.operands import Dim, Operands, Shape

RULES = {**COMPUTING, **MOVING}


def infer_shapes(graph: GraphBuilder) -> dict[str, Shape]:
    """By value, those of bodies too; outputs of the graph are as it states them where nodes leave them open."""
    found: dict[str, Shape] = {name: tuple(array.shape) for name, array in graph.constants.items()}
    found |= {port.name: _of_port(port) for port in graph.inputs}
    stated = {port.name: _of_port(port) for port in graph.outputs}
    _infer_nodes(graph.nodes, found, graph.constants, stated)
    return {name: shape for name, shape in found.items() if name not in graph.constants}


def _infer_nodes(
    nodes: Sequence[OnnxNode],
    found: dict[str, Shape],
    constants: Mapping[str, np.ndarray],
    stated: Mapping[str, tuple[Dim, ...]],
) -> None:
    for node in nodes:
        shapes = [found.get(name) for name in node.inputs]
        body = node.attributes.get("body")
        if isinstance(body, Body):
            made = _scan(node, body, shapes, found)
        else:
            rule = RULES.get(node.op)
            made = [] if rule is None else rule(Operands(node, shapes, constants))
        for place, name in enumerate(node.outputs):
            shape = made[place] if place < len(made) else None
            if name:
                found[name] = _merge_shapes(shape, stated[name]) if name in stated else shape


def _scan(node: OnnxNode, body: Body, shapes: Sequence[Shape], found: dict[str, Shape]) -> Sequence[Shape]:
    """Of a Scan: states keep their shape, and what is collected has the steps in front.

    Bodies see the shapes of values outside of them, and not the numbers of constants there.
    """
    states = len(shapes) - Operands(node, shapes, {}).number("num_scan_inputs")
    rows = [shape and shape[1:] for shape in shapes[states:]]
    steps = next((shape[0] for shape in shapes[states:] if shape), None)
    found |= {port.name: shape for port, shape in zip(body.inputs, [*shapes[:states], *rows], strict=True)}
    _infer_nodes(body.nodes, found, {}, {})
    made = [found.get(name) for name in body.outputs]
    kept = [
        shape if given is None else _merge_shapes(shape, given)
        for shape, given in zip(made, shapes[:states], strict=False)
    ]
    return [*kept, *(None if shape is None else (steps, *shape) for shape in made[states:])]


def _of_port(port: Port) -> tuple[Dim, ...]:
    return tuple(size if isinstance(size, int) else None for size in port.shape)


def _merge_shapes(shape: Shape, stated: tuple[Dim, ...]) -> Shape:
    if shape is None or len(shape) != len(stated):
        return stated
    return tuple(said if size is None else size for size, said in zip(shape, stated, strict=True))
