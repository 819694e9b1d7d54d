"""Windows of consecutive rows, within one split."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nnspec.data.section.plan import WindowPlan

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]


def with_context(member: Mask, groups: Positions, window: WindowPlan) -> Mask:
    """The rows of a split, and those before it that its windows may begin in: axes `position`."""
    found = member.copy()
    for back in range(1, window.lookback + 1 if window.has_context else 1):
        found[:-back] |= member[back:] & (groups[back:] == groups[:-back])
    return found


def window_ends(
    member: Mask, groups: Positions, inputs_ok: Mask, targets_ok: Mask, window: WindowPlan, ahead_ok: Mask | None = None
) -> Positions:
    """The position of each window's last row.

    A window's rows, its targets' rows and all between them follow one another within the split and one group, so no
    row serves two splits. All masks have axes `position`.

    Args:
        member: the rows of the split.
        groups: a number for each row's group; windows do not join two.
        inputs_ok: rows whose inputs are complete. A window that touches another is left out.
        targets_ok: rows whose targets are complete.
        ahead_ok: rows whose inputs that are known ahead are complete; None where there are no such inputs.
    """
    starts = [
        np.arange(start, stop - window.reach + 1, window.stride, dtype=np.int64)
        for start, stop in _runs(member, groups)
        if stop - start >= window.reach
    ]
    if not starts:
        return np.zeros(0, dtype=np.int64)
    first = np.concatenate(starts)
    bad = np.concatenate([[0], np.cumsum(~inputs_ok)])
    ends = first + window.lookback - 1
    complete = bad[ends + 1] == bad[first]
    if ahead_ok is not None:
        bad = np.concatenate([[0], np.cumsum(~ahead_ok)])
        complete &= bad[ends + max(window.horizon) + 1] == bad[ends + 1]
    for horizon in window.horizon:
        complete &= targets_ok[ends + horizon]
    return np.asarray(ends[complete])


def take_windows(values: np.ndarray, ends: Positions, rows: range) -> np.ndarray:
    """The rows around each window's last row: axes `row *rest` to `sample step *rest`.

    Args:
        rows: relative to the window's last row.
    """
    return np.asarray(values[ends[:, None] + np.array(rows)])


def take_targets(values: np.ndarray, ends: Positions, window: WindowPlan) -> np.ndarray:
    """The rows at the horizon: axes `row *rest` to `sample *rest`, or `sample step *rest` where it is a list."""
    if window.has_steps:
        return np.asarray(values[ends[:, None] + np.array(window.horizon)])
    return np.asarray(values[ends + window.horizon[0]])


def _runs(member: Mask, groups: Positions) -> list[tuple[int, int]]:
    """The stretches of consecutive member rows of one group, as (start, stop)."""
    if not len(member):
        return []
    change = (member[1:] != member[:-1]) | (groups[1:] != groups[:-1])
    edges = [0, *(np.flatnonzero(change) + 1).tolist(), len(member)]
    return [(start, stop) for start, stop in pairwise(edges) if member[start]]
