"""Warns about steps of an input that no output uses, although layers slide along them."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.checks.steps.widening import proposals
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph, Output


def check_reach(context: Context) -> Iterator[Diagnostic]:
    """NN328: an output at the last step sees less than the window."""
    graph = context.graph
    for output in graph.outputs.values():
        for value in graph.inputs.values():
            for axis in value.axes:
                if isinstance(axis.size, int) and not ax.is_unordered(axis):
                    yield from _report_unused(graph, output, axis.name, axis.size)


def _report_unused(graph: Graph, output: Output, axis: str, total: int) -> Iterator[Diagnostic]:
    field = output.value.fields.get(axis)
    runs_along = any(own.origin == axis and own.size != 1 for own in output.value.axes)
    if field is None or runs_along or field.size is None or field.size == 1 or field.behind is None:
        return
    first = -int(field.behind)  # without the axis, positions are those of the input
    if field.ahead != total - 1 or first <= 0:
        return
    fixes = [Fix(f"to see all {total}, set {text}") for text in proposals(graph, output.value, axis, total)]
    fixes.append(Fix(f"or shorten `{axis}` to the {total - first} positions that are used"))
    yield Diagnostic(
        "NN328",
        f"output `{output.name}` never uses the first {first} of {total} positions of `{axis}`: "
        f"at the last position it sees only {field.size}",
        output.span,
        path=f"outputs.{output.name}",
        fixes=tuple(fixes),
        severity=Severity.WARNING,
    )
