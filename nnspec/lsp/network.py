"""The graph's nodes by text position. A position inside a repeat or block has a node for each iteration or use."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.diagnostics import Span
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey

Place = tuple[int, int]


def nodes_by_place(survey: Survey) -> Mapping[Place, list[Node]]:
    """Line and column of an item -> its nodes, in the order of the graph."""
    found: dict[Place, list[Node]] = {}
    for node in survey.graph.nodes if survey.graph is not None else ():
        if node.span.source is survey.source:
            found.setdefault((node.span.line, node.span.column), []).append(node)
    return found


def nodes_at(survey: Survey, positions: Positions, offset: int) -> list[Node]:
    """The nodes of the item at an offset."""
    holding = [nodes for nodes in nodes_by_place(survey).values() if positions.holds(nodes[0].span, offset)]
    return min(holding, key=lambda nodes: _length(nodes[0].span, positions), default=[])


def _length(span: Span, positions: Positions) -> int:
    start, end = positions.offsets(span)
    return end - start


def axes_in(node: Node) -> str:
    """`(time 10, feature 5)`, or one for each input."""
    return ", ".join(ax.describe(value.axes) for value in node.inputs)


def axes_out(node: Node) -> str:
    return ", ".join(ax.describe(value.axes) for value in node.outputs)
