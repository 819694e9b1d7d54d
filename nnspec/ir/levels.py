"""The levels of a quantile output: which shares of the targets are to lie below its values."""

from __future__ import annotations

from collections.abc import Sequence

LEVEL = "level"  # the axis that runs over them
DEFAULT = (0.1, 0.5, 0.9)
_CLOSE = 1e-9  # 1 - 0.9 is not 0.1


def middle(levels: Sequence[float]) -> int:
    """The position of the level nearest the median, the lower one of two."""
    return min(range(len(levels)), key=lambda i: round(abs(levels[i] - 0.5), 9))


def pairs(levels: Sequence[float]) -> list[tuple[int, int]]:
    """The intervals between a level and its mirror image, as positions of both, the widest first."""
    found = []
    for low, level in enumerate(levels):
        high = next((i for i, other in enumerate(levels) if abs(1 - level - other) < _CLOSE), low)
        if low < high:
            found.append((low, high))
    return found


def share(levels: Sequence[float], low: int, high: int) -> float:
    """The share of targets that an interval is to hold: 0.8 between 0.1 and 0.9."""
    return round(levels[high] - levels[low], 9)
