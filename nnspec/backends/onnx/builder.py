"""A graph under construction: nodes, shared constants, names. Knows nothing of specs; imports onnx only to finish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx
    from numpy.typing import ArrayLike

MOVES = frozenset({"Cast", "Reshape", "Transpose"})
# Before opset 18 these take their axes as an attribute; ReduceSum has read them since 13.
AXES_FROM_18 = frozenset(
    f"Reduce{what}" for what in ("L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
)


@dataclass(kw_only=True)
class OnnxNode:
    """A node of the graph.

    Attributes:
        layer: what it was written for: a node of the network, or an input or output.
        doc: what viewers show of it.
    """

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, object]
    name: str
    domain: str = ""
    layer: str = ""
    doc: str = ""

    def reads(self) -> Iterator[str]:
        """What it reads; "" stands for an optional input that is left out."""
        yield from self.inputs
        for value in self.attributes.values():
            if isinstance(value, Body):
                yield from value.reads()


@dataclass(frozen=True)
class Port:
    """An input or output of the graph: dimensions are numbers or symbols.

    Attributes:
        axes: what the dimensions are called; empty where they have no names.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    axes: tuple[str, ...] = ()


@dataclass
class Body:
    """What a Scan does at every step: a graph of its own that also reads values from outside by name."""

    graph: GraphBuilder = field(repr=False)
    nodes: list[OnnxNode] = field(default_factory=list)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def input(self, hint: str, dtype: str) -> str:
        """The name of a further input."""
        name = self.graph.unique(f"body/{hint}")
        self.inputs.append(Port(name, dtype, ()))
        return name

    def output(self, tensor: str) -> None:
        """A further output; one that is given out twice gets a second name."""
        if tensor in self.outputs or any(port.name == tensor for port in self.inputs):
            (tensor,) = self.graph.add("Identity", [tensor], stem="body")
        self.outputs.append(tensor)

    def reads(self) -> Iterator[str]:
        yield from self.outputs
        for node in self.nodes:
            yield from node.reads()

    def rename(self, old: str, new: str) -> None:
        _rename(self.nodes, old, new)
        self.outputs = [new if name == old else name for name in self.outputs]

    def to_proto(self, name: str) -> onnx.GraphProto:
        from onnx import ValueInfoProto, helper

        inputs = [helper.make_tensor_value_info(p.name, onnx_type(p.dtype), None) for p in self.inputs]
        outputs = [ValueInfoProto(name=tensor) for tensor in self.outputs]
        return helper.make_graph([_node_proto(node) for node in self.nodes], name, inputs, outputs)


