"""Mistakes between nodes: a value that is scaled, shifted, cut, rounded, turned round or moved on its way.

They break the lowerings that write no node of their own too: what only moves axes, and what does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.support.mutants.model import Edge, Model, Mutation, add_constant

FLOATS = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64}
WHOLE = {TensorProto.INT32: np.int32, TensorProto.INT64: np.int64}
LAST = np.iinfo(np.int64)
Step = tuple[str, Sequence[Any], dict[str, Any]]  # an operator, the constants that it reads too, its attributes


def mutations(model: Model) -> Iterator[Mutation]:
    outputs = {port.name for port in model.proto.graph.output}
    for edge in model.edges:
        for rule, what, steps in _steps(edge):
            yield _inserted(f"{rule} on the way", f"`{edge.name}` {what}", edge.name, steps, edge.name in outputs)


def _steps(edge: Edge) -> Iterator[tuple[str, str, list[Step]]]:
    if edge.elem_type in FLOATS:
        number = FLOATS[edge.elem_type]  # type: ignore[index]
        yield "scale", "times 1.01", [("Mul", [number(1.01)], {})]
        yield "shift", "plus 0.01", [("Add", [number(0.01)], {})]
        yield "negate", "negated", [("Neg", [], {})]
        yield "cut", "without what is negative", [("Relu", [], {})]
        yield "cut", "cut at 1.5", [("Min", [number(1.5)], {})]
        yield "round", "whole", [("Round", [], {})]
        truncated: list[Step] = [("Cast", [], {"to": TensorProto.INT32}), ("Cast", [], {"to": edge.elem_type})]
        yield "truncate", "cast to whole numbers and back", truncated
    elif edge.elem_type in WHOLE:
        number = WHOLE[edge.elem_type]  # type: ignore[index]
        yield "shift", "plus 1", [("Add", [number(1)], {})]
        yield "cut", "at least 1", [("Max", [number(1)], {})]
    elif edge.elem_type == TensorProto.BOOL:
        yield "negate", "negated", [("Not", [], {})]
    for axis, size in enumerate(edge.sizes):
        if size == 1:
            continue
        whole = [np.array([value], np.int64) for value in (-1, LAST.min, axis, -1)]
        yield "reverse", f"reversed along axis {axis}", [("Slice", whole, {})]
        for other in range(axis + 1, len(edge.sizes)):
            if size is not None and edge.sizes[other] == size:
                perm = list(range(len(edge.sizes)))
                perm[axis], perm[other] = other, axis
                yield "transpose", f"axes {axis} and {other} exchanged", [("Transpose", [], {"perm": perm})]
    if len(edge.sizes) > 2 and all(size is not None for size in edge.sizes[1:]):
        turned = [edge.sizes[0] or -1, *reversed(edge.sizes[1:])]
        again = [edge.sizes[0] or -1, *edge.sizes[1:]]
        perm = [0, *range(len(edge.sizes) - 1, 0, -1)]
        if sum(size != 1 for size in edge.sizes[1:]) > 1:
            steps = [("Reshape", [np.array(turned, np.int64)], {}), ("Transpose", [], {"perm": perm})]
            yield "scramble", f"reshaped to {turned[1:]} and transposed to {again[1:]}", steps


def _inserted(rule: str, what: str, name: str, steps: list[Step], is_output: bool) -> Mutation:
    """Nodes behind whatever makes the value; an output keeps its name."""

    def insert(proto: onnx.ModelProto) -> None:
        graph = proto.graph
        made = next((i for i, node in enumerate(graph.node) if name in node.output), -1)
        end = f"mutant/{name}"
        source = name
        if is_output:
            source, end = end, name
            for node in graph.node:
                _rename(node.output, name, source)
                _rename(node.input, name, source)
        else:
            for node in graph.node:
                _rename(node.input, name, end)
                for attribute in node.attribute:
                    if attribute.HasField("g"):
                        _rename_inside(attribute.g, name, end)
        for i, (op, constants, attributes) in enumerate(steps):
            target = end if i == len(steps) - 1 else f"{end}/{i}"
            more = [add_constant(proto, value) for value in constants]
            graph.node.insert(made + 1 + i, helper.make_node(op, [source, *more], [target], **attributes))
            source = target

    return Mutation(rule, what, insert)


def _rename(names: Any, old: str, new: str) -> None:
    for i, name in enumerate(names):
        if name == old:
            names[i] = new


def _rename_inside(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        _rename(node.input, old, new)
