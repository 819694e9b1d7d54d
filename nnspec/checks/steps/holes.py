"""Positions that a network skips: between the first and the last that an output sees, it never reads them."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.ir import axes as ax
from nnspec.ir.causality import position_of
from nnspec.ir.coverage import find_holes, list_positions, skipping_nodes
from nnspec.ir.graph import Graph, Output


def check_holes(context: Context) -> Iterator[Diagnostic]:
    """NN364: an output leaves positions of an input out.

    A single dilated layer at each of whose steps something comes out is meant so: every position is used. Neither is
    an image that strides make smaller a fault: what it skips is much like what it sees.
    """
    graph = context.graph
    steps = (axis for value in graph.inputs.values() for axis in value.axes if ax.is_sequence(axis))
    names = dict.fromkeys(axis.name for axis in steps)
    for output in graph.outputs.values():
        for axis in names:
            missed = find_holes(graph, output.value, axis)
            if missed and (len(skipping_nodes(graph)) > 1 or position_of(output.value, axis) is None):
                yield _report_skipped(graph, output, axis, missed)


def _report_skipped(graph: Graph, output: Output, axis: str, missed: list[int]) -> Diagnostic:
    field = output.value.fields[axis]
    sizes = [own.size for value in graph.inputs.values() for own in value.axes if own.name == axis]
    longest = max((size for size in sizes if isinstance(size, int)), default=0)
    seen = "between those that it sees"
    if field.size:  # which padding makes longer than the axis
        is_longer = field.size > longest
        seen = "although its receptive field " + ("spans the axis" if is_longer else f"has a size of {field.size}")
    return Diagnostic(
        "NN364",
        f"output `{output.name}` never uses {len(missed)} position{'s' * (len(missed) > 1)} of `{axis}`, {seen}: "
        f"{list_positions(missed)}",
        output.span,
        path=f"outputs.{output.name}",
        notes=("dilations and strides skip them: these positions can never change the output",),
        fixes=(
            Fix("start with a dilation of 1 and multiply it by at most the kernel size from layer to layer"),
            Fix("make strides no larger than the kernel, or pool before them"),
        ),
        severity=Severity.WARNING,
    )
