"""How often each moment of a long column of dates occurs, found by sorting: nearly every one may be another."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np

from nnspec.data.arrays import mapped, ordered
from nnspec.data.arrays.gathered import Gathered, weighted_chunks
from nnspec.data.arrays.growing import Growing
from nnspec.runtime.rules.dates import GAP


def count_dates(seconds: Gathered, most: int) -> tuple[int, int, int, list[tuple[int, int]]]:
    """How many moments there are, of them missing, how many different ones, and the most frequent with their counts.

    Args:
        seconds: of samples, `GAP` where one is missing; the row of several windows counts in each.
        most: how many frequent ones are wanted; of those that are as frequent, the earlier come first.
    """
    values, often = Growing(), Growing()
    for chunk, weights in weighted_chunks(seconds):
        values.append(chunk.reshape(-1))
        counts = np.ones(len(chunk), np.int64) if weights is None else weights
        often.append(np.repeat(counts, chunk.shape[1]))
    distinct = total = missing = 0
    first: list[tuple[int, int]] = []
    for moments, counts in _runs(values.finish(), often.finish()):
        distinct, total = distinct + len(moments), total + int(counts.sum())
        missing += int(counts[moments == GAP].sum())
        chosen = np.lexsort((moments, -counts))[:most]
        pairs = zip(moments[chosen].tolist(), counts[chosen].tolist(), strict=True)
        first = heapq.nsmallest(most, [*first, *pairs], key=lambda pair: (-pair[1], pair[0]))
    return total, missing, distinct, first


def _runs(values: np.ndarray, often: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each value, sorted, with how often it counts, in pieces."""
    order = ordered.argsort(values)
    before: tuple[np.ndarray, np.ndarray] | None = None
    for part in mapped.stretches(len(order), 32):
        own, starts = np.unique(values[order[part]], return_index=True)
        counts = np.add.reduceat(often[order[part]], starts)
        mapped.trim((part.stop - part.start) * mapped.AROUND)
        if before is not None and before[0][-1] == own[0]:  # a value that goes on behind the end of a piece
            counts[0] += before[1][-1]
            before = before[0][:-1], before[1][:-1]
        if before is not None:
            yield before
        before = own, counts
    if before is not None:
        yield before
