"""Small tables as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """A CSV file of these columns; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(
            ["" if value is None else value for value in row] for row in zip(*columns.values(), strict=True)
        )
    return path


def days(count: int) -> list[str]:
    """Dates, one a day."""
    from datetime import date, timedelta

    return [str(date(2020, 1, 1) + timedelta(days=day)) for day in range(count)]
