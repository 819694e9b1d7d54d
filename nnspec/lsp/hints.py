"""Inlay hints: the axes after each layer, at the end of its first line."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from nnspec.ir.graph import Node
from nnspec.lsp.network import axes_in, axes_out, nodes_by_place
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey

MAX_DIFFERENT = 3  # rounds of a repeat that give different axes


def hints(survey: Survey, positions: Positions, where: lsp.Range) -> Iterator[lsp.InlayHint]:
    for (line, _), nodes in nodes_by_place(survey).items():
        position = _end_of_first_line(nodes[0], line, positions)
        if where.start.line <= position.line <= where.end.line:
            yield lsp.InlayHint(
                position=position,
                label=f"→ {_label(nodes)}",
                padding_left=True,
                tooltip=f"{nodes[0].kind} reads {axes_in(nodes[0])}",
            )


def _label(nodes: list[Node]) -> str:
    different = list(dict.fromkeys(axes_out(node) for node in nodes))
    shown = ", then ".join(different[:MAX_DIFFERENT])
    return shown + (f", … ({len(nodes)} iterations)" if len(different) > MAX_DIFFERENT else "")


def _end_of_first_line(node: Node, line: int, positions: Positions) -> lsp.Position:
    """After the item where that is one line, so before a comment; else after its first line."""
    source = positions.source
    if node.span.end_line == line:
        return positions.range(node.span).end
    return positions.at(source.offset(line, 1) + len(source.line(line).rstrip()))
