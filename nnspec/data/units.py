"""What the numbers of inputs and outputs are measured in, by column: `data.units`, and `unit` of an input or output.

Functions and scales of columns change nothing here: the deployed model takes and gives the values of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.ir.graph import NO_TASK, Graph

Units = Mapping[str, str]  # by column; by an empty name for data without columns


def input_units(graph: Graph, plan: DataPlan | None, name: str) -> Units:
    """The units of an input of the network; categories and dates have none."""
    slot = plan.inputs.get(name) if plan is not None else None
    return _by_column(plan, slot, graph.units.get(name, ""))


def output_units(graph: Graph, plan: DataPlan | None, name: str) -> Units:
    """The units of an output, in which the deployed model gives it; of a reconstruction those of its input."""
    output = graph.outputs[name]
    if not (output.gives_values or output.task == NO_TASK):
        return {}
    copy = plan.copies.get(name) if plan is not None else None
    if copy is not None and not output.unit and plan is not None:
        slot = plan.inputs.get(copy.input)
        has_features = slot is not None and bool(slot.encodings)  # which are not what was measured
        return {} if has_features else input_units(graph, plan, copy.input)
    return _by_column(plan, plan.outputs.get(name) if plan is not None else None, output.unit)


def output_in_words(graph: Graph, plan: DataPlan | None, name: str) -> str:
    """What an output is measured in: `°F`, or `temp °F, wind mph` of several columns; empty where nobody said."""
    return in_words(output_units(graph, plan, name), plan.columns_of(name) if plan is not None else ())


def _by_column(plan: DataPlan | None, slot: SlotPlan | None, of_all: str) -> Units:
    if plan is None or slot is None:
        found = {"": of_all}
    elif slot.columns:
        found = {column: plan.units.get(column, of_all) for column in measured_columns(slot)}
    else:
        found = {"": plan.units.get(slot.array or "", of_all)}
    return {column: unit for column, unit in found.items() if unit}


def measured_columns(slot: SlotPlan) -> list[str]:
    """Those of an input's or output's columns whose values are numbers, rather than categories or dates."""
    if not slot.encodings:
        return list(slot.columns)
    return [column.name for column in slot.encodings if column.is_number]


def is_changed(slot: SlotPlan | None) -> bool:
    """Whether the network has other numbers than the data, which a file without scaling takes and gives."""
    if slot is None:
        return False
    is_scaled = slot.scale is not None and slot.scale.method != "none"
    return bool(is_scaled or slot.function or slot.is_relative or slot.encodings)


def unit_of_all(units: Units, columns: Sequence[str]) -> str:
    """The unit that all values have; empty where they have several, or some have none."""
    found = {units.get(column, "") for column in (columns or ("",))}
    return found.pop() if len(found) == 1 else ""


def describe_units(units: Units, columns: Sequence[str]) -> dict[str, object]:
    """For metadata: `unit` where all values have the same, else `units` by column; nothing where none is known."""
    whole = unit_of_all(units, columns)
    if whole:
        return {"unit": whole}
    return {"units": dict(units)} if units else {}


def in_words(units: Units, columns: Sequence[str] = ()) -> str:
    """`°F`, or `temp °F, wind mph` where columns have several; empty where none is known."""
    whole = unit_of_all(units, columns)
    return whole or ", ".join(f"{column} {unit}".strip() for column, unit in units.items())


def with_unit(name: str, unit: str) -> str:
    """A name with its unit, as axes of plots and heads of tables have it: `temp (°F)`."""
    return f"{name} ({unit})" if unit else name
