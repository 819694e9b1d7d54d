"""Checks that `export.opset` is new enough for every layer."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Edit, Fix
from nnspec.document import Scalar
from nnspec.ir.opset import node_opset


def check_opset(context: Context) -> Iterator[Diagnostic]:
    given = context.node("export", "opset")
    if not isinstance(given, Scalar) or not isinstance(given.value, int):
        return
    for node in context.graph.nodes:
        needed = node_opset(node)
        if given.value < needed:
            message = f"`{node.kind}` needs opset {needed} or newer, but `export.opset` is {given.value}"
            fixes = (Fix(f"set it to {needed}, or remove `opset`", (Edit(given.span, str(needed)),)),)
            yield Diagnostic("NN603", message, given.span, path="export.opset", fixes=fixes)
            return
