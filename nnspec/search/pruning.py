"""Pruning by medians: what a trial must have reached after each epoch, from the trials of earlier generations.

Those are finished when a generation begins, so that whether a trial is pruned depends neither on when it runs nor on
what runs beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from nnspec.search.plan import SearchPlan
from nnspec.search.trials import COMPLETE, Finished

LEAST = 3  # values that a median is taken of


def limits_of(plan: SearchPlan, finished: Sequence[Finished]) -> dict[int, float]:
    """By epoch, from 1: the median of what the complete trials of earlier generations had after it."""
    if not plan.is_pruned:
        return {}
    known = [trial.outcome.epochs for trial in finished if trial.outcome.state == COMPLETE]
    found: dict[int, float] = {}
    for epoch in range(plan.warmup, max(map(len, known), default=0) + 1):
        values = [epochs[epoch - 1] for epochs in known if len(epochs) >= epoch]
        if len(values) >= LEAST:
            found[epoch] = median(values)
    return found


def is_pruned(epochs: Sequence[float], limits: dict[int, float], *, is_maximized: bool) -> bool:
    """Whether the best value so far is worse than the limit of the last epoch."""
    limit = limits.get(len(epochs))
    if limit is None:
        return False
    return max(epochs) < limit if is_maximized else min(epochs) > limit
