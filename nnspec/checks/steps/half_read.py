"""Warns about the first or last step of a layer that runs both ways: one of its directions has read no other step."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.ends import selected_end
from nnspec.ir.graph import Graph, Node, Value
from nnspec.ir.receptive_field import origins

_READ_WHOLE = {"first": "backward", "last": "forward"}  # the half that has read all steps there


def check_half_read(context: Context) -> Iterator[Diagnostic]:
    """NN339: all that reads the steps of such a layer selects the same end of them."""
    graph = context.graph
    makers = {node.name: node for node in graph.nodes}
    for node in graph.nodes:
        value = node.inputs[0]
        for place, axis in enumerate(value.axes if node.layer.moves_values else ()):
            end = selected_end(node, place)
            if end is None or axis.size == 1 or (found := _both_ways(makers, value, axis, end)) is None:
                continue
            maker, port = found
            if port != _READ_WHOLE[end] and all(
                selected_end(reader, place) == end for reader in _readers(graph, value)
            ):
                yield _report_half_read(node, maker, axis, end)


def _both_ways(makers: dict[str, Node], value: Value, axis: Axis, end: str) -> tuple[Node, str] | None:
    """The layer that ran along the axis in both directions, and its output, where others only passed that on.

    Where each step that it reads has seen all steps already, as behind a layer of its kind, none is missed.
    """
    while value.node in makers:
        node = makers[value.node]
        source = node.inputs[0]
        if axis.name not in ax.names(source.axes):
            return None
        place = ax.names(source.axes).index(axis.name)
        if node.layer.runs_both_ways and place == 0:
            return None if _has_seen_all(source, end) else (node, value.port)
        if len(node.inputs) > 1 or place in node.windows:
            return None
        value = source
    return None


def _has_seen_all(source: Value, end: str) -> bool:
    """Whether the first or the last step of what such a layer reads depends on all steps of the input."""
    size, fields = source.axes[0].size, [source.fields.get(origin) for origin in origins(source.axes[0])]
    for field in fields:
        if field is None or field.size is None or field.ahead is None:
            return True
        if end == "last" and isinstance(size, int) and field.size >= size:
            return True
    return not fields


def _readers(graph: Graph, value: Value) -> Iterator[Node]:
    for node in graph.nodes:
        if any((read.node, read.port) == (value.node, value.port) for read in node.inputs):
            yield node


def _report_half_read(node: Node, maker: Node, axis: Axis, end: str) -> Diagnostic:
    half, position = ("forward", 0) if end == "first" else ("backward", -1)
    return Diagnostic(
        "NN339",
        f"`{node.kind}` selects position {position} of `{axis.name}`, at which the {half} half of `{maker.name}` has "
        f"read only the {end} step",
        node.span,
        notes=("the forward half has read all steps at the last one, the backward half at the first",),
        fixes=(
            Fix(
                f"remove this `{node.kind}` and `return_sequences`: `{maker.kind}` then outputs the result of each "
                f"half after all steps"
            ),
        ),
        severity=Severity.WARNING,
    )
