"""The spec that is proposed for a series: a forecast from a window of its past."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median

from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError, did_you_mean
from nnspec.propose.profile import Form, Profile
from nnspec.propose.spec_text import Lines, as_spec, identifier
from nnspec.propose.table import describe, remark_markers, training
from nnspec.propose.table_file import TableFile
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.series_keys import join_keys
from nnspec.runtime.rules.times import parse_times, sort_keys

_SHARE_OF_WINDOWS = 3  # a series' training rows are at least so many windows long
_MOST_PAIRED = 12  # columns of which pairs are tried
_FEWEST_ROWS = 10  # of a series, on average
# What a season is, by the interval of the rows: its name, and how many rows it has.
_SEASONS = (
    (timedelta(minutes=10), "an hour", 60),
    (timedelta(hours=2), "a day", 24),
    (timedelta(days=2), "two weeks", 14),
    (timedelta(days=8), "half a year", 26),
    (timedelta(days=32), "a year", 12),
    (timedelta(days=93), "two years", 8),
)


@dataclass(kw_only=True)
class SeriesPlan:
    """What is proposed for a series.

    Attributes:
        by: the columns that tell several series apart; none where there is one.
        left_out: columns of numbers that have no value in the first row of a series.
        has_context: whether windows of a split begin in the rows of the one before, since it has too few.
        shortest: the number of rows of the shortest series.
    """

    target: Profile
    time: str
    by: tuple[str, ...]
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    lookback: int
    has_context: bool
    horizon: int
    shortest: int
    season: str


def plan_series(table: TableFile, target: str, *, time: str | None, by: str | None, horizon: int) -> SeriesPlan:
    """A window, and the columns in it.

    Args:
        time: the column of time; None: the one that has dates.
        by: the column that tells several series apart, or several, separated by commas; None: the one, or the two,
            whose values make each time unique, if any.

    Raises:
        SpecError: NN599 where a column is missing, or the series are too short.
    """
    path, profiles = table.path, table.profiles
    given: tuple[str, ...] = () if not by else (by,) if by in profiles else tuple(by.split(","))
    for name in (target, time, *given):
        if name is not None and name not in profiles:
            raise _refuse(path, f"`{path.name}` has no column `{name}`{did_you_mean(name, profiles)}")
    if not profiles[target].is_number:
        raise _refuse(path, f"column `{target}` has {profiles[target].form.value}; a forecast is of numbers")
    time = time or _time_column(path, profiles)
    keys = table.cells[time]
    candidates = [p.name for p in profiles.values() if _may_name_series(p, target, time)]
    found = given
    if not by and len(set(keys)) < len(keys):
        tried = [*((name,) for name in candidates), *combinations(candidates[:_MOST_PAIRED], 2)]
        found = next((names for names in tried if _is_unique(keys, *(table.cells[name] for name in names))), ())
        if not found:
            row, again = _first_double(keys)
            message = (
                f"rows {row} and {again} of `{path.name}` have the same `{time}` ({keys[row - 1]}), and no column "
                "tells their series apart"
            )
            raise _refuse(path, message, "name it with `--by COLUMN`")
    names = join_keys([table.cells[name] for name in found]) if found else [""] * len(keys)
    shortest = min(Counter(names).values())
    first = next(iter(names))
    season, rows = _season([key for key, name in zip(keys, names, strict=True) if name == first])
    lookback = max(min(max(rows, horizon), int(shortest * 0.7 / _SHARE_OF_WINDOWS) - horizon), 1)
    has_context = int(shortest * 0.15) < 2 * (lookback + horizon)  # the rows of a window, and as many between splits
    if int(shortest * 0.15) < horizon + 1 or shortest * 0.7 < lookback + horizon:
        message = (
            f"the shortest series of `{path.name}` has {shortest} rows, too few for windows of {horizon} rows ahead"
        )
        raise _refuse(path, message, "forecast fewer rows ahead: `--horizon 1`")
    others = [p for p in profiles.values() if p.form is Form.NUMBER and p.name not in (target, time, *found)]
    starts = _first_rows(keys, names)
    left_out = [
        p.name for p in (profiles[target], *others) if any(is_missing(table.cells[p.name][row]) for row in starts)
    ]
    if target in left_out:
        raise _refuse(path, f"`{target}` has no value in the first row of a series, so its gap cannot be filled")
    return SeriesPlan(
        target=profiles[target],
        time=time,
        by=found,
        features=(target, *(p.name for p in others if p.name not in left_out)),
        left_out=tuple(left_out),
        lookback=lookback,
        has_context=has_context,
        horizon=horizon,
        shortest=shortest,
        season=season,
    )


def _time_column(path: Path, profiles: Mapping[str, Profile]) -> str:
    dates = [profile.name for profile in profiles.values() if profile.form is Form.DATE]
    if len(dates) != 1:
        listed = ", ".join(f"`{name}`" for name in dates)
        message = (
            f"columns {listed} of `{path.name}` all have dates" if dates else f"no column of `{path.name}` has dates"
        )
        raise _refuse(path, message, "name the column of time with `--time COLUMN`")
    return dates[0]


def _may_name_series(profile: Profile, target: str, time: str) -> bool:
    is_name = profile.form in (Form.CATEGORY, Form.IDENTIFIER, Form.TEXT) or profile.is_whole
    return is_name and profile.name not in (target, time) and profile.distinct * _FEWEST_ROWS <= profile.rows


def _is_unique(keys: Sequence[str], *names: Sequence[str]) -> bool:
    return len(set(zip(keys, *names, strict=True))) == len(keys)


def _first_double(keys: Sequence[str]) -> tuple[int, int]:
    """The first two rows with the same key, from 1."""
    seen: dict[str, int] = {}
    return next((seen[key], row) for row, key in enumerate(keys, 1) if seen.setdefault(key, row) != row)


def _first_rows(keys: Sequence[str], names: Sequence[str]) -> list[int]:
    """The earliest row of each series."""
    order = sort_keys(keys)
    first: dict[str, int] = {}
    for row in sorted(range(len(keys)), key=lambda row: order[row]):
        first.setdefault(names[row], row)
    return list(first.values())


def _season(keys: Sequence[str]) -> tuple[str, int]:
    """The season that rows of this interval have, and how many rows it is long."""
    times = parse_times(sorted(keys))
    if times is None or len(times) < 2:
        return "", 12
    step = timedelta(seconds=median((b - a).total_seconds() for a, b in pairwise(times)))
    return next(((name, rows) for limit, name, rows in _SEASONS if step < limit), ("", 6))


def _refuse(path: Path, message: str, *fixes: str) -> SpecError:
    place = Span(Source(str(path), ""))
    return SpecError([Diagnostic("NN599", message, place, path="", fixes=tuple(map(Fix, fixes)))])


def write_series_spec(name: str, table: TableFile, plan: SeriesPlan) -> str:
    """The commented spec; arguments as of `write_table_spec`."""
    goal, count = plan.target, len(plan.features)
    shown, profiles = table.shown, table.profiles
    output = identifier(goal.name)
    ahead = "one row" if plan.horizon == 1 else f"{plan.horizon} rows"
    lines = Lines()
    lines.comment(
        f"{shown}: {goal.rows} rows. Forecasts `{goal.name}` {ahead} ahead: {describe(goal)}.",
        "This spec was proposed from the data: change whatever you know better.",
        "",
        f"nnspec check {name}.yaml                      errors, before anything is trained",
        f"nnspec build {name}.yaml                      train, evaluate beside the last value repeated, export, verify",
        f"nnspec predict out/{name}/model.onnx NEW{table.path.suffix}   a forecast for every window of NEW",
    )
    lines.add("nnspec: 1", f"name: {name}")
    lines.add(f"description: {as_spec(f'{goal.name}, {ahead} ahead, from {plan.lookback} rows of {shown}.')}")
    lines.add(
        f"vars: {{lookback: {plan.lookback}, features: {count}}}",
        why=plan.season and f"a window is {plan.season} or less",
    )
    lines.add("", "data:", f"  source: {table.written}", f"  order_by: {as_spec(plan.time)}")
    if plan.by:
        by = as_spec(plan.by[0] if len(plan.by) == 1 else list(plan.by))
        count_of_series = len(set(zip(*(table.cells[column] for column in plan.by), strict=True)))
        lines.add(f"  series: {{by: {by}}}", why=f"{count_of_series} series; no window joins two")
    if any(profiles[column].missing for column in plan.features):
        lines.add("  missing: forward_fill", why="the value before it; a target is never filled")
    lines.add("  split: {train: 0.7, validation: 0.15, test: 0.15, by: time}", why="the latest rows are the test")
    horizon = "1" if plan.horizon == 1 else str(list(range(1, plan.horizon + 1)))
    context = ", context: true" if plan.has_context else ""
    why = "short series: windows may begin in the split before" if plan.has_context else ""
    lines.add(f"  window: {{lookback: $lookback, horizon: {horizon}{context}}}", why=why)
    lines.add("  inputs:")
    for column in plan.left_out:
        lines.remark(4, f"{column} is left out: a series begins without a value of it")
    lines.add(f"    past: {{columns: {as_spec(list(plan.features))}, scale: standard}}")
    for column in plan.features:
        remark_markers(lines, 4, table, column)
    lines.add("  outputs:")
    lines.add(f"    {output}: {{columns: [{as_spec(goal.name)}], relative_to: last, scale: standard}}")
    lines.add("", "inputs:", "  past: {axes: {time: $lookback, feature: $features}}", "")
    lines.add("model:", "  - GRU: {units: 32, over: time}", f"  - Dense: {{units: {plan.horizon}, as: step}}", "")
    lines.add("outputs:", f"  {output}: {{task: regression}}", "", *training("regression", goal.rows))
    return lines.text()
