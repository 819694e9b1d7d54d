"""How far apart rows are in time: windows count rows, so that a longer step than the usual one is worth a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped


def describe_gaps(times: np.ndarray, series: NDArray[np.int64]) -> str | None:
    """A sentence on the steps that are longer than the usual one, with their number; None where there are none.

    Weekends in trading days are such steps: nothing is wrong with them.

    Args:
        times: numbers or moments, ascending within a series; axes `position`.
        series: a number for each position's series.
    """
    if len(times) < 3 or times.dtype.kind not in "iufM":
        return None
    lengths, counts = times[:1][1:] - times[:1][1:], np.zeros(0, np.int64)
    for part in mapped.stretches(len(times) - 1, 64):
        then = slice(part.start + 1, part.stop + 1)
        steps = (times[then] - times[part])[series[then] == series[part]]
        own, often = np.unique(steps[steps > np.zeros(1, steps.dtype)], return_counts=True)
        lengths, place = np.unique(np.concatenate([lengths, own]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, often]), len(lengths)).astype(np.int64)
    if not len(lengths):
        return None
    usual = lengths[counts.argmax()]
    longer = int(counts[lengths > usual].sum())
    if not longer:
        return None
    what = "1 step is" if longer == 1 else f"{longer} steps are"
    return (
        f"windows count rows, not time: rows are usually {_describe_step(usual)} apart, and {what} longer "
        f"(up to {_describe_step(lengths[-1])})"
    )


def _describe_step(step: object) -> str:
    """`1 day`, `3 hours`, or the number where time is one."""
    if not isinstance(step, np.timedelta64):
        return f"{step:g}"
    seconds = step / np.timedelta64(1, "s")
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = round(float(seconds / length), 2)
            return f"{count:g} {name}" + ("" if count == 1 else "s")
    return f"{seconds:g} seconds"