@dataclass(kw_only=True)
class GraphBuilder:
    """Collects a graph in order of computation."""

    name: str
    opset: int = 18
    nodes: list[OnnxNode] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    domains: dict[str, int] = field(default_factory=dict)
    _names: Counter[str] = field(default_factory=Counter)
    _by_content: dict[tuple[str, tuple[int, ...], bytes], str] = field(default_factory=dict)
    _moves: dict[tuple[str, tuple[str, ...], str], str] = field(default_factory=dict)

    def unique(self, stem: str) -> str:
        self._names[stem] += 1
        count = self._names[stem]
        return stem if count == 1 else self.unique(f"{stem}_{count}")

    def add(
        self,
        op: str,
        inputs: Sequence[str],
        *,
        stem: str,
        outputs: int = 1,
        attributes: Mapping[str, object] | None = None,
        domain: str = "",
    ) -> list[str]:
        """Appends a node; returns the names of its outputs. What only moves or casts a value is written once."""
        if self.opset < 18 and op in AXES_FROM_18 and len(inputs) == 2:
            inputs, attributes = inputs[:1], {**(attributes or {}), "axes": self.constants[inputs[1]].tolist()}
        key = (op, tuple(inputs), repr(attributes) if op in MOVES else "")
        if key in self._moves:
            return [self._moves[key]]
        name = self.unique(f"{stem}/{op}")
        if op in MOVES:
            self._moves[key] = name
        names = [name] + [self.unique(f"{name}:{i}") for i in range(1, outputs)]
        kept = {key: value for key, value in (attributes or {}).items() if value is not None}
        self.nodes.append(
            OnnxNode(op=op, inputs=list(inputs), outputs=names, attributes=kept, name=name, domain=domain, layer=stem)
        )
        return names

    def check(self, node: OnnxNode) -> None:
        """Raises what onnx' checker finds wrong with a node: an unknown operator, a missing attribute."""
        from onnx import checker

        context = checker.C.CheckerContext()
        context.ir_version = checker.DEFAULT_CONTEXT.ir_version
        context.opset_imports = {"": self.opset, **self.domains}
        checker.check_node(_node_proto(node), context)

    def maker(self, tensor: str) -> OnnxNode | None:
        """The node that writes a value, mostly one of the last; None where that is an input or a constant."""
        return next((node for node in reversed(self.nodes) if tensor in node.outputs), None)

    def constant(self, array: ArrayLike, stem: str) -> str:
        """The name of an initializer with this content; equal contents share one."""
        value = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        if value.dtype.kind in "OU":
            key = ("str", value.shape, "\0".join(map(str, value.ravel())).encode())
        else:
            key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._by_content:
            name = self.unique(stem)
            self.constants[name] = value
            self._by_content[key] = name
        return self._by_content[key]

    def own_constant(self, array: np.ndarray, stem: str) -> str:
        """An initializer that may still be changed (`constants[name] = …`), so it is shared with none."""
        name = self.unique(stem)
        self.constants[name] = np.ascontiguousarray(array)
        return name

    def rename(self, old: str, new: str) -> None:
        """Gives a value a name of its own (graph outputs)."""
        _rename(self.nodes, old, new)
        self._moves = {
            (op, tuple(new if i == old else i for i in inputs), attributes): new if made == old else made
            for (op, inputs, attributes), made in self._moves.items()
        }

    @contextmanager
    def body(self) -> Iterator[Body]:
        """What is added inside becomes a body instead of part of the graph."""
        made = Body(self)
        outer, moves = self.nodes, dict(self._moves)
        self.nodes = made.nodes
        try:
            yield made
        finally:
            self.nodes, self._moves = outer, moves  # what was moved inside cannot be read outside

    def fix_size(self, symbol: str, size: int) -> None:
        """Gives the dimensions of inputs and outputs by this symbol a size."""
        for ports in (self.inputs, self.outputs):
            for place, port in enumerate(ports):
                shape = tuple(size if each == symbol else each for each in port.shape)
                ports[place] = replace(port, shape=shape)

    def prune(self) -> None:
        """Drops nodes that nothing reads.

        All outputs of a node that stays keep their names: some runtimes take one without a name for an input that is
        left out, and none saves time by it.
        """
        wanted = {port.name for port in self.outputs}
        kept: list[OnnxNode] = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                kept.append(node)
                wanted.update(i for i in node.reads() if i)
        self.nodes = kept[::-1]

    def to_model(self, metadata: Mapping[str, str], producer_version: str) -> onnx.ModelProto:
        """The finished model. Constants that nothing reads are left out."""
        from onnx import helper

        self.prune()
        used = {i for node in self.nodes for i in node.reads()}
        nodes = [_node_proto(node) for node in self.nodes]

        def ports(items: list[Port]) -> list[onnx.ValueInfoProto]:
            return [
                helper.make_tensor_value_info(
                    p.name, onnx_type(p.dtype), list(p.shape), shape_denotation=list(p.axes) or None
                )
                for p in items
            ]

        graph = helper.make_graph(nodes, self.name, ports(self.inputs), ports(self.outputs))
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, version) for domain, version in sorted(self.domains.items())]
        model = helper.make_model(
            graph, opset_imports=opsets, producer_name="nnspec", producer_version=producer_version
        )
        # The oldest that has these operators: a runtime refuses files of a later version than it knows.
        model.ir_version = helper.find_min_ir_version_for(opsets, ignore_unknown=True)
        helper.set_model_props(model, dict(metadata))
        for name, array in self.constants.items():  # only now: messages are copied into those that hold them
            if name in used:
                model.graph.initializer.append(_initializer(name, array))
        return model


def _rename(nodes: list[OnnxNode], old: str, new: str) -> None:
    for node in nodes:
        node.inputs = [new if i == old else i for i in node.inputs]
        node.outputs = [new if o == old else o for o in node.outputs]
        for value in node.attributes.values():
            if isinstance(value, Body):
                value.rename(old, new)


def _node_proto(node: OnnxNode) -> onnx.NodeProto:
    from onnx import helper

    attributes = {
        key: value.to_proto(f"{node.name}/{key}") if isinstance(value, Body) else value
        for key, value in node.attributes.items()
    }
    return helper.make_node(
        node.op,
        node.inputs,
        node.outputs,
        name=node.name,
        doc_string=node.doc or None,
        domain=node.domain or None,
        **attributes,
    )


def _initializer(name: str, array: np.ndarray) -> onnx.TensorProto:
    from onnx import TensorProto, helper, numpy_helper

    if array.dtype.kind in "OU":
        values = [str(v).encode() for v in array.ravel()]
        return helper.make_tensor(name, TensorProto.STRING, array.shape, values)
    return numpy_helper.from_array(array, name)


def onnx_type(dtype: str) -> int:
    from onnx import TensorProto, helper

    if dtype == "string":
        return int(TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
