"""Forecasts that feed on themselves: what is fed back, and whether everything else is known for the rows ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnspec.data.section.plan import DataPlan, Slot, SlotPlan, WindowPlan
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.diagnostics.lists import quoted


def with_furthest(plan: DataPlan, window: WindowPlan) -> DataPlan:
    """The plan of the windows that forecasts which feed on themselves are compared with, on the same splits."""
    return replace(plan, window=window.furthest, split=replace(plan.split, gap=plan.gap))


def fed_inputs(plan: DataPlan) -> Iterator[SlotPlan]:
    """The inputs that forecasts go into: those that end with the window."""
    yield from (slot for slot in plan.inputs.values() if slot.ahead == "no" and not slot.is_static)


def forecast_of(plan: DataPlan, slot: SlotPlan, column: str) -> tuple[str, int] | None:
    """The output that forecasts a column of an input, and the column's position in it."""
    for output in plan.outputs.values():
        if column in output.columns and output.source.identity == slot.source.identity:
            return output.name, output.columns.index(column)
    return None


def check_recursion(plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN544: a column ends with the window, and nothing forecasts it. NN545: a model cannot feed on its outputs."""
    window = plan.window
    if window is None or not window.recursive:
        return
    for message, instead in _misfits(plan):
        span = plan.spans.get("window.recursive", window.span)
        yield Diagnostic("NN545", message, span, path="data.window.recursive", fixes=(Fix(instead),))
    for output in plan.outputs.values():
        model = outputs.get(output.name)
        if model is not None and (model.task != "regression" or not output.columns or not output.is_windowed):
            what = f"is a {model.task} output" if model.task != "regression" else "has no columns of the window's table"
            message = f"output `{output.name}` {what}, so its values cannot be fed back into the window"
            fix = Fix("remove `recursive`, or make it a regression of columns")
            yield Diagnostic("NN545", message, output.span, path=output.where(), fixes=(fix,))
    for slot in fed_inputs(plan):
        yield from _check_input(plan, slot, inputs.get(slot.name))


def _misfits(plan: DataPlan) -> Iterator[tuple[str, str]]:
    window = plan.window
    assert window is not None
    last = max(window.horizon)
    if window.horizon != tuple(range(1, last + 1)):
        shown = list(window.horizon) if window.has_steps else window.horizon[0]
        yield (
            f"forecasts are fed back row by row, but the horizon is {shown}: the rows between are not forecast",
            "set `horizon` to 1, or to a list of all rows from 1, as in `[1, 2, 3]`",
        )
    elif window.recursive <= last:
        yield (
            f"`recursive: {window.recursive}` is not beyond the horizon, {last}: nothing is fed back",
            f"set it to more than {last} rows, or remove it",
        )
    elif window.recursive % last:
        yield (
            f"`recursive: {window.recursive}` is not a multiple of the {last} rows that are forecast at once",
            f"set it to {window.recursive - window.recursive % last + last}",
        )
    named = [name for slot in plan.outputs.values() for name in slot.columns]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        yield f"{quoted(twice)} is forecast by several outputs, so it is unclear which is fed back", "keep one of them"
    if plan.copies:
        name = next(iter(plan.copies))
        yield f"output `{name}` reconstructs its input, which is not a forecast", "remove `recursive`, or that output"


def _check_input(plan: DataPlan, slot: SlotPlan, model: Slot | None) -> Iterator[Diagnostic]:
    if not slot.columns:
        message = f"input `{slot.name}` has `{slot.data_key}`, but forecasts are fed back into columns of a table"
        fix = Fix("read it from a table, or remove `recursive`")
        yield Diagnostic("NN545", message, slot.span_of(slot.data_key), path=slot.where(slot.data_key), fixes=(fix,))
        return
    if model is not None and not slot.encodings and not model.is_float:
        message = f"input `{slot.name}` has dtype {model.dtype}, which cannot hold forecasts: they have fractions"
        yield Diagnostic("NN545", message, slot.span, path=slot.where(), fixes=(Fix("declare it as float32"),))
    encodings = {column.name: column for column in slot.encodings}
    for index, name in enumerate(slot.columns):
        key, path = slot.item_key("columns", index), slot.where("columns")
        if forecast_of(plan, slot, name) is None:
            message = (
                f"column `{name}` of input `{slot.name}` ends with the window and is not forecast, so its values in "
                f"the rows ahead are not known"
            )
            fixes = (
                Fix(f"forecast it too: add `{name}` to the columns of an output"),
                Fix(f"if it is known ahead, as a date or a plan is, read `{name}` in an input with `ahead: true`"),
            )
            yield Diagnostic("NN544", message, slot.span_of(key), path=path, fixes=fixes)
        elif name in encodings and (encodings[name].is_text or encodings[name].is_date):
            message = f"column `{name}` of input `{slot.name}` is read as words, but its forecasts are numbers"
            fix = Fix(f"read it as a number, as in `{name}: standard`")
            yield Diagnostic("NN545", message, slot.span_of(key), path=path, fixes=(fix,))
