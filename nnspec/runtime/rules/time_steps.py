"""How far rows of a series are apart in time: the same for the checks of data and for a deployed model.

Standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from nnspec.runtime.rules.times import SortKey

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

    def fits(self, before: Moment, after: Moment) -> bool:
        """Whether one row is a step behind the other; an hour may be missing or double where clocks are changed."""
        return _is_clock_change(before, after, self) or self.after(before) == after

    def __str__(self) -> str:
        return f"{self.months} month{'s' * (self.months > 1)}" if self.months else str(self.length)


def step_of(every: str, keys: Sequence[Moment], follows: Iterable[tuple[int, int]]) -> Step | None:
    """The step that `every` says; None where it is none of such times.

    Args:
        keys: the times of the rows.
        follows: pairs of rows of a series that follow one another, by position in `keys`: `auto` is what most have.
    """
    has_dates = isinstance(keys[0], datetime)
    if every == "auto":
        return _usual_step(keys, follows)
    found = re.fullmatch(r"(\d+) ?([a-z]*)", every)
    if found is None:
        return None
    count, unit = int(found[1]), found[2]
    if unit in _MONTHS and has_dates:
        return Step(months=count * _MONTHS[unit])
    if unit in _SECONDS and has_dates:
        return Step(timedelta(seconds=count * _SECONDS[unit]))
    return Step(float(count)) if not unit and not has_dates else None


def _usual_step(keys: Sequence[Moment], follows: Iterable[tuple[int, int]]) -> Step | None:
    steps = Counter(keys[q] - keys[p] for p, q in follows if keys[p] != keys[q])  # type: ignore[operator]
    if not steps:
        return None
    usual = steps.most_common(1)[0][0]
    if not isinstance(usual, timedelta) or usual.days < _SHORTEST_MONTH:
        return Step(usual)
    months = round(usual.days / _MONTH)
    return Step(months=months) if abs(usual.days - months * _MONTH) < _ODD_DAYS else Step(usual)


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
