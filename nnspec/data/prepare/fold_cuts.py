"""Folds in sequence, by a rolling origin, and of whole groups.

Standard library only: `check` and the loader ask the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace


def cut_rolling(rows: int, folds: int, gap: int = 0) -> list[tuple[range, range]]:
    """The training and test rows of each fold of consecutive rows, as scikit-learn's `TimeSeriesSplit` has them.

    Every fold tests on `rows // (folds + 1)` rows, the last one on the last, and trains on all rows before, `gap` rows
    left out between.
    """
    size = rows // (folds + 1)
    starts = [rows - (folds - number) * size for number in range(folds)]
    return [(range(max(start - gap, 0)), range(start, start + size)) for start in starts]


def deal_groups(sizes: Sequence[int], folds: int) -> list[int]:
    """The fold of each group: the largest first, each to the fold with the fewest rows, as `GroupKFold` does.

    Args:
        sizes: how many rows with a sample each group has.
    """
    filled = [(0, fold) for fold in range(folds)]
    heapify(filled)
    found = [0] * len(sizes)
    for group in sorted(range(len(sizes)), key=sizes.__getitem__)[::-1]:
        rows, fold = filled[0]
        found[group] = fold
        heapreplace(filled, (rows + sizes[group], fold))
    return found
