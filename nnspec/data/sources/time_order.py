"""Whether text sorts by time: ISO 8601 is read, other text must have the year first and one form throughout."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nnspec.runtime.csv_rules import CellError, NumberColumn

_YEAR_FIRST = re.compile(r"\d{4}(\D|$)")
_LETTERS = re.compile(r"[^\W\d_]+")


def parse_times(cells: Sequence[str]) -> list[datetime] | None:
    """The moments of cells that are all ISO 8601 dates, with or without a time; None where one is not.

    With offsets they are moments in UTC; some with and some without an offset have no order.
    """
    try:
        times = [datetime.fromisoformat(cell.strip()) for cell in cells]
    except ValueError:
        return None
    aware = [time.tzinfo is not None for time in times]
    if any(aware):
        return [time.astimezone(UTC).replace(tzinfo=None) for time in times] if all(aware) else None
    return times


def sort_keys(values: Sequence[Any]) -> list[Any]:
    """What rows are sorted by, one a row: numbers where all are, moments where all are ISO 8601, else text."""
    if not all(isinstance(value, str) for value in values):
        return list(values)
    try:
        numbers = NumberColumn().read(values)
    except CellError:
        return list(parse_times(values) or values)
    if any(isinstance(number, float) for number in numbers):
        return [math.nan if number is None else float(number) for number in numbers]
    return list(numbers)


def find_unsortable(cells: Sequence[str]) -> str | None:
    """The first text that does not sort by time, such as `31/12/2020`, `01:00 PM` or `2020-Jan`; None where all do."""
    if not cells or parse_times(cells) is not None:
        return None
    width, letters = len(cells[0]), _LETTERS.findall(cells[0])
    for cell in cells:
        if not _YEAR_FIRST.match(cell) or len(cell) != width:
            return cell
        if _LETTERS.findall(cell) != letters:  # names of months sort by the alphabet
            return cell
    return None
