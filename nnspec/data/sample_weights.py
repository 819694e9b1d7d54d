"""How much each sample counts, by a column of the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.checks.weights import missing_weights, weight_fault
from nnspec.data.prepare.loading import ColumnCache
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import Reading
from nnspec.diagnostics import SpecError


def sample_weights(
    plan: DataPlan, tables: ColumnCache, split: str, order: NDArray[np.int64], at: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """How much each sample of a split counts, axes `sample`: as much as the row of its last target.

    Args:
        order: the row in the file of each position.
        at: the position of each sample.

    Returns:
        None where all count the same.

    Raises:
        SpecError: NN575 where none counts, or a row has no weight.
    """
    if plan.weight is None or plan.source is None:
        return None
    column = tables.columns(plan.source, [plan.weight], Reading.NUMBER)[0]
    if column.missing.any():
        missing = (np.flatnonzero(column.missing) + 1).tolist()
        raise SpecError([weight_fault(plan, missing_weights(plan.weight, missing))])
    ahead = 0 if plan.window is None else max(plan.window.horizon)
    found = mapped.map_rows(lambda part: column.values[order[part + ahead]].astype(np.float32), at)
    if not found.any():
        raise SpecError([weight_fault(plan, f"the weights `{plan.weight}` are all 0 in split `{split}`")])
    return np.asarray(found)
