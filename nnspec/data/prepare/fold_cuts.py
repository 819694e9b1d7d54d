"""Folds of rows in sequence, by a rolling origin. Standard library only: `check` and the loader ask the same."""

from __future__ import annotations


def cut_rolling(rows: int, folds: int, gap: int = 0) -> list[tuple[range, range]]:
    """The training and test rows of each fold of consecutive rows, as scikit-learn's `TimeSeriesSplit` has them.

    Every fold tests on `rows // (folds + 1)` rows, the last one on the last, and trains on all rows before, `gap` rows
    left out between.
    """
    size = rows // (folds + 1)
    starts = [rows - (folds - number) * size for number in range(folds)]
    return [(range(max(start - gap, 0)), range(start, start + size)) for start in starts]
