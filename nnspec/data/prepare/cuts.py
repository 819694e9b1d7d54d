"""Boundaries of splits in whole rows."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.data.section.plan import Part


def cut(rows: int, parts: Iterable[Part], gap: int = 0) -> dict[str, range]:
    """Ranges of `rows` consecutive rows, one a part, in order.

    A part begins where the fractions before it end, and `gap` rows later if another came before it, so the parts
    before a gap keep their size. Rows that the fractions leave over are in no range.
    """
    ranges: dict[str, range] = {}
    done = 0.0
    for part in parts:
        start = _whole(done * rows) + (gap if ranges else 0)
        done += part.fraction or 0.0
        stop = min(_whole(done * rows), rows)
        ranges[part.name] = range(min(start, stop), stop)
    return ranges


def _whole(number: float) -> int:
    """The whole part, with 0.7 + 0.15 + 0.15 taken as 1."""
    return int(number + 1e-6)
