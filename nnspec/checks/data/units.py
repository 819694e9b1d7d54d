"""Checks that units belong to numbers: not to categories, dates or words, and not to names that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.units import measured_columns
from nnspec.diagnostics import Diagnostic, Fix, did_you_mean
from nnspec.ir.graph import NO_TASK


def check_units(context: Context) -> Iterator[Diagnostic]:
    """NN593."""
    yield from _check_named(context)
    for role, names in (("inputs", context.graph.units), ("outputs", _outputs(context))):
        for name in names:
            fault = _reason_against(context, role, name)
            if fault is not None:
                message = f"`unit` of {role.removesuffix('s')} `{name}` {fault[0]}"
                span, path = context.span(role, name, "unit"), f"{role}.{name}.unit"
                yield Diagnostic("NN593", message, span, path=path, fixes=(Fix(fault[1]),))


def _outputs(context: Context) -> list[str]:
    return [name for name, output in context.graph.outputs.items() if output.unit]


def _reason_against(context: Context, role: str, name: str) -> tuple[str, str] | None:
    """Why a whole input or output has no unit, and what to do."""
    graph, plan = context.graph, context.plan
    if role == "inputs" and graph.inputs[name].dtype == "string":
        return "does not apply: it takes text, not numbers", "remove `unit`"
    if role == "outputs" and not (graph.outputs[name].gives_values or graph.outputs[name].task == NO_TASK):
        return f"does not apply: its task is {graph.outputs[name].task}", "remove `unit`"
    slot = getattr(plan, role).get(name) if plan is not None else None
    if plan is None or slot is None:
        return None
    twice = next((column for column in (*slot.columns, slot.array) if column in plan.units), None)
    if twice is not None:
        return f"repeats that of `{twice}` in `data.units`", "keep one of them"
    if slot.columns and not measured_columns(slot):
        return "does not apply: its columns are categories or dates", "remove `unit`"
    return None


def _check_named(context: Context) -> Iterator[Diagnostic]:
    """Of `data.units`: each is a column or an array of numbers that an input or output reads."""
    plan = context.plan
    if plan is None or not plan.units:
        return
    measured, known = _names(context, plan)
    for name in plan.units:
        if name in measured:
            continue
        message = f"`units` names `{name}`, which no input or output reads{did_you_mean(name, measured)}"
        fixes: tuple[Fix, ...] = ()
        if name in known:
            message = f"`units` names `{name}`, whose values are {known[name]}, not numbers"
            fixes = (Fix(f"remove `{name}` from `units`"),)
        yield Diagnostic("NN593", message, context.span("data", "units", name), path=f"data.units.{name}", fixes=fixes)


def _names(context: Context, plan: DataPlan) -> tuple[set[str], dict[str, str]]:
    """Columns and arrays that are read as numbers, and what all others are."""
    measured: set[str] = set()
    known: dict[str, str] = {}
    for slot in plan.slots():
        numbers = _numbers_of(context, slot)
        measured |= set(numbers)
        forms = {column.name: "dates" if column.is_date else "categories" for column in slot.encodings}
        for name in (*slot.columns, *([slot.array] if slot.array else [])):
            if name not in numbers:
                is_text = slot.role == "inputs" and not slot.encodings
                known.setdefault(name, forms.get(name, "texts" if is_text else "labels"))
    return measured, known


def _numbers_of(context: Context, slot: SlotPlan) -> list[str]:
    graph = context.graph
    if slot.role == "inputs":
        value = graph.inputs.get(slot.name)
        is_number = value is None or value.dtype != "string"
    else:
        output = graph.outputs.get(slot.name)
        is_number = output is None or output.gives_values
    return [*measured_columns(slot), *([slot.array] if slot.array else [])] if is_number else []
