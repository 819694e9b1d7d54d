"""Dates as a deployed model takes them: whole seconds since 1970-01-01 00:00, in UTC where they have an offset.

A column is ISO 8601 as in `rules.times`, unless its `format` says otherwise: one of `strptime`, or `unix` (seconds) or
`unix_ms`. Fractions of seconds are cut off. Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from nnspec.runtime.rules.csv import CellError, is_missing, missing_among
from nnspec.runtime.rules.iso_times import IsoColumn
from nnspec.runtime.rules.times import is_zoned, parse_times

GAP = -(2**63)
"""The number of a date that is missing: NumPy's NaT."""

UNIX = {"unix": 1, "unix_ms": 1000}
"""Formats of numbers, and how many of them a second has."""

_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # of the years 1 to 9999
_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)
_COMMON = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d %B %Y"),
    *(
        "%b %d, %Y",
        "%B %d, %Y",
        "%d-%b-%Y",
        "%d-%b-%y",
        "%m/%d/%y",
        "%d/%m/%y",
        "%d.%m.%y",
        "%Y-%m",
        "%Y/%m",
        "%b %Y",
        "%Y",
    ),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def read_dates(cells: Sequence[str], form: str | None = None) -> list[int | None]:
    """The seconds of each cell, None where it holds nothing.

    Raises:
        CellError: at the first cell that is no date of this format.
    """
    distinct = list(dict.fromkeys(cells))
    for index in reversed(missing_among(distinct)):
        del distinct[index]
    known = dict(zip(distinct, _seconds(distinct, form), strict=True))
    bad = {cell for cell, seconds in known.items() if seconds is None}
    if bad:
        index = next(i for i, cell in enumerate(cells) if cell in bad)
        raise CellError(index, cells[index])
    return [known.get(cell) for cell in cells]


def _seconds(cells: Sequence[str], form: str | None) -> list[int | None]:
    """Of each cell the seconds; None where it is no date."""
    if form in UNIX:
        return [_unix(cell, UNIX[form]) for cell in cells]
    if form is not None:
        return [_parse_formatted(cell, form) for cell in cells]
    microseconds = IsoColumn().read(cells)
    if microseconds is not None:
        return [number // 1_000_000 for number in microseconds]
    times = parse_times(cells)
    if times is not None:
        return [(time - _EPOCH) // _SECOND for time in times]
    alone = [parse_times([cell]) for cell in cells]
    if None not in alone:  # with an offset and without one: those of the rarer kind do not belong
        zoned = list(map(is_zoned, cells))
        odd = sum(zoned) * 2 <= len(zoned)
        return [None if is_zoned is odd else 0 for is_zoned in zoned]
    return [None if time is None else 0 for time in alone]


def _unix(cell: str, per_second: int) -> int | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    seconds = math.floor(number / per_second) if math.isfinite(number) else _LAST + 1
    return seconds if _FIRST <= seconds <= _LAST else None


def _parse_formatted(cell: str, form: str) -> int | None:
    try:
        time = datetime.strptime(cell.strip(), form)
    except ValueError:
        return None
    return ((time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)) - _EPOCH) // _SECOND


def is_format(form: str) -> bool:
    """Whether a text is a format that what it writes is read by again."""
    if form in UNIX:
        return True
    sample = datetime(2004, 11, 28, 13, 5, 9, tzinfo=UTC)
    try:
        return "%" in form and datetime.strptime(sample.strftime(form), form).year in (1900, 2004)
    except ValueError:
        return False


def propose_formats(cells: Sequence[str]) -> list[str]:
    """The formats in common use that fit all cells: two where days and months cannot be told apart."""
    distinct = list(dict.fromkeys(cell for cell in cells if not is_missing(cell)))
    if not distinct:
        return []
    first = [day + time for day in _COMMON for time in _TIMES if _parse_formatted(distinct[0], day + time) is not None]
    if _unix(distinct[0], 1) is not None and len(distinct[0].strip()) in (9, 10, 13):
        first.append("unix_ms" if len(distinct[0].strip()) == 13 else "unix")
    return [form for form in first if None not in _seconds(distinct, form)]
