"""Gaps between known values of a series, filled on a straight line: one rule for training and a deployed model.

A window knows nothing of the rows behind it. So a gap whose next known value is within the window's rows is filled on
the line between its neighbours, and one that lasts to the window's end repeats the last known value, as a table that
ends there would have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Between:
    """What gaps hold where the next known value is not too late: axes `row *rest`.

    Attributes:
        values: on the line between the known neighbours; elsewhere what is known.
        following: the position of the next known value of the series; of a known one its own, and beyond the last row
            where none follows.
    """

    values: np.ndarray
    following: Positions

    def within(self, carried: np.ndarray, at: Positions, last: Positions) -> np.ndarray:
        """The rows of windows, axes `sample step *rest`.

        Args:
            carried: the same rows with the last known value in each gap.
            at: their positions, axes `sample step`.
            last: the position of the last row that a window reads, axes `sample`.
        """
        limit = last.reshape(-1, *[1] * carried[0].ndim)
        return np.where(self.following[at] <= limit, self.values[at], carried)

    def column(self, place: int) -> Between:
        """One of the columns."""
        return replace(self, values=self.values[:, place], following=self.following[:, place])


def interpolate_gaps(values: np.ndarray, missing: Mask, starts: Positions) -> Between:
    """The straight lines through gaps.

    Args:
        values, missing: axes `row`, or `row column`.
        starts: the position at which each series begins.
    """
    count = len(values)
    numbers = np.arange(count).reshape(-1, *[1] * (values.ndim - 1))
    edges = np.append(starts, count)
    series = np.searchsorted(starts, np.arange(count), side="right") - 1
    begin, end = (edges[series + step].reshape(numbers.shape) for step in (0, 1))
    before = np.maximum.accumulate(np.where(missing, -1, numbers), axis=0)
    following = np.minimum.accumulate(np.where(missing, count, numbers)[::-1], axis=0)[::-1]
    following = np.where(following < end, following, count)
    has_both = (before >= begin) & (following < count)
    first, then = (np.take_along_axis(values, np.clip(at, 0, count - 1), axis=0) for at in (before, following))
    share = (numbers - before) / np.maximum(following - before, 1)
    line = first + (then - first) * share
    return Between(np.where(missing & has_both, line, values), np.where(has_both, following, count))
