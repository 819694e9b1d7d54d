"""Doc strings of the nodes of a graph: the entry of the spec that each was written for, and the axes of its result.

Entries are named by their path in the spec. Lines would change with a comment, and the file with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnspec.backends.onnx.builder import Body, OnnxNode
from nnspec.backends.onnx.doc_strings.ports import shorten
from nnspec.backends.onnx.export import Exported
from nnspec.backends.onnx.view import Factor, Group, View
from nnspec.document import format_path
from nnspec.ir.graph import Graph, Node, Value

LONGEST = 200  # characters of a doc string
_MOST = 3  # layers whose result one node writes, and that are named


@dataclass(frozen=True)
class _Result:
    """An output of a layer, in the tensor that holds it.

    Attributes:
        place: which of its node's outputs that is.
    """

    node: Node
    value: Value
    view: View
    place: int


def describe_nodes(graph: Graph, exported: Exported) -> None:
    """Gives each node of a finished graph its doc string.

    The one that writes a layer's result says all: `Conv2D at model[1]: height 26, width 26, filter 32; in memory batch,
    filter, height, width`, with the layers behind that need no nodes, such as a folded normalization. The others of a
    layer say whose part they are.
    """
    results: dict[int, list[_Result]] = {}
    for node in graph.nodes:
        _mark(exported.written[node.name], shorten(f"part of {_entry(node)}", LONGEST))
        for value in node.outputs:
            view = exported.tensors[node.name if value.port == "output" else f"{node.name}.{value.port}"]
            if view.tensor in exported.makers:  # else it is an input of the file
                maker, place = exported.makers[view.tensor]
                results.setdefault(id(maker), []).append(_Result(node, value, view, place))
    for made in exported.builder.nodes:
        if id(made) in results:
            made.doc = _describe_results(made, results[id(made)])
        elif not made.doc and made.layer in graph.inputs:
            made.doc = shorten(f"prepares input `{made.layer}`", LONGEST)
        elif not made.doc and made.layer in graph.outputs:
            made.doc = shorten(f"makes output `{made.layer}`", LONGEST)


def _mark(nodes: Sequence[OnnxNode], doc: str) -> None:
    """Gives nodes a doc string, and those in their bodies."""
    for node in nodes:
        node.doc = doc
        for value in node.attributes.values():
            if isinstance(value, Body):
                _mark(value.nodes, doc)


def _describe_results(made: OnnxNode, results: Sequence[_Result]) -> str:
    entries = list(dict.fromkeys(_entry(result.node) for result in results))
    more = [f"{len(entries) - _MOST} more"] if len(entries) > _MOST else []
    last = results[-1]
    port = "" if last.value.port == "output" else f" ({last.value.port})"
    axes = ", ".join(map(str, last.value.axes)) or "one number a sample"
    stored = _dimensions(last)
    is_as_written = stored == ["batch", *(axis.name for axis in last.value.axes)]
    tensor = f"`{made.outputs[last.place]}` " if len(made.outputs) > 1 else ""
    memory = "" if is_as_written else f"; {tensor}in memory {', '.join(stored)}"
    return shorten(f"{', '.join([*entries[:_MOST], *more])}{port}: {axes}{memory}", LONGEST)


def _entry(node: Node) -> str:
    """`TimeDistributed(Conv1D) at model[2].repeat.model[0]`."""
    kind = f"{node.kind}({node.inner.kind})" if node.inner is not None else node.kind
    return f"{kind} at {format_path(node.path)}" if node.path else f"{kind} `{node.name}`"


def _dimensions(result: _Result) -> list[str]:
    """What the dimensions of a tensor are called, `batch·feature` where axes share one.

    Of an axis that several dimensions make up, such as one that is flattened, they have the names of its parts.
    """
    names = ["batch", *(axis.name for axis in result.value.axes)]
    named = list(zip(names, result.view.axes, strict=True))
    axis_of = {factor: (name, group) for name, group in named for factor in group}
    units = [name for name, group in named if not group]  # of size 1, which may stand anywhere
    return [_dimension(dim, axis_of) if dim else (units.pop(0) if units else "1") for dim in result.view.dims]


def _dimension(dim: Group, axis_of: Mapping[Factor, tuple[str, Group]]) -> str:
    found: dict[str, None] = {}
    for factor in dim:
        name, group = axis_of.get(factor, (factor.label, ()))
        found[name if set(group) <= set(dim) else factor.label] = None
    return "·".join(found)
