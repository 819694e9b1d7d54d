"""Windows of consecutive rows, within one split."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.section.plan import WindowPlan

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]


def with_context(member: Mask, groups: Positions, window: WindowPlan) -> Mask:
    """The rows of a split, and those before it that its windows may begin in: axes `position`."""
    if not window.has_context:
        return member
    found = member.copy()
    for back in range(1, window.lookback + 1):
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
        range(start, stop - window.reach + 1, window.stride)
        for start, stop in _runs(member, groups)
        if stop - start >= window.reach
    ]
    found = mapped.Filled(sum(map(len, starts)))
    for start in starts:
        for part in mapped.stretches(len(start), 64):
            found.append(_complete(mapped.numbers_of(start[part]), inputs_ok, targets_ok, window, ahead_ok))
    return found.rows


def _complete(
    first: Positions, inputs_ok: Mask, targets_ok: Mask, window: WindowPlan, ahead_ok: Mask | None
) -> Positions:
    """The last rows of the windows that lack nothing, of those that begin at these rows, ascending."""
    base, ends = int(first[0]), first + window.lookback - 1
    bad = _bad_before(inputs_ok[base : int(ends[-1]) + 1])
    complete = bad[ends - base + 1] == bad[first - base]
    if ahead_ok is not None:
        bad = _bad_before(ahead_ok[base : int(ends[-1]) + max(window.horizon) + 1])
        complete &= bad[ends - base + max(window.horizon) + 1] == bad[ends - base + 1]
    for horizon in window.horizon:
        complete &= targets_ok[ends + horizon]
    return np.asarray(ends[complete])


def _bad_before(ok: Mask) -> Positions:
    """How many rows before each, and before the end, lack something."""
    return np.concatenate([[0], np.cumsum(~ok)])


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
    edges = [0]
    for part in mapped.stretches(len(member) - 1, 32):
        then = slice(part.start + 1, part.stop + 1)
        change = (member[then] != member[part]) | (groups[then] != groups[part])
        edges += (np.flatnonzero(change) + part.start + 1).tolist()
    edges.append(len(member))
    return [(start, stop) for start, stop in pairwise(edges) if member[start]]
