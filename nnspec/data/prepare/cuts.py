"""Boundaries of splits in whole rows."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.data.section.split_plan import Part


def cut(rows: int, parts: Iterable[Part], gap: int = 0) -> dict[str, range]:
    """Ranges of `rows` consecutive rows, one a part, in order.

    A part begins where those before it end, and `gap` rows later if another came before it, so the parts before a gap
    keep their size. Fractions are of the rows that parts with a number of rows leave; what they leave over is in no
    range. Where there are fewer rows than the parts together name, the first parts get less.
    """
    parts = list(parts)
    counted = sum(part.count or 0 for part in parts)
    rest, late = max(rows - counted, 0), max(counted - rows, 0)
    ranges: dict[str, range] = {}
    done, taken = 0.0, 0
    for part in parts:
        start = _whole(done * rest) + taken - late + (gap if ranges else 0)
        done += 0.0 if part.count else part.fraction or 0.0
        taken += part.count or 0
        stop = max(min(_whole(done * rest) + taken - late, rows), 0)
        ranges[part.name] = range(min(max(start, 0), stop), stop)
    return ranges


def _whole(number: float) -> int:
    """The whole part, with 0.7 + 0.15 + 0.15 taken as 1."""
    return int(number + 1e-6)
