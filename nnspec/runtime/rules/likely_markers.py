"""Numbers that may stand for missing values: those that are written so (-999, 9999, 99.99), come often and lie far off.

Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FEWEST_OTHERS = 10
_MOST = 3  # of one column: a code for each reason
_FILLS = (32767.0, 32768.0, 2147483647.0, 2147483648.0, 999.25, 9.96921e36, 1e20, 1e30)  # what files are filled with


@dataclass(frozen=True, slots=True)
class LikelyMarker:
    """A number that may mark missing values.

    Attributes:
        count: how often it stands.
        low, high: between which all other numbers lie.
    """

    value: float
    count: int
    low: float
    high: float


def is_written_as_marker(value: float) -> bool:
    """Whether a number is written as markers are: nines, or three and more sevens or eights, or what files are filled
    with, of either sign."""
    size = abs(value)
    if not math.isfinite(size) or any(math.isclose(size, fill, rel_tol=1e-5) for fill in _FILLS):
        return math.isfinite(size)
    digits = f"{size:.7g}".replace(".", "")
    return len(set(digits)) == 1 and len(digits) >= (2 if digits[0] == "9" else 3) and digits[0] in "789"


def is_marker_beside(value: float, count: int, low: float, high: float, others: int) -> bool:
    """Whether a number that is written as a marker lies so far from all others, and comes so often, that it may be one.

    A number below them must be half as far away as they are apart, one above them, as large values are, twice as far.

    Args:
        low, high: between which the others lie.
        others: how many these are.
    """
    gap = low - value if value < low else (value - high) / 4
    return count >= 2 and others >= FEWEST_OTHERS and high > low and gap > (high - low) / 2


def find_likely_markers(counts: Mapping[float, int]) -> Iterator[LikelyMarker]:
    """Those among the numbers of a column, of which how often each stands is given."""
    values, total = sorted(counts), sum(counts.values())
    for _ in range(_MOST):
        for end in (0, -1):
            if len(values) < 3 or not is_written_as_marker(values[end]):
                continue
            value, rest = values[end], values[1:] if end == 0 else values[:-1]
            if _is_one(value, counts, rest, total):
                total -= counts[value]
                values = rest
                yield LikelyMarker(value, counts[value], *_between(rest))
                break


def _is_one(value: float, counts: Mapping[float, int], rest: list[float], total: int) -> bool:
    low, high = _between(rest)
    return is_marker_beside(value, counts[value], low, high, total - counts[value])


def _between(values: list[float]) -> tuple[float, float]:
    """The ends of numbers but for further ones that are written as markers."""
    known = [value for value in (values[0], values[-1]) if not is_written_as_marker(value)]
    inner = [value for value in values if not is_written_as_marker(value)] if len(known) < 2 else values
    return (inner[0], inner[-1]) if inner else (values[0], values[-1])
