"""Rows of a series at equal steps in time: what is missing, and what is there twice. Standard library only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import RowLayout, column_values
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.runtime.time_rules import SortKey

Moment: TypeAlias = SortKey
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_MONTHS = {"month": 1, "year": 12}
_HOUR = timedelta(hours=1)
_MONTH, _SHORTEST_MONTH, _ODD_DAYS = 30.4375, 29, 2  # days; four weeks are no month


@dataclass(frozen=True, slots=True)
class Step:
    """How far a row is from the one before it: a number, a stretch of time, or calendar months."""

    length: timedelta | float | None = None
    months: int = 0

    def after(self, moment: Moment) -> Moment:
        if self.months and isinstance(moment, datetime):
            month = moment.month - 1 + self.months
            first = moment.replace(year=moment.year + month // 12, month=month % 12 + 1, day=1)
            following = (first + timedelta(days=32)).replace(day=1)
            is_last = (moment + timedelta(days=1)).month != moment.month
            days = (following - first).days
            return first.replace(day=days if is_last else min(moment.day, days))
        return moment + self.length  # type: ignore[operator]


def check_spacing(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN574 for `series: {every: …}`: gaps and doubles, with their rows and series."""
    if plan.every is None or not layout.keys:
        return
    keys = layout.keys
    span, where = plan.spans.get("series.every", plan.span), "data.series.every"
    step = None if isinstance(layout.keys[0], str) else _step_of(plan.every, keys, layout)
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
            if _is_clock_change(before, after, step):
                continue
            row = layout.rows[position]
            rows = f"rows {row + 1} and {layout.rows[following] + 1}"
            rows += "" if names is None else f" of `{names[row]}`"
            if before == after:
                doubles.append(f"{rows} ({before})")
            elif step.after(before) != after:
                gaps.append(f"{rows} ({before} to {after})")
    single = "keep one row of each time, as `query` can with GROUP BY and avg"
    whole = "add the missing rows, as `query` can: a join with generate_series"
    for found, one, many, remedy in (
        (doubles, "time is there twice", "times are there twice", single),
        (gaps, "step is not of this length", "steps are not of this length", whole),
    ):
        if found:
            told = f" (the most frequent step, {_written(step)})" if plan.every == "auto" else ""
            listed = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
            what = f"{len(found)} {one if len(found) == 1 else many}"
            message = f"`every: {plan.every}`{told}: {what}: {listed}"
            yield Diagnostic("NN574", message, span, path=where, fixes=(Fix(remedy),))


def _step_of(every: str, keys: Sequence[Moment], layout: RowLayout) -> Step | None:
    has_dates = isinstance(keys[0], datetime)
    if every == "auto":
        return _usual_step(keys, layout)
    found = re.fullmatch(r"(\d+) ?([a-z]*)", every)
    if found is None:
        return None
    count, unit = int(found[1]), found[2]
    if unit in _MONTHS and has_dates:
        return Step(months=count * _MONTHS[unit])
    if unit in _SECONDS and has_dates:
        return Step(timedelta(seconds=count * _SECONDS[unit]))
    return Step(float(count)) if not unit and not has_dates else None


def _usual_step(keys: Sequence[Moment], layout: RowLayout) -> Step | None:
    steps = Counter(keys[q] - keys[p] for s in layout.series for p, q in pairwise(s) if keys[p] != keys[q])  # type: ignore[operator]
    if not steps:
        return None
    usual = steps.most_common(1)[0][0]
    if not isinstance(usual, timedelta) or usual.days < _SHORTEST_MONTH:
        return Step(usual)
    months = round(usual.days / _MONTH)
    return Step(months=months) if abs(usual.days - months * _MONTH) < _ODD_DAYS else Step(usual)


def _written(step: Step) -> str:
    return f"{step.months} month{'s' * (step.months > 1)}" if step.months else str(step.length)


def _is_clock_change(before: Moment, after: Moment, step: Step) -> bool:
    """Whether an hour is missing or there twice because clocks were changed: in the night to a Sunday."""
    if not isinstance(before, datetime) or not isinstance(after, datetime):
        return False
    if not isinstance(step.length, timedelta) or step.length > _HOUR:
        return False
    is_night = before.weekday() == 6 and after.hour <= 4 and before.date() == after.date()
    is_spring = after - before == step.length + _HOUR
    is_autumn = after - before in (timedelta(0), step.length - _HOUR)
    return is_night and (is_spring or is_autumn)
