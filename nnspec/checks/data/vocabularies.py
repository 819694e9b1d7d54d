"""Checks that a shared lookup does not learn its vocabulary from its own output."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.ir.ancestors import names_before


def check_vocabularies(context: Context) -> Iterator[Diagnostic]:
    """NN352: a shared lookup one of whose uses reads what another one makes, so that neither can come first."""
    nodes = context.graph.nodes
    for node in nodes:
        if node.shared is None or not node.layer.lacks_vocabulary(node):
            continue
        others = {other.name for other in nodes if other.shared == node.shared}
        if names_before(context.graph, node.inputs[0]) & others:
            yield Diagnostic(
                "NN352",
                f"shared lookup `{node.shared}` cannot learn its vocabulary: `{node.name}` reads its own output",
                node.span,
                fixes=(Fix("list the words with `vocabulary`, or use a separate lookup each time"),),
            )
