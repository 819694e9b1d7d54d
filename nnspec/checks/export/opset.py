"""Checks that `export.opset` is new enough for every layer, and for the encodings of columns."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Edit, Fix
from nnspec.document import Scalar
from nnspec.ir.opset import OPSET_OF_SPLIT, node_opset


def check_opset(context: Context) -> Iterator[Diagnostic]:
    given = context.node("export", "opset")
    if not isinstance(given, Scalar) or not isinstance(given.value, int):
        return
    needs = [(node.kind, node_opset(node)) for node in context.graph.nodes]
    encodings = [] if context.plan is None else [c for slot in context.plan.inputs.values() for c in slot.encodings]
    needs += [("multi_hot", OPSET_OF_SPLIT) for column in encodings if column.kind == "multi_hot"]
    for kind, needed in needs:
        if given.value < needed:
            message = f"`{kind}` needs opset {needed} or newer, but `export.opset` is {given.value}"
            fixes = (Fix(f"set it to {needed}, or remove `opset`", (Edit(given.span, str(needed)),)),)
            yield Diagnostic("NN603", message, given.span, path="export.opset", fixes=fixes)
            return
