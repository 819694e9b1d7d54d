"""The diagnostic of missing values, NN504."""

from __future__ import annotations

from dataclasses import replace

from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import ColumnFacts, SourcePlan
from nnspec.diagnostics import Diagnostic, Fix, Span

NOTHING_BEFORE = "a gap is filled with what comes before it, but no value precedes these rows"


def fills_in_graph(slot: SlotPlan, model: Slot) -> bool:
    """Whether the deployed graph can fill an input's gaps: columns by themselves, or as floats or texts of one input.

    Whole numbers have no value that says that one is missing.
    """
    return slot.role == "inputs" and bool(slot.encodings or (slot.columns and (model.is_float or model.is_text)))


def filled_in_graph(plan: DataPlan, slot: SlotPlan, model: Slot, name: str) -> tuple[Fix, ...]:
    """How the deployed graph could fill a column's gaps, as a fix; rows in sequence are better carried forward."""
    if not fills_in_graph(slot, model):
        return _as_floats(plan, slot, model, name)
    if plan.window is not None:
        return ()
    if model.is_text:
        return (
            Fix(
                f"`missing: {{{name}: constant}}` keeps missing texts as empty ones, `{{constant: TEXT}}` fills one in"
            ),
        )
    if any(column.name == name and column.is_text for column in slot.encodings):
        return (Fix(f"`missing: {{{name}: constant}}` makes missing values a separate category"),)
    return (Fix(f"`missing: {{{name}: median}}` fills in the median of the training rows, as the deployed model does"),)


def _as_floats(plan: DataPlan, slot: SlotPlan, model: Slot, name: str) -> tuple[Fix, ...]:
    """What a rule that fills gaps in the graph takes, where the input's numbers are whole ones."""
    rule = plan.missing_rule(name)
    if slot.role != "inputs" or not rule.is_in_graph:
        return ()
    why = f"`missing: {rule.policy}` needs an input that can hold a gap, and `{slot.name}` has dtype {model.dtype}"
    return (Fix(f"{why}: write `dtype: float32`, or `columns: {{{name}: index}}` for the ids of an Embedding"),)


def missing_in_slot(
    plan: DataPlan, slot: SlotPlan, model: Slot, name: str, column: ColumnFacts, key: str
) -> Diagnostic:
    """NN504 for a column of an input or output, at its `key` in the spec."""
    return missing_values(
        slot.source,
        name,
        list(column.missing or ()),
        slot.span_of(key),
        slot.where("columns"),
        *filled_in_graph(plan, slot, model, name),
        total=column.rows,
        is_target=slot.role == "outputs",
    )


def missing_key(source: SourcePlan, name: str, rows: list[int], span: Span, where: str) -> Diagnostic:
    """NN504 for a column that orders, groups or divides rows: `missing` fills no key."""
    from nnspec.runtime.engine.types import quote_name

    fixes = (
        Fix("give each of these rows a value: `missing` does not fill columns that order, group or divide rows"),
        Fix(f"or leave them out: `query: SELECT * FROM source WHERE {quote_name(name)} IS NOT NULL`"),
    )
    return replace(missing_values(source, name, rows, span, where), fixes=fixes)


def missing_values(
    source: SourcePlan,
    name: str,
    rows: list[int],
    span: Span,
    where: str,
    *more: Fix,
    total: int | None = None,
    is_target: bool = False,
    noun: str = "column",
) -> Diagnostic:
    """NN504 for a column: which rows (from 1) have no value, and the ways out, `more` among them.

    Args:
        total: how many rows there are, where that is known.
        is_target: whether they are targets, which nothing fills.
        noun: what messages call it.
    """
    if len(rows) == total:
        message = f"column `{name}` of `{source.shown}` has no value in any of its {total} rows"
        return Diagnostic(
            "NN504", message, span, path=where, fixes=(Fix("name a column with values, or leave it out"),)
        )
    shown = ", ".join(str(row) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    count = "1 value" if len(rows) == 1 else f"{len(rows)} values"
    first = "" if len(rows) == 1 else "the first in "
    where_is = (
        f"row{'s' * (len(rows) > 1)} {shown}"
        if source.path.is_file()
        else f"{first}{source.source.locate(source, rows[0])}"
    )
    message = f"{noun} `{name}` of `{source.shown}` has {count} missing: {where_is}"
    drop = Fix("`missing: drop` leaves out every sample that contains a missing value")
    carry = Fix("`missing: forward_fill` repeats the last value before the gap")
    return Diagnostic("NN504", message, span, path=where, fixes=((drop,) if is_target else (carry, drop, *more)))
