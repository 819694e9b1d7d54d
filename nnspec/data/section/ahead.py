"""Inputs that are known ahead of the window, and those that are the same in all rows of a series."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.diagnostics import Diagnostic, Fix


def check_reach(plan: DataPlan, slot: SlotPlan) -> Iterator[Diagnostic]:
    """NN583 and NN584: `static` without series, `ahead` without what it goes beyond, targets that are known ahead."""

    def fault(code: str, key: str, message: str, *fixes: str) -> Diagnostic:
        return Diagnostic(code, message, slot.span_of(key), path=slot.where(key), fixes=tuple(map(Fix, fixes)))

    if slot.is_static and plan.series_column is None:
        message = f"input `{slot.name}` is static, the same in all rows of a series, but `data` names no series"
        yield fault("NN583", "static", message, "name the column that tells series apart: `series: {by: COLUMN}`")
    if slot.ahead == "no":
        return
    if slot.is_static:
        message = f"input `{slot.name}` is static, so it has no rows ahead of the window"
        yield fault("NN584", "ahead", message, "remove `ahead`: what is the same in all rows is known ahead")
    elif not slot.is_windowed or plan.window is None:
        why = "has `window: false`" if plan.window is not None else "is in a section without `window`"
        message = f"`ahead` reads rows after a window, but input `{slot.name}` {why}"
        yield fault("NN584", "ahead", message, "set `window: {lookback: …, horizon: …}`, or remove `ahead`")
    elif max(plan.window.horizon) == 0:
        message = f"`ahead` reads rows up to the furthest horizon, which is 0, so input `{slot.name}` has none"
        yield fault("NN584", "ahead", message, "set a horizon of at least 1, or remove `ahead`")
    else:
        yield from _check_targets(plan, slot)


def _check_targets(plan: DataPlan, slot: SlotPlan) -> Iterator[Diagnostic]:
    for output in plan.outputs.values():
        for index, name in enumerate(slot.columns):
            if name in output.columns and output.source.identity == slot.source.identity:
                message = (
                    f"column `{name}` is the target of output `{output.name}`, so it is not known ahead: input "
                    f"`{slot.name}` would show the network what it must predict"
                )
                fix = Fix(f"read `{name}` in an input without `ahead`")
                key = slot.item_key("columns", index)
                yield Diagnostic("NN584", message, slot.span_of(key), path=slot.where("columns"), fixes=(fix,))


def varies(
    plan: DataPlan, slot: SlotPlan, name: str, shown: list[str], rows: tuple[int, int], count: int
) -> Diagnostic:
    """NN583 for a column: its first two values that differ, the rows (from 1) that have them, in how many series."""
    key = slot.item_key("columns", slot.columns.index(name)) if name in slot.columns else slot.data_key
    within = "1 series" if count == 1 else f"{count} series"
    message = (
        f"column `{name}` of static input `{slot.name}` varies within {within}: `{shown[0]}` in row {rows[0]}, "
        f"`{shown[1]}` in row {rows[1]} of the same `{plan.series_column}`"
    )
    fixes = (
        Fix("read it in an input without `static`, so that it has a step axis"),
        Fix("with `window: false` such an input has the value of the window's last row"),
    )
    return Diagnostic("NN583", message, slot.span_of(key), path=slot.where("columns"), fixes=fixes)
