"""Hover: axes and cost of a layer; the meaning of a key, an argument, a variable or a code."""

from __future__ import annotations

import re

from lsprotocol import types as lsp

from nnspec import show
from nnspec.diagnostics.codes import CODES
from nnspec.diagnostics.pages import code_page
from nnspec.document import Scalar
from nnspec.ir.graph import Graph, Node
from nnspec.layers.registry import REGISTRY
from nnspec.lsp.cursor import Cursor, find
from nnspec.lsp.descriptions import describe_value
from nnspec.lsp.network import axes_in, axes_out, nodes_at
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey

MAX_ROUNDS = 6  # of a repeat, one below the other
_CODE = re.compile(r"\bNN\d{3}\b")


def hover(survey: Survey, positions: Positions, where: lsp.Position) -> lsp.Hover | None:
    offset = positions.offset(where)
    code = _code_at(survey.source.text, offset)
    if code is not None:
        return _to_hover(code_page(code))
    if survey.root is None:
        return None
    cursor = find(survey.root, offset, positions)
    word = cursor.key.value if cursor.key is not None else getattr(cursor.node, "value", None)
    parts = [variable_text(survey, word) if isinstance(word, str) else ""]
    if _is_kind(cursor):
        parts += [layer_text(survey.graph, nodes_at(survey, positions, offset))]
    parts.append(describe_value(cursor.path, None if cursor.key is not None else word))
    text = "\n\n---\n\n".join(part for part in parts if part)
    span = cursor.key.span if cursor.key is not None else cursor.node.span
    is_word = cursor.key is not None or isinstance(cursor.node, Scalar)
    return _to_hover(text, positions.range(span)) if text and is_word else None


def _to_hover(text: str, where: lsp.Range | None = None) -> lsp.Hover:
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), where)


def _code_at(text: str, offset: int) -> str | None:
    """The code of a diagnostic that a comment speaks of."""
    start = max(text.rfind("\n", 0, offset) + 1, offset - 8)
    for found in _CODE.finditer(text, start, min(len(text), offset + 8)):
        if found.start() <= offset <= found.end() and found.group() in CODES:
            return found.group()
    return None


def _is_kind(cursor: Cursor) -> bool:
    """Whether the cursor is on a layer's name."""
    word = cursor.key.value if cursor.key is not None else getattr(cursor.node, "value", None)
    return word in REGISTRY or (cursor.path[-1:] in (("block",), ("share",)) and cursor.key is not None)


def layer_text(graph: Graph | None, nodes: list[Node]) -> str:
    """Axes, weights, parameters and reach, for each round where the layer is inside of a repeat."""
    if graph is None or not nodes:
        return ""
    shown = [_one(graph, node, len(nodes) > 1) for node in nodes[:MAX_ROUNDS]]
    if len(nodes) > MAX_ROUNDS:
        shown.append(f"… and {len(nodes) - MAX_ROUNDS} more")
    return "\n\n".join(shown)


def _one(graph: Graph, node: Node, is_one_of_several: bool) -> str:
    trail = "; ".join(str(step) for step in node.span.trail)
    lines = [f"**{node.name}**" + (f" ({trail})" if is_one_of_several and trail else "")]
    lines.append(f"- axes: `{axes_in(node)}` → `{axes_out(node)}`")
    if node.weights:
        lines.append("- weights: " + ", ".join(f"{w.name} `{show.shape(w.shape)}`" for w in node.weights))
    if node.formula:
        lines.append(f"- parameters: {node.formula} = {node.parameters:,}")
    if sees := ", ".join(show.sees(graph, node)):
        lines.append(f"- sees: {sees}")
    lines += [f"- {note}" for note in node.notes]
    return "\n".join(lines)


def variable_text(survey: Survey, text: str) -> str:
    """The values of the variables that an expression uses."""
    if "$" not in text or survey.expanded is None:
        return ""
    values = survey.expanded.values
    used = [name for name in re.findall(r"[A-Za-z_]\w*", text) if name in values]
    return "\n".join(f"- `{name}` = `{values[name]}`" for name in dict.fromkeys(used))
