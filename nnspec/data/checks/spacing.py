"""Rows of a series at equal steps in time: what is missing, and what is there twice. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import RowLayout, column_values
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.runtime.rules.time_steps import step_of


def check_spacing(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN574 for `series: {every: …}`: gaps and doubles, with their rows and series."""
    if plan.every is None or not layout.keys:
        return
    keys = layout.keys
    span, where = plan.spans.get("series.every", plan.span), "data.series.every"
    follows = chain.from_iterable(map(pairwise, layout.series))
    step = None if isinstance(keys[0], str) else step_of(plan.every, keys, follows)
    if step is None:
        message = f"`every: {plan.every}` does not fit the times of `{plan.order_by}`, such as `{keys[0]}`"
        fix = Fix("times are dates with `every: 1d`, `1h`, `15min`, `1month`, …, or numbers with `every: 1`")
        yield Diagnostic("NN574", message, span, path=where, fixes=(fix,))
        return
    gaps, doubles = [], []
    names = None if plan.series is None else column_values(plan, files, plan.series, len(layout.rows))
    for series in layout.series:
        for position, following in pairwise(series):
            before, after = keys[position], keys[following]
            if step.fits(before, after):
                continue
            row = layout.rows[position]
            rows = f"rows {row + 1} and {layout.rows[following] + 1}"
            rows += "" if names is None else f" of `{names[row]}`"
            if before == after:
                doubles.append(f"{rows} ({before})")
            else:
                gaps.append(f"{rows} ({before} to {after})")
    single = "keep one row per time, for example by a `query` with GROUP BY and avg"
    whole = "add the missing rows, for example by a `query` that joins generate_series"
    for found, one, many, remedy in (
        (doubles, "duplicate time", "duplicate times", single),
        (gaps, "step is not of this length", "steps are not of this length", whole),
    ):
        if found:
            told = f" (the most frequent step, {step})" if plan.every == "auto" else ""
            listed = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
            what = f"{len(found)} {one if len(found) == 1 else many}"
            message = f"`every: {plan.every}`{told}: {what}: {listed}"
            yield Diagnostic("NN574", message, span, path=where, fixes=(Fix(remedy),))
