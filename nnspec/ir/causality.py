"""Causality: position i of a value depends on no later position.

Where neighbours are `stride` input positions apart, position i stands for the `stride` of them from `stride·i` on: what
pools two steps into one may read both. A value that has lost the axis may read every position; what it is made of must
be causal as long as the axis is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from nnspec.ir.graph import Field, Graph, Node, Steps, Value


def steps_ahead(field: Field) -> Steps | None:
    """How many positions after its own a position sees; 0 is causal, None: all of them."""
    if field.ahead is None or field.stride <= 0:
        return None
    return max(Fraction(field.ahead) - max(Fraction(field.stride) - 1, Fraction(0)), Fraction(0))


def is_causal(field: Field) -> bool:
    return steps_ahead(field) == 0


def position_of(value: Value, axis: str) -> int | None:
    """Where the value's axis stands whose positions are those of an input axis, one by one or strided."""
    return next((i for i, own in enumerate(value.axes) if own.origin == axis and own.size != 1), None)


def carriers(graph: Graph, value: Value, axis: str) -> tuple[Value, ...]:
    """The value itself where it has an axis of the positions of an input axis; else the nearest before it that do."""
    nodes = {node.name: node for node in graph.nodes}
    found: dict[tuple[str, str], Value] = {}
    seen: set[tuple[str, str]] = set()

    def visit(value: Value) -> None:
        key = (value.node, value.port)
        if key in seen or axis not in value.fields:
            return
        seen.add(key)
        if position_of(value, axis) is not None and value.node in nodes:
            found[key] = value
            return
        for before in nodes[value.node].inputs if value.node in nodes else ():
            visit(before)

    visit(value)
    return tuple(found.values())


def looking_ahead(graph: Graph, value: Value, axis: str) -> tuple[Value, Node] | None:
    """A carrier that is not causal along an input axis, and the first node on the way to it that is not."""
    nodes = {node.name: node for node in graph.nodes}
    for carrier in carriers(graph, value, axis):
        if not is_causal(carrier.fields[axis]):
            return carrier, next(_not_causal(nodes, carrier, axis))
    return None


def _not_causal(nodes: dict[str, Node], value: Value, axis: str) -> Iterator[Node]:
    """The nodes that look ahead, those that read no such node first."""
    node = nodes[value.node]
    for before in node.inputs:
        if axis in before.fields and before.node in nodes and not is_causal(before.fields[axis]):
            yield from _not_causal(nodes, before, axis)
    yield node
