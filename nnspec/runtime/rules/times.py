"""What sorts rows: numbers, moments that are ISO 8601, or text. One rule for checks, training and a deployed model.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import Any

from nnspec.runtime.rules.csv import CellError, NumberColumn

SortKey = float | datetime | str  # of one column all are of one kind
MOST_KEPT = 100_000
_SHORTEST_IN_UTC = len("2020-12-31T13Z")
_in_utc = methodcaller("endswith", "Z")


def parse_times(cells: Sequence[str]) -> list[datetime] | None:
    """The moments of cells that are all ISO 8601 dates, with or without a time; None where one is not.

    With offsets they are moments in UTC; some with and some without an offset have no order.
    """
    return _kept(tuple(cells)) if len(cells) <= MOST_KEPT else _parsed(cells)


def is_zoned(cell: str) -> bool:
    """Whether a moment in ISO 8601 has an offset."""
    return datetime.fromisoformat(cell.strip()).tzinfo is not None


@lru_cache(maxsize=2)  # a check asks twice: whether text sorts by time, and in which order it does
def _kept(cells: tuple[str, ...]) -> list[datetime] | None:
    return _parsed(cells)


def _parsed(cells: Sequence[str]) -> list[datetime] | None:
    is_utc = min(map(len, cells), default=0) >= _SHORTEST_IN_UTC and all(map(_in_utc, cells))
    try:  # a zone made for each cell takes longer than all else
        times = list(map(datetime.fromisoformat, [cell[:-1].lstrip() if is_utc else cell.strip() for cell in cells]))
    except ValueError:
        return None
    zones = set(map(attrgetter("tzinfo"), times))
    if zones == {None} or not times:
        return times
    if None in zones or is_utc:
        return None
    if zones != {UTC}:
        times = [time.astimezone(UTC) for time in times]
    return [time.replace(tzinfo=None) for time in times]


def sort_keys(values: Sequence[Any]) -> list[Any]:
    """What rows are sorted by, one a row: numbers where all are, moments where all are ISO 8601, else text."""
    if not all(issubclass(kind, str) for kind in set(map(type, values))):
        return list(values)
    try:
        NumberColumn().read(values[:1])  # of moments and text, the first tells
        numbers = NumberColumn().read(values)
    except CellError:
        return list(parse_times(values) or values)
    if any(isinstance(number, float) for number in numbers):
        return [math.nan if number is None else float(number) for number in numbers]
    return list(numbers)
