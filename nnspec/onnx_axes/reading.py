"""An ONNX file as a list of calls of operators, with the constants that say sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.diagnostics import SpecError
from nnspec.diagnostics.spans import Source, Span
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    import numpy as np
    from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto

Attribute = int | float | str | tuple[int, ...] | tuple[float, ...]
MAX_NUMBERS = 4096  # of a constant; longer ones are weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxCall:
    """One node of the graph.

    Attributes:
        place: its number in the order of computation, from 1.
        attributes: those that are numbers, lists of numbers or texts.
        array: the constant that it is, of a `Constant`.
        bodies: the graphs that it runs, by attribute, of `If`, `Loop` and `Scan`.
    """

    op: str
    name: str
    place: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    array: TensorProto | None = None
    bodies: Mapping[str, OnnxGraph] = field(default_factory=dict)


Dimension = int | str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxGraph:
    """A graph.

    Attributes:
        inputs: without those that have a constant; of each axis the size or symbol, and its denotation.
        constants: by name, TensorProto of which the data may be elsewhere.
        stated: the dimensions of values that the file states.
    """

    calls: tuple[OnnxCall, ...]
    inputs: Mapping[str, tuple[tuple[Dimension, str], ...] | None]
    outputs: tuple[str, ...]
    constants: Mapping[str, TensorProto]
    stated: Mapping[str, tuple[Dimension, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxFile(OnnxGraph):
    """The graph of a file.

    Attributes:
        opset: the version of ONNX's operators that the file names.
    """

    path: Path
    metadata: Mapping[str, str] = field(default_factory=dict)
    opset: int | None = None

    def span(self, call: OnnxCall) -> Span:
        """Where diagnostics point: a listing of the graph with a line for each node."""
        text = f"{', '.join(name for name in call.outputs if name)} = {call.op}({', '.join(call.inputs)})"
        source = Source(str(self.path), "\n" * (call.place - 1) + text)
        return Span.between(source, line=call.place, column=1, end_line=call.place, end_column=len(text) + 1)


def file_span(path: Path) -> Span:
    """The span of a fault of the file itself."""
    return Span(Source(str(path), ""))


def read_file(path: Path) -> OnnxFile:
    """The graph of an ONNX file, without the data of its weights.

    Raises:
        SpecError: NN373 where it is no ONNX file, or cannot be read.
    """
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # whatever the parser says of bytes that are none of its own
        told = error.strerror if isinstance(error, OSError) else None
        reason = told or "it is not an ONNX model, or is damaged"
        message = f"`{path}` cannot be read: {reason}"
        raise SpecError.single("NN373", message, file_span(path)) from None
    if not model.graph.node and not model.graph.output:
        message = f"`{path}` cannot be read: it has no graph"
        raise SpecError.single("NN373", message, file_span(path))
    return as_file(model, path)


def as_file(model: ModelProto, path: Path) -> OnnxFile:
    """The graph of a model in memory, an `onnx.ModelProto`; `path` is what messages call it."""
    graph = _as_graph(model.graph)
    return OnnxFile(
        path=path,
        calls=graph.calls,
        inputs=graph.inputs,
        outputs=graph.outputs,
        constants=graph.constants,
        stated=graph.stated,
        metadata={entry.key: entry.value for entry in model.metadata_props},
        opset=next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None),
    )


def _as_graph(graph: GraphProto) -> OnnxGraph:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    stated = {}
    for value in (*graph.value_info, *graph.output):
        found = _dimensions(value)
        if found is not None:
            stated[value.name] = tuple(size for size, _ in found)
    return OnnxGraph(
        calls=tuple(_calls(graph)),
        inputs={value.name: _dimensions(value) for value in graph.input if value.name not in constants},
        outputs=tuple(value.name for value in graph.output),
        constants=constants,
        stated=stated,
    )


def _dimensions(value: ValueInfoProto) -> tuple[tuple[Dimension, str], ...] | None:
    """The size or symbol of each axis and its denotation; None where the rank is open."""
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    found: list[tuple[Dimension, str]] = []
    for dimension in tensor.shape.dim:
        which = dimension.WhichOneof("value")
        size: Dimension = None if which is None else getattr(dimension, which)
        found.append((None if size == "" or (isinstance(size, int) and size < 0) else size, dimension.denotation))
    return tuple(found)


def _calls(graph: GraphProto) -> Iterator[OnnxCall]:
    """The nodes; those of bodies (`If`, `Loop`, `Scan`) belong to the node that runs them."""
    from onnx import AttributeProto

    for place, node in enumerate(graph.node, 1):
        attributes: dict[str, Attribute] = {}
        bodies: dict[str, OnnxGraph] = {}
        array = None
        for attribute in node.attribute:
            if attribute.type == AttributeProto.INT:
                attributes[attribute.name] = attribute.i
            elif attribute.type == AttributeProto.FLOAT:
                attributes[attribute.name] = attribute.f
            elif attribute.type == AttributeProto.STRING:
                attributes[attribute.name] = attribute.s.decode("utf-8", "replace")
            elif attribute.type == AttributeProto.INTS:
                attributes[attribute.name] = tuple(attribute.ints)
            elif attribute.type == AttributeProto.FLOATS:
                attributes[attribute.name] = tuple(attribute.floats)
            elif attribute.type == AttributeProto.TENSOR:
                array = attribute.t
            elif attribute.type == AttributeProto.GRAPH:
                bodies[attribute.name] = _as_graph(attribute.g)
        yield OnnxCall(
            op=node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}",
            name=node.name or next((name for name in node.output if name), node.op_type),
            place=place,
            inputs=tuple(node.input),
            outputs=tuple(node.output),
            attributes=attributes,
            array=array,
            bodies=bodies,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOperators:
    """The operators of ONNX's own domain in any version up to `opset`."""

    opset: int
    names: frozenset[str]


def known_operators() -> KnownOperators:
    """Those that the installed `onnx` knows."""
    from onnx import defs

    names = frozenset(schema.name for schema in defs.get_all_schemas_with_history() if schema.domain == "")
    return KnownOperators(opset=defs.onnx_opset_version(), names=names)


def array_of(tensor: TensorProto) -> np.ndarray | None:
    """A small constant as a NumPy array; None where it is large or kept in another file."""
    from math import prod

    from onnx import TensorProto, numpy_helper

    is_elsewhere = tensor.data_location == TensorProto.EXTERNAL
    if is_elsewhere or tensor.data_type == TensorProto.STRING or prod(tensor.dims) > MAX_NUMBERS:
        return None
    array: np.ndarray = numpy_helper.to_array(tensor)
    return array
