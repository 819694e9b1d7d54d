"""What sorts rows: numbers, moments that are ISO 8601, or text. One rule for checks, training and a deployed model.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nnspec.runtime.csv_rules import CellError, NumberColumn


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
