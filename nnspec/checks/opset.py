"""`export.opset` is new enough for every layer."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Edit, Fix
from nnspec.document import Scalar
from nnspec.ir.graph import Graph, Node

DEFAULT = 18


def needed_opset(graph: Graph) -> int:
    """The operator set that a graph is exported with where the spec names none."""
    return max([DEFAULT, *(_opset(node) for node in graph.nodes)])


def _opset(node: Node) -> int:
    inner = [wrapped for wrapped in (node.inner, node.backward) if wrapped is not None]
    return max([node.layer.opset(node), *(_opset(wrapped) for wrapped in inner)])


def check_opset(context: Context) -> Iterator[Diagnostic]:
    given = context.node("export", "opset")
    if not isinstance(given, Scalar) or not isinstance(given.value, int):
        return
    for node in context.graph.nodes:
        needed = _opset(node)
        if given.value < needed:
            message = f"`{node.kind}` needs opset {needed} or newer, but `export.opset` is {given.value}"
            fixes = (Fix(f"set it to {needed}, or remove `opset`", (Edit(given.span, str(needed)),)),)
            yield Diagnostic("NN603", message, given.span, path="export.opset", fixes=fixes)
            return
