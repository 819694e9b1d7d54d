"""What becomes of the columns of a series beside its target: part of the past, known ahead, the same throughout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nnspec.propose.profile import Form, Profile
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.times import parse_times

_TRAINED = 0.7
_FEWEST_TIMES = 3  # that a part of a date comes again before a column is told to follow from it
_PARTS: tuple[tuple[str, Callable[[datetime], object]], ...] = (
    ("the weekday", datetime.weekday),
    ("the month", lambda time: time.month),
    ("the hour", lambda time: time.hour),
    ("the day of the month", lambda time: time.day),
    ("the day of the year", lambda time: (time.month, time.day)),
)


@dataclass(kw_only=True)
class Roles:
    """The columns beside the target.

    Attributes:
        past: numbers of which the window has each row.
        known: what is known ahead, each with its encoding.
        static: what is the same in all rows of a series, each with its encoding.
        left_out: the columns that are not used, each with the reason.
        reasons: why a column is known ahead.
        perhaps: those of the past that may be known ahead, which the data do not tell.
    """

    past: list[str] = field(default_factory=list)
    known: dict[str, object] = field(default_factory=dict)
    static: dict[str, object] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    perhaps: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of each series in the order of time.

    Attributes:
        coming: those behind the last that has a target.
    """

    keys: Sequence[str]
    series: Mapping[str, Sequence[int]]
    coming: Sequence[int]


def order_rows(keys: Sequence[str], order: Sequence[object], names: Sequence[str], target: Sequence[str]) -> Rows:
    """The rows of a table of series.

    Args:
        order: what sorts the rows.
        names: the series of each.
        target: its values.
    """
    series: dict[str, list[int]] = {}
    for row in sorted(range(len(order)), key=lambda row: order[row]):  # type: ignore[arg-type, return-value]
        series.setdefault(names[row], []).append(row)
    coming: list[int] = []
    for rows in series.values():
        for row in reversed(rows):
            if not is_missing(target[row]):
                break
            coming.append(row)
    return Rows(keys=keys, series=series, coming=coming)


def assign_roles(profiles: Sequence[Profile], cells: Mapping[str, Sequence[str]], rows: Rows) -> Roles:
    """A role for each column, or the reason why it has none.

    Args:
        profiles: of the columns that are neither the target, the time nor what tells series apart.
    """
    roles = Roles()
    for profile in profiles:
        name, values = profile.name, cells[profile.name]
        is_plain = profile.form in (Form.NUMBER, Form.CATEGORY)
        if reason := _unusable(profile):
            roles.left_out[name] = reason
        elif len(rows.series) > 1 and _is_same_throughout(values, rows):
            if profile.missing:
                roles.left_out[name] = "the same in all rows of a series, but some have no value"
            elif not profile.is_number and profile.distinct == len(rows.series):
                roles.left_out[name] = "it has another value for each series, as a name of it"
            else:
                roles.static[name] = "standard" if profile.is_number else "one_hot"
        elif is_plain and _is_same_in_training(values, rows):
            roles.left_out[name] = "it has one value in all rows of training"
        elif is_plain and not profile.missing and (reason := _known_ahead(values, rows)):
            is_amount = profile.is_number and (profile.distinct == 2 or profile.form is Form.NUMBER)
            roles.known[name], roles.reasons[name] = "standard" if is_amount else "one_hot", reason
        elif not profile.is_number:
            roles.left_out[name] = "words, which differ from row to row: give them a separate input with `one_hot`"
        elif any(is_missing(values[first]) for first, *_ in rows.series.values()):
            roles.left_out[name] = "a series begins without a value of it"
        else:
            roles.past.append(name)
            if profile.form is Form.CATEGORY:
                roles.perhaps.append(name)
    return roles


def _unusable(profile: Profile) -> str:
    """Why a column is of no use, whatever its values are in time; empty where it may be of some."""
    if profile.stray:
        return profile.stray
    if profile.form is Form.CONSTANT:
        return "the same value in every row" if profile.values else "no values"
    if profile.form is Form.IDENTIFIER and not profile.is_number:
        return f"{profile.distinct} different values in {profile.values} rows: it identifies rows"
    if profile.form is Form.IDENTIFIER:
        return "it numbers the rows"
    if profile.form is Form.DATE:
        return "dates beside the time of the rows"
    if profile.form is Form.LISTS:
        return "several words a cell"
    return "text" if profile.form is Form.TEXT else ""


def _is_same_throughout(values: Sequence[str], rows: Rows) -> bool:
    return all(
        len({values[row] for row in series if not is_missing(values[row])}) <= 1 for series in rows.series.values()
    )


def _is_same_in_training(values: Sequence[str], rows: Rows) -> bool:
    trained = [series[: int(_TRAINED * len(series))] for series in rows.series.values()]
    return len({values[row] for series in trained for row in series if not is_missing(values[row])}) <= 1


def _known_ahead(values: Sequence[str], rows: Rows) -> str:
    """Why a column without gaps is known ahead; empty where the data do not tell."""
    if rows.coming:
        return "it has values where the target has none yet"
    times = parse_times(rows.keys)
    if times is None:
        return ""
    for word, part in _PARTS:
        found: dict[object, set[str]] = defaultdict(set)
        seen: dict[object, set[datetime]] = defaultdict(set)
        for time, value in zip(times, values, strict=True):
            found[part(time)].add(value)
            seen[part(time)].add(time)
        if all(len(one) == 1 for one in found.values()) and min(map(len, seen.values())) >= _FEWEST_TIMES:
            return f"it follows from {word}"
    return ""
