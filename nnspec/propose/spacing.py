"""How far the rows of a series are apart in time, and which of them are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise

from nnspec.runtime.rules.time_steps import Step, step_of
from nnspec.runtime.rules.times import SortKey, sort_keys

_FEW = 0.05  # of the rows that there would be
_MOST_COUNTED = 100_000  # rows of a gap
_LAST_SAFE_DAY = 28  # which every month has
_MOST = 144  # rows of a window
_USUAL = 12  # rows of a window where nothing is known of time
_UNITS = ((604800, "w", "week"), (86400, "d", "day"), (3600, "h", "hour"), (60, "min", "minute"), (1, "s", "second"))
# How long a window is, by the interval of the rows.
_SEASONS = (
    (timedelta(minutes=10), timedelta(hours=1)),
    (timedelta(hours=2), timedelta(days=1)),
    (timedelta(days=2), timedelta(days=14)),
    (timedelta(days=8), timedelta(days=182)),
    (timedelta(days=32), timedelta(days=366)),
    (timedelta(days=93), timedelta(days=731)),
)


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """The intervals of rows.

    Attributes:
        every: the usual one as the spec writes it; empty where there is none.
        interval: in SQL; empty where adding it again and again does not give the times.
        step: a row's time and the next one's are so far apart; None where there is no usual one.
        missing: how many rows are not there, in how many series.
        odd: how many steps are of another length, whether rows are missing there or not, of how many steps.
        first_gap: the time before the first row that is missing.
        has_hours: whether times are more than days.
    """

    every: str = ""
    interval: str = ""
    step: Step | None = None
    missing: int = 0
    series: int = 0
    odd: int = 0
    steps: int = 0
    first_gap: str = ""
    has_hours: bool = False

    @property
    def is_even(self) -> bool:
        """Whether every step is of the usual length."""
        return bool(self.every) and not self.odd

    @property
    def has_few_gaps(self) -> bool:
        """Whether all that is odd are a few missing rows."""
        return bool(self.every) and 0 < self.missing <= _FEW * self.steps

    @property
    def rows_of_window(self) -> int:
        """As many rows as a season has."""
        length = self.step.length if self.step is not None else None
        if self.step is not None and self.step.months:
            length = timedelta(days=30.4375 * self.step.months)
        if not isinstance(length, timedelta):
            return _USUAL
        season = next((season for limit, season in _SEASONS if length < limit), 6 * length)
        return max(6, min(_MOST, int(season / length)))

    def span_of(self, rows: int) -> str:
        """How long so many rows are, in words."""
        if self.step is None or not self.every:
            return ""
        if self.step.months:
            months = rows * self.step.months
            return in_units(months // 12, "year") if months % 12 == 0 else in_units(months, "month")
        if not isinstance(self.step.length, timedelta):
            return ""
        seconds = rows * self.step.length.total_seconds()
        return next((in_units(int(seconds // size), word) for size, _, word in _UNITS if not seconds % size), "")


def in_units(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def find_spacing(keys: Sequence[str], names: Sequence[str]) -> Spacing:
    """The usual interval, and what is missing of it.

    Args:
        keys: the times of the rows.
        names: the series of each row.
    """
    times = sort_keys(keys)
    if not times or isinstance(times[0], str) or any(time != time for time in times):
        return Spacing()
    series: dict[str, list[int]] = {}
    for row in sorted(range(len(times)), key=lambda row: times[row]):
        series.setdefault(names[row], []).append(row)
    step = step_of("auto", times, chain.from_iterable(map(pairwise, series.values())))
    if step is None:
        return Spacing()
    every, interval = _write_step(step, times)
    missing, odd, holey, first_gap = 0, 0, set(), ""
    for name, rows in series.items():
        for before, after in pairwise(rows):
            if step.fits(times[before], times[after]):
                continue
            odd += 1
            count = _count_between(step, times[before], times[after])
            if count is None:
                continue
            first_gap = first_gap or keys[before]
            missing += count
            holey.add(name)
    is_whole = odd == 0 or missing > 0
    return Spacing(
        every=every if is_whole else "",
        interval=interval,
        step=step,
        missing=missing,
        series=len(holey),
        odd=odd,
        steps=len(times) - len(series),
        first_gap=first_gap,
        has_hours=isinstance(times[0], datetime) and any(time.time() != datetime.min.time() for time in times),
    )


def _write_step(step: Step, times: Sequence[SortKey]) -> tuple[str, str]:
    """A step as a spec writes it, and as SQL does."""
    if step.months:
        years = step.months % 12 == 0
        count = step.months // 12 if years else step.months
        is_safe = all(isinstance(time, datetime) and time.day <= _LAST_SAFE_DAY for time in times)
        word = "year" if years else "month"
        return f"{count}{word}", f"{count} {word.upper()}" if is_safe else ""
    if isinstance(step.length, timedelta):
        seconds = step.length.total_seconds()
        for size, unit, word in _UNITS:
            if seconds % size == 0 and seconds:
                return f"{int(seconds // size)}{unit}", f"{int(seconds // size)} {word.upper()}"
        return "", ""
    length = step.length or 0.0
    is_whole = length >= 1 and length == int(length)
    return (str(int(length)), str(int(length))) if is_whole else ("", "")


def _count_between(step: Step, before: SortKey, after: SortKey) -> int | None:
    """How many steps are left out between two times; None where their distance is no multiple of a step."""
    moment, count = before, 0
    if step.months or not isinstance(step.length, timedelta):
        while moment < after and count < _MOST_COUNTED:  # type: ignore[operator]
            moment = step.after(moment)
            count += 1
        return count - 1 if moment == after else None
    whole, rest = divmod(after - before, step.length)  # type: ignore[operator]
    return int(whole) - 1 if not rest and whole > 1 else None
