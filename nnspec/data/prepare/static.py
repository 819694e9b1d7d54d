"""Values that are the same in all rows of a series."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.rows import Rows
from nnspec.data.section.ahead import varies
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.diagnostics import SpecError


def check_static(
    plan: DataPlan, rows: Mapping[tuple[str, str], Rows], series: NDArray[np.int64], order: NDArray[np.int64]
) -> None:
    """Compares each row of static inputs with the one before it in its series.

    Args:
        rows: of each input and output, in their final order.
        series: a number for each row's series; axes `row`.
        order: each row's number in the file, from 0; axes `row`.

    Raises:
        SpecError: NN583.
    """
    for slot in plan.inputs.values():
        if slot.is_static:
            _check(plan, slot, rows[slot.role, slot.name], series, order)


def _check(plan: DataPlan, slot: SlotPlan, rows: Rows, series: NDArray[np.int64], order: NDArray[np.int64]) -> None:
    for index, name in enumerate(slot.columns or (slot.array or slot.name,)):
        values = rows.values[:, index] if slot.columns else rows.values.reshape(len(rows), -1)
        missing = rows.missing[:, index] if slot.columns else rows.missing.reshape(len(rows), -1).any(axis=1)
        known = np.flatnonzero(~missing)
        before, after = known[:-1], known[1:]
        changed = (values[before] != values[after]).reshape(len(before), -1).any(axis=1)
        changed &= series[before] == series[after]
        if changed.any():
            pair = (int(before[changed][0]), int(after[changed][0]))
            shown = [str(values[i]) if slot.columns else "another value" for i in pair]
            count = len(np.unique(series[before[changed]]))
            raise SpecError(
                [varies(plan, slot, name, shown, (int(order[pair[0]]) + 1, int(order[pair[1]]) + 1), count)]
            )
