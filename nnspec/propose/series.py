"""The spec that is proposed for a series: a forecast from a window of its past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError, did_you_mean
from nnspec.propose.profile import Form, Profile
from nnspec.propose.series_columns import Roles, assign_roles, order_rows
from nnspec.propose.spacing import Spacing, find_spacing
from nnspec.propose.table_file import TableFile
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.dates import read_dates
from nnspec.runtime.rules.series_keys import join_keys
from nnspec.runtime.rules.times import sort_keys

_EPOCH = datetime(1970, 1, 1)
_SHARE_OF_WINDOWS = 3  # a series' training rows are at least so many windows long
_MOST_PAIRED = 12  # columns of which pairs are tried
_FEWEST_ROWS = 10  # of a series, on average


@dataclass(kw_only=True)
class SeriesPlan:
    """What is proposed for a series.

    Attributes:
        by: the columns that tell several series apart; none where there is one.
        roles: what becomes of the other columns.
        spacing: the intervals of the rows.
        has_context: whether windows of a split begin in the rows of the one before, since it has too few.
        shortest: the number of rows of the shortest series.
        count: how many series there are.
        coming: how many rows behind the last target have none.
    """

    target: Profile
    time: str
    by: tuple[str, ...]
    roles: Roles
    spacing: Spacing
    lookback: int
    has_context: bool
    horizon: int
    shortest: int
    count: int
    coming: int

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the window."""
        return (self.target.name, *self.roles.past)


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
    keys = _readable(table.cells[time], profiles[time])
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
    order = sort_keys(keys)
    rows = order_rows(keys, order, names, table.cells[target])
    shortest, coming = min(map(len, rows.series.values())), len(rows.coming) // len(rows.series)
    spacing = find_spacing(keys, names)
    season = spacing.rows_of_window
    lookback = max(min(max(season, horizon), int(shortest * 0.7 / _SHARE_OF_WINDOWS) - horizon), 1)
    tested = int(shortest * 0.15) - coming
    has_context = tested < 2 * (lookback + horizon)  # the rows of a window, and as many between splits
    if tested < horizon + 1 or shortest * 0.7 < lookback + horizon:
        message = (
            f"the shortest series of `{path.name}` has {shortest} rows, too few for windows of {horizon} rows ahead"
        )
        raise _refuse(path, message, "forecast fewer rows ahead: `--horizon 1`")
    if any(is_missing(table.cells[target][first]) for first, *_ in rows.series.values()):
        raise _refuse(path, f"`{target}` has no value in the first row of a series, so its gap cannot be filled")
    others = [profile for profile in profiles.values() if profile.name not in (target, time, *found)]
    return SeriesPlan(
        target=profiles[target],
        time=time,
        by=found,
        roles=assign_roles(others, table.cells, rows),
        spacing=spacing,
        lookback=lookback,
        has_context=has_context,
        horizon=horizon,
        shortest=shortest,
        count=len(rows.series),
        coming=len(rows.coming),
    )


def _readable(cells: Sequence[str], profile: Profile) -> Sequence[str]:
    """Times in ISO 8601, of whatever format they are."""
    if not profile.date_formats:
        return cells
    seconds = read_dates(cells, profile.date_formats[0])
    return ["" if one is None else (_EPOCH + timedelta(seconds=one)).isoformat() for one in seconds]


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


def _refuse(path: Path, message: str, *fixes: str) -> SpecError:
    place = Span(Source(str(path), ""))
    return SpecError([Diagnostic("NN599", message, place, path="", fixes=tuple(map(Fix, fixes)))])
