"""An ONNX model as mutations see it: its nodes in order, its constants, and the type and rank of what flows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


@dataclass(frozen=True)
class Mutation:
    """One mistake.

    Attributes:
        rule: its kind, such as `swap two inputs`; mutants are drawn evenly from the rules.
        what: the mistake itself, with its node or constant.
        apply: changes a copy of the model in place.
    """

    rule: str
    what: str
    apply: Callable[[onnx.ModelProto], None]

    def __call__(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """The mutant; the model itself stays."""
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        self.apply(changed)
        return changed


@dataclass(frozen=True)
class Edge:
    """A value between nodes: what it holds and the size of each of its dimensions, None where that is open."""

    name: str
    elem_type: int
    sizes: tuple[int | None, ...]


@dataclass(frozen=True)
class Model:
    """A model that mutations are looked for in."""

    proto: onnx.ModelProto

    @cached_property
    def nodes(self) -> list[onnx.NodeProto]:
        return list(nodes_of(self.proto))

    @cached_property
    def constants(self) -> dict[str, np.ndarray]:
        return {tensor.name: numpy_helper.to_array(tensor) for tensor in self.proto.graph.initializer}

    @cached_property
    def opsets(self) -> dict[str, int]:
        return {"ai.onnx" if not o.domain else o.domain: o.version for o in self.proto.opset_import}

    @cached_property
    def edges(self) -> list[Edge]:
        """What nodes and the model's inputs give and something reads, where shape inference knows the rank of it."""
        inferred = onnx.shape_inference.infer_shapes(self.proto).graph
        read = {name for node in self.nodes for name in node.input} | {port.name for port in inferred.output}
        found = []
        for info in [*inferred.input, *inferred.value_info, *inferred.output]:
            kind = info.type.tensor_type
            if not kind.HasField("shape") or info.name not in read:
                continue
            sizes = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
            found.append(Edge(info.name, kind.elem_type, sizes))
        return found

    def schema_of(self, node: onnx.NodeProto) -> onnx.defs.OpSchema:
        domain = node.domain or "ai.onnx"
        return onnx.defs.get_schema(node.op_type, self.opsets[domain], "" if domain == "ai.onnx" else domain)

    def attributes_of(self, node: onnx.NodeProto) -> dict[str, Any]:
        """Those that are written, and the defaults of numbers and words that are not."""
        found = {}
        for name, attribute in self.schema_of(node).attributes.items():
            if attribute.default_value.type:
                found[name] = helper.get_attribute_value(attribute.default_value)
        found |= {a.name: helper.get_attribute_value(a) for a in node.attribute}
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def nodes_of(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """All nodes in order, those of bodies behind the node that holds them."""
    yield from _nodes(proto.graph)


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def node_at(proto: onnx.ModelProto, place: int) -> onnx.NodeProto:
    return list(nodes_of(proto))[place]


def set_attribute(node: onnx.NodeProto, name: str, value: Any) -> None:
    for attribute in list(node.attribute):
        if attribute.name == name:
            node.attribute.remove(attribute)
    if value is not None:
        node.attribute.append(helper.make_attribute(name, value))


def set_constant(proto: onnx.ModelProto, name: str, value: np.ndarray) -> None:
    place = next(i for i, tensor in enumerate(proto.graph.initializer) if tensor.name == name)
    proto.graph.initializer[place].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), name))


def add_constant(proto: onnx.ModelProto, value: np.ndarray) -> str:
    name = f"mutant/{len(proto.graph.initializer)}"
    proto.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name
