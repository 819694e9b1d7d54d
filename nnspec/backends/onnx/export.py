"""Export: lowers a graph and its trained weights to an ONNX model, layer by layer, without tracing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnspec.backends.onnx.builder import GraphBuilder, OnnxNode, Port
from nnspec.backends.onnx.foreign_nodes import check_foreign_nodes
from nnspec.backends.onnx.lowering import Lowering, State
from nnspec.backends.onnx.view import Factor, Group, Mask, View
from nnspec.diagnostics import SpecError
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import Graph, Node, Value
from nnspec.ir.layer_failure import NoLowering, failure, foreign_layer, say

Weights = Mapping[str, np.ndarray]
Hook = Callable[[Lowering, str, Mapping[str, View]], View]  # an input of the network, and the graph's inputs for it
Fallback = Callable[[Lowering, Node, list[View]], list[View]]


@dataclass(frozen=True)
class ColumnPort:
    """An input of the graph that is one column of an input of the network.

    Attributes:
        axes: which of the network input's axes it has (batch left out).
    """

    name: str
    dtype: str
    axes: tuple[int, ...] = ()


@dataclass(kw_only=True)
class Exported:
    """A finished graph and what the gate wants to know of it.

    Attributes:
        lowered_by: node name -> `nnspec` or `tf2onnx`.
        tensors: `node` or `node.port` -> its view, for bisecting; outputs of the graph have other names since.
        written: node name -> the nodes that its layer wrote.
        makers: tensor, by its name in `tensors` -> the node that writes it, and as which of its outputs.
    """

    builder: GraphBuilder
    lowered_by: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, View] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    written: dict[str, list[OnnxNode]] = field(default_factory=dict)
    makers: dict[str, tuple[OnnxNode, int]] = field(default_factory=dict)


def export_graph(
    graph: Graph,
    weights: Mapping[str, Weights],
    *,
    opset: int = 18,
    layout: Mapping[str, list[str]] | None = None,
    before: Hook | None = None,
    after: Callable[[Lowering, Mapping[str, View], Mapping[str, View]], dict[str, tuple[View, list[str]]]]
    | None = None,
    fallback: Fallback | None = None,
    columns: Mapping[str, Sequence[ColumnPort]] | None = None,
    builder: GraphBuilder | None = None,
) -> Exported:
    """The ONNX graph of `graph`.

    Args:
        weights: by `Node.owner`, then by weight name.
        layout: order of axes (`batch` among them) of inputs and outputs that differ from the spec's.
        before: what stands between the graph's inputs and one of the network (scaling, encoding); by default nothing.
        after: what stands behind the network: outputs by name, each with its axis names (`batch` first).
        fallback: lowers a node whose layer has no lowering of its own.
        columns: inputs of the network that the graph takes as several of its own.
        builder: what the nodes are added to; default: one of this operator set.
    """
    builder = builder or GraphBuilder(name=graph.name, opset=opset)
    lowering = Lowering(builder)
    result = Exported(builder=builder, states=lowering.states)
    batch: Group = (Factor("batch", None, ax.Symbolic.symbol("batch")),)
    symbols: dict[str, Factor] = {}
    raw: dict[str, View] = {}
    views: dict[tuple[str, str], View] = {}
    ports: dict[str, dict[str, View]] = {}
    for name, value in graph.inputs.items():
        if columns and name in columns:
            ports[name] = _declare_columns(lowering, value, batch, symbols, columns[name])
        else:
            ports[name] = {name: _declare(lowering, name, value, batch, symbols, (layout or {}).get(name))}
        raw |= ports[name]
    readers = _reader_counts(graph)
    holders: dict[str, set[str]] = {}  # tensor -> the nodes that make it or only look at it otherwise
    for name in graph.inputs:
        lowering.stem = name
        view = before(lowering, name, ports[name]) if before else raw[name]
        views[name, "output"] = view
        holders.setdefault(view.tensor, set()).add(name)
        result.tensors[name] = view
    for node in graph.nodes:
        inputs = [views[v.node, v.port] for v in node.inputs]
        lowering.stem = node.name
        lowering.weights = weights.get(node.owner, {}) if node.weights else {}
        lowering.is_sole_reader = all(readers[name] == 1 for view in inputs for name in holders[view.tensor])
        count = len(lowering.graph.nodes)
        made, how = _lower(lowering, node, inputs, fallback)
        result.written[node.name] = lowering.graph.nodes[count:]
        result.lowered_by[node.name] = how
        for value, view in zip(node.outputs, made, strict=True):
            if value.mask is not None and view.mask is None:
                view = replace(view, mask=_mask_of(inputs))
            elif value.mask is None and view.mask is not None:
                view = replace(view, mask=None)
            views[node.name, value.port] = lowering.register(view)
            holders.setdefault(view.tensor, set()).add(node.name)
            result.tensors[node.name if value.port == "output" else f"{node.name}.{value.port}"] = view
    result.makers = {
        tensor: (made, place) for made in lowering.graph.nodes for place, tensor in enumerate(made.outputs)
    }
    _finish(lowering, graph, raw, views, layout or {}, after)
    return result


def _declare(
    lowering: Lowering, name: str, value: Value, batch: Group, symbols: dict[str, Factor], order: list[str] | None
) -> View:
    dims = {"batch": (batch, "batch"), **{axis.name: _dim(lowering, axis, symbols) for axis in value.axes}}
    names = ["batch", *ax.names(value.axes)]
    declared = lowering.declare_input(name, value.dtype, [dims[n] for n in (order or names)], order or names)
    return declared.with_axes(dims[n][0] for n in names)


def _dim(lowering: Lowering, axis: Axis, symbols: dict[str, Factor]) -> tuple[Group, int | str]:
    """An axis of an input as a dimension, and what its size is called."""
    if isinstance(axis.size, int):
        return lowering.factor(axis.name, axis.size), axis.size
    text = str(axis.size)
    return (symbols.setdefault(text, Factor(axis.name, None, axis.size)),), text


def _declare_columns(
    lowering: Lowering, value: Value, batch: Group, symbols: dict[str, Factor], columns: Sequence[ColumnPort]
) -> dict[str, View]:
    """Inputs of one column each: axes `batch`, and that of the steps where there is one, which they share."""
    dims: list[tuple[Group, int | str]] = [(batch, "batch")]
    dims += [_dim(lowering, value.axes[axis], symbols) for axis in columns[0].axes]
    names = ["batch", *(value.axes[axis].name for axis in columns[0].axes)]
    return {column.name: lowering.declare_input(column.name, column.dtype, dims, names) for column in columns}


def _reader_counts(graph: Graph) -> Counter[str]:
    counts = Counter(value.node for node in graph.nodes for value in node.inputs)
    counts.update(output.value.node for output in graph.outputs.values())
    return counts


def _mask_of(inputs: list[View]) -> Mask | None:
    return next((view.mask for view in inputs if view.mask is not None), None)


def _lower(
    lowering: Lowering,
    node: Node,
    inputs: list[View],
    fallback: Fallback | None,
) -> tuple[list[View], str]:
    try:
        written = len(lowering.graph.nodes)
        made = node.layer.to_onnx(node, inputs, lowering)
        if foreign_layer(node.layer, node.inner) is not None:
            check_foreign_nodes(lowering, node, made, written)
        return made, "nnspec"
    except NoLowering:
        if fallback is None:
            raise SpecError.single(
                "NN601", f"`{node.kind}` has no lowering to ONNX, so `{node.name}` cannot be exported", node.span
            ) from None
        return fallback(lowering, node, inputs), "tf2onnx"
    except SpecError:
        raise
    except (Exception, SystemExit) as error:
        what = f"fails to export `{node.name}` to ONNX: {say(error)}"
        raise failure(node.layer, node.inner, node.span, what) from error


def _finish(
    lowering: Lowering,
    graph: Graph,
    raw: Mapping[str, View],
    views: Mapping[tuple[str, str], View],
    layout: Mapping[str, list[str]],
    after: Callable[[Lowering, Mapping[str, View], Mapping[str, View]], dict[str, tuple[View, list[str]]]] | None,
) -> None:
    named = {name: views[o.value.node, o.value.port] for name, o in graph.outputs.items()}
    axes_of: dict[str, Axes] = {name: o.value.axes for name, o in graph.outputs.items()}
    finished = {name: (view, ["batch", *ax.names(axes_of[name])]) for name, view in named.items()}
    if after is not None:
        finished = after(lowering, named, raw)
    lowering.stem = "outputs"
    renamed: dict[str, str] = {}
    for name, (view, names) in finished.items():
        view = replace(view, tensor=renamed.get(view.tensor, view.tensor))  # another output may hold the same
        order = [a for a in layout.get(name, names) if a in names]
        places = [names.index(axis) for axis in order]
        arranged = lowering.arrange(view, [view.axes[i] for i in places])
        tensor = arranged.tensor
        known = {port.name for port in lowering.graph.outputs} | {state.output for state in lowering.states}
        if (
            tensor in known
            or tensor in lowering.graph.constants
            or any(p.name == tensor for p in lowering.graph.inputs)
        ):
            tensor = lowering.node("Identity", tensor)
        lowering.graph.rename(tensor, name)
        renamed[tensor] = name
        shape = tuple(_label(arranged.dims[i], names[place]) for i, place in enumerate(places))
        lowering.graph.outputs.append(Port(name, arranged.dtype, shape, tuple(order)))
    for state in lowering.states:
        lowering.graph.outputs.append(Port(state.output, state.dtype, state.shape))


def _label(group: Group, name: str) -> int | str:
    size = 1
    for factor in group:
        if factor.size is None:
            if len(group) == 1:
                return str(factor.extent) if factor.extent is not None else name
            return name
        size *= factor.size
    return size
