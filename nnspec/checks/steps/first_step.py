"""Warns about the first output of a layer that reads step by step: it has read no other step."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Graph, Node, Value, Window
from nnspec.ir.receptive_field import origins

BACKWARDS = Window(None, -1, None)  # of a recurrent layer that reads, and outputs, steps from last to first


def check_first_step(context: Context) -> Iterator[Diagnostic]:
    """NN334: all that reads a layer's steps selects the one at which a single step of the input was read."""
    graph = context.graph
    for node in graph.nodes:
        value = node.inputs[0]
        for place, axis in enumerate(value.axes if node.layer.moves_values else ()):
            if not _selects_first(node, place) or not _has_read_one_step(graph, value, axis):
                continue
            if all(_selects_first(reader, place) for reader in _readers(graph, value)):
                yield _report_first_step(node, value, axis)


def _selects_first(node: Node, place: int) -> bool:
    """Whether a node gives position 0 of an axis alone, with the axis (`slice: {time: {stop: 1}}`) or without it."""
    if node.layer.picked_position(node, place) == 0:
        return True
    window, name = node.windows.get(place), node.inputs[0].axes[place].name
    left = next((axis for axis in node.outputs[0].axes if axis.name == name), None)
    starts_there = window is not None and (window.span, window.ahead) == (1, 0)
    return starts_there and left is not None and left.size == 1


def _has_read_one_step(graph: Graph, value: Value, axis: Axis) -> bool:
    """Whether position 0 depends on one step of an input, while later ones depend on more.

    Where another input was read too, as by a decoder that starts from an encoder's states, one step is not all.
    """
    found = tuple(origins(axis))
    if len(found) != 1 or found[0] not in value.fields or axis.size == 1:
        return False
    field = value.fields[found[0]]
    sources = [names for names in _axis_names(graph) if found[0] in names]
    if not all(any(name in names for names in sources) for name in value.fields):
        return False
    if field.stride < 0:
        return _runs_backwards(graph, value, axis, found[0])
    return field.size != 1 and field.ahead == 0 and field.stride == 1


def _runs_backwards(graph: Graph, value: Value, axis: Axis, origin: str) -> bool:
    """Whether a layer that reads steps of the input from last to first made them, and others only passed them on."""
    nodes = {node.name: node for node in graph.nodes}
    while value.node in nodes:
        node = nodes[value.node]
        if len(node.inputs) > 1 or axis.name not in ax.names(node.inputs[0].axes):
            return False
        window = node.windows.get(ax.names(node.inputs[0].axes).index(axis.name))
        if window is not None:
            return window == BACKWARDS and node.inputs[0].fields[origin].size == 1
        value = node.inputs[0]
    return False


def _axis_names(graph: Graph) -> list[frozenset[str]]:
    return [frozenset(axis.name for axis in value.axes) for value in graph.inputs.values()]


def _readers(graph: Graph, value: Value) -> Iterator[Node]:
    for node in graph.nodes:
        if any((read.node, read.port) == (value.node, value.port) for read in node.inputs):
            yield node


def _report_first_step(node: Node, value: Value, axis: Axis) -> Diagnostic:
    (origin,) = origins(axis)
    is_backwards = value.fields[origin].stride < 0
    read = f"only the {'last' if is_backwards else 'first'} step of `{origin}`"
    size = f" of {axis.size}" if isinstance(axis.size, int) else ""
    notes = ("`go_backwards` outputs the steps from last to first",) if is_backwards else ()
    return Diagnostic(
        "NN334",
        f"`{node.kind}` selects position 0{size} of `{axis.name}`, at which `{value.node}` has read {read}",
        node.span,
        notes=notes,
        fixes=(Fix(f"select position -1 of `{axis.name}`, at which all steps have been read"),),
        severity=Severity.WARNING,
    )
