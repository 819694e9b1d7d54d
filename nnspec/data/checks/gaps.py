"""What missing values leave: gaps that nothing can fill, targets that nobody measured, splits without a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import RowLayout, has_window
from nnspec.data.prepare.missing import NOTHING_BEFORE, missing_values
from nnspec.data.section.column_plan import CARRIED, MissingRule
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Diagnostic, Fix, Severity


def check_gaps(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN504, NN505, NN514 and NN523, for a plan that does not refuse missing values."""
    gaps = [(slot, index, rows) for slot in plan.slots() for index, rows in gaps_of(files, slot).items()]
    if not gaps:
        return
    positions = _positions(layout)
    faults: list[Diagnostic] = []
    for slot, index, rows in gaps:
        rule = plan.missing_rule(slot.columns[index])
        if slot.role == "inputs" and rule.is_in_graph:
            continue
        if slot.role == "inputs" and rule.policy in CARRIED:
            faults += _check_leading_gaps(slot, index, layout, {positions[row] for row in rows})
            continue
        if rule.policy not in ("error", "drop"):
            faults.append(_target_with_gaps(rule, slot, index, len(rows)))
    yield from faults
    if not any(fault.is_error for fault in faults):
        yield from _check_rest(plan, layout, positions_with_gaps(plan, files, layout))


def positions_with_gaps(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> dict[str, set[int]]:
    """The positions whose gaps nothing fills, by what they keep from being a sample: see `SlotPlan.roles`."""
    positions: Mapping[int, int] | range | None = None
    bad: dict[str, set[int]] = {"inputs": set(), "outputs": set(), "ahead": set()}
    for slot in plan.slots():
        for index, rows in gaps_of(files, slot).items():
            rule = plan.missing_rule(slot.columns[index])
            if slot.role == "inputs" and (rule.is_in_graph or rule.policy in CARRIED):
                continue
            positions = _positions(layout) if positions is None else positions
            for role in slot.roles:
                bad[role] |= {positions[row] for row in rows}
    return bad


def _positions(layout: RowLayout) -> Mapping[int, int] | range:
    """The position of each row; rows in the file's order are their own, and need no table that grows with them."""
    if isinstance(layout.rows, range) and layout.rows.start == 0 and layout.rows.step == 1:
        return layout.rows
    return {row: position for position, row in enumerate(layout.rows)}


def gaps_of(files: PlanFacts, slot: SlotPlan) -> dict[int, list[int]]:
    """For each of a slot's columns that lacks values, by its index: the rows, from 0."""
    found: dict[int, list[int]] = {}
    if slot.counts_in_part:
        return found  # what does not count is not missed
    for index, name in enumerate(slot.columns):
        try:
            column = files.column(slot.source, name)
        except SourceError:
            continue
        if column is not None and column.missing:
            found[index] = [row - 1 for row in column.missing]
    return found


def _check_leading_gaps(slot: SlotPlan, index: int, layout: RowLayout, at: set[int]) -> list[Diagnostic]:
    """Gaps with which a series begins: there is nothing to fill them with."""
    rows = []
    for series in layout.series:
        for position in series:
            if position not in at:
                break
            rows.append(layout.rows[position] + 1)
    if not rows:
        return []
    span = slot.span_of(slot.item_key("columns", index))
    fault = missing_values(slot.source, slot.columns[index], sorted(rows), span, slot.where("columns"))
    return [replace(fault, notes=(NOTHING_BEFORE,), fixes=fault.fixes[1:])]


def _target_with_gaps(rule: MissingRule, slot: SlotPlan, index: int, count: int) -> Diagnostic:
    rows = "1 row has" if count == 1 else f"{count} rows have"
    return Diagnostic(
        "NN523",
        f"{rows} no value in column `{slot.columns[index]}` of output `{slot.name}`: targets are never filled, so "
        "every sample with such a target is left out",
        slot.span_of(slot.item_key("columns", index)),
        path=slot.where("columns"),
        notes=(f"`missing: {rule.policy}` fills inputs only: {_describe_filled(rule)} is not a measured target",),
        fixes=(
            Fix("remove these rows from the file, or enter the right values"),
            Fix("`missing: drop` leaves out every sample with a gap in inputs too, without this warning"),
        ),
        severity=Severity.WARNING,
    )


def _describe_filled(rule: MissingRule) -> str:
    return "a repeated value" if rule.policy in CARRIED else "a value that was filled in"


def _check_rest(plan: DataPlan, layout: RowLayout, bad_of: dict[str, set[int]]) -> Iterator[Diagnostic]:
    """Whether every split keeps a sample."""
    bad = bad_of["inputs"] | bad_of["outputs"]
    for part in plan.split.parts:
        stretches = layout.parts.get(part.name)
        if stretches is None:
            continue
        where, rows = f"data.split.{part.name}", sum(map(len, stretches))
        if plan.window is None:
            if rows and all(position in bad for stretch in stretches for position in stretch):
                yield Diagnostic("NN514", nothing_left(part.name, rows), part.span, path=where)
        elif not has_window(stretches, bad_of, plan.window):
            yield Diagnostic("NN505", no_window_left(part.name, rows, plan.window.reach), part.span, path=where)


def nothing_left(name: str, rows: int) -> str:
    """NN514 for a split whose every row has a gap."""
    return f"every one of the {rows} rows of split `{name}` has a missing value"


def no_window_left(name: str, rows: int, reach: int) -> str:
    """NN505 for a split whose every window has a gap."""
    return f"split `{name}` has {rows} rows, but no {reach} consecutive ones without a missing value"
