"""Outputs with targets that do not count: padding, or ignored values."""

from __future__ import annotations

from dataclasses import replace

from nnspec.data.prepare.fit import SEQUENCE_NAMES
from nnspec.data.prepare.fit import padded_axes as axes_of_padding
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.ir.axes import size_to_json
from nnspec.ir.graph import Graph, Output, Value
from nnspec.ir.matching_axes import matching_order
from nnspec.ir.receptive_field import origins

Pairs = tuple[tuple[str, str], ...]


def mark_counted(graph: Graph, plan: DataPlan | None) -> Graph:
    """The graph, whose outputs know whether some of their targets do not count."""
    if plan is None:
        return graph
    outputs = {
        name: replace(output, counts=_counts(graph, output, plan, plan.outputs.get(name)))
        for name, output in graph.outputs.items()
    }
    return replace(graph, outputs=outputs)


def followed_axes(graph: Graph, output: Output) -> Pairs:
    """Those of an output's axes whose positions are those of an input's axis, each with that axis."""
    sizes = {(axis.name, axis.size) for value in graph.inputs.values() for axis in value.axes}
    fields = output.value.fields
    return tuple(
        (axis.name, origin)
        for axis in output.value.axes
        for origin in origins(axis)
        if axis.name != output.class_axis and (origin, axis.size) in sizes and fields[origin].stride == 1
    )


def padded_axes(graph: Graph, plan: DataPlan) -> dict[str, tuple[str, ...]]:
    """The axes that the data of inputs are padded along, as the plan says, each with the inputs."""
    found: dict[str, tuple[str, ...]] = {}
    for name, slot in plan.inputs.items():
        value = graph.inputs.get(name)
        if value is None or slot.pad_value is None or slot.is_windowed:
            continue
        for axis in axes_of_padding(_sizes(value), is_float=value.dtype.startswith("float")):
            found[axis] = (*found.get(axis, ()), name)
    return found


def _counts(graph: Graph, output: Output, plan: DataPlan, slot: SlotPlan | None) -> str:
    if output.name in plan.copies:
        return _counts_of_copy(graph, output, plan)
    if slot is None or not slot.counts_in_part:
        return "all"
    axes = output.value.axes
    if output.task in ("classification", "quantiles") or not axes:
        return "steps"
    if len(axes) == 1:
        return "values"
    if slot.ignore is not None:
        return "steps"
    padded = padded_axes(graph, plan)
    steps = [name for name, origin in followed_axes(graph, output) if origin in padded]
    steps = steps or [axis.name for axis in axes if axis.name.lower() in SEQUENCE_NAMES]
    return "values" if axes[-1].name in steps else "steps"


def _counts_of_copy(graph: Graph, output: Output, plan: DataPlan) -> str:
    """Of an output that reconstructs an input: padded steps of that input do not count."""
    copy = plan.copies[output.name]
    slot, value = plan.inputs.get(copy.input), graph.inputs.get(copy.input)
    if slot is None or value is None or slot.pad_value is None or slot.is_windowed:
        return "all"
    given = _sizes(value)
    axes = axes_of_padding(given, is_float=value.dtype.startswith("float"))
    order = matching_order(given, _sizes(output.value))
    if not axes or order is None:
        return "all"
    return "values" if given[order[-1]][0] in axes else "steps"


def _sizes(value: Value) -> tuple[tuple[str, int | str | None], ...]:
    return tuple((axis.name, size_to_json(axis.size)) for axis in value.axes)
