"""Treats missing values as `missing` says, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.missing import NOTHING_BEFORE, fills_in_graph, missing_values
from nnspec.data.prepare.rows import Mask, Rows
from nnspec.data.section.column_plan import INTERPOLATE
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.runtime.interpolation import Between, between_known

Array = np.ndarray


def resolve_missing(
    plan: DataPlan, slot: SlotPlan, model: Slot, rows: Rows, groups: NDArray[np.int64], files: Array
) -> Rows:
    """Rows without gaps, but for those that a sample is left out for; what the graph is to fill is NaN, and not marked.

    With `drop` gaps stay marked. So do those of targets, whatever fills inputs: nobody measured what would stand there.

    Args:
        rows: in their final order.
        groups: values are not carried from one group to the next; axes `row`.
        files: each row's number in the file, from 0, for messages; axes `row`.

    Raises:
        SpecError: NN504 where values are missing, or nothing stands before them to fill them with.
    """
    if rows.has_none_missing or not rows.missing.any():
        return rows
    values, missing = rows.values, rows.missing.copy()
    between: Between | None = None
    refused, unfilled = np.zeros_like(missing), np.zeros_like(missing)
    for place, name in enumerate(slot.columns or ("*",)):
        part = (slice(None), place) if slot.columns else (slice(None),)
        if not missing[part].any():
            continue
        rule = plan.missing_rule(name)
        if rule.policy == "error" or (rows.padding is not None and slot.role == "inputs"):
            refused[part] = missing[part]
        elif rule.policy == "drop" or slot.role == "outputs":
            continue
        elif rule.policy == "forward_fill" or rule.policy == INTERPOLATE:
            if rule.policy == INTERPOLATE:
                between = between or Between(rows.values.copy(), np.full(missing.shape, len(missing)))
                line = between_known(rows.values[part], missing[part], starts_of(groups))
                between.values[part], between.following[part] = line.values, line.following
            values = values.copy() if values is rows.values else values
            values[part], unfilled[part] = carried_forward(values[part], missing[part], groups)
            missing[part] = False
        elif fills_in_graph(slot, model):
            values = np.where(rows.missing, np.nan, values) if values is rows.values else values
            values[part] = np.where(missing[part], np.nan, values[part])
            missing[part] = False
        else:
            refused[part] = missing[part]
    faults = _report(slot, refused, files)
    for fault in _report(slot, unfilled, files):
        faults.append(replace(fault, notes=(*fault.notes, NOTHING_BEFORE), fixes=fault.fixes[1:]))
    if faults:
        raise SpecError(faults)
    return replace(rows, values=values, missing=missing, between=between)


def starts_of(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The position at which each group begins."""
    return np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1])


def count_gaps(plan: DataPlan, rows: Mapping[tuple[str, str], Rows], positions: NDArray[np.int64]) -> dict[str, int]:
    """By column, how many rows at these positions lack a value that nothing fills; without those that lack none."""
    found: dict[str, int] = {}
    for slot in plan.slots():
        missing = rows[slot.role, slot.name].missing[positions]
        if slot.columns:
            found |= {name: int(missing[:, place].sum()) for place, name in enumerate(slot.columns)}
        else:
            found[slot.array or slot.name] = int(missing.reshape(len(missing), -1).any(axis=1).sum())
    return {name: count for name, count in found.items() if count}


def carried_forward(values: Array, missing: Mask, groups: NDArray[np.int64]) -> tuple[Array, Mask]:
    """The values with gaps filled by the last value before them in their group, and which have none before.

    Args:
        values, missing: axes `row *rest`.
    """
    numbers = np.arange(len(values)).reshape(-1, *(1,) * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(missing, -1, numbers), axis=0)
    starts = starts_of(groups)
    begin = starts[np.searchsorted(starts, np.arange(len(values)), side="right") - 1].reshape(numbers.shape)
    return np.take_along_axis(values, np.maximum(last, 0), axis=0), np.asarray(last < begin)


def _report(slot: SlotPlan, missing: Mask, files: Array) -> list[Diagnostic]:
    span, where = slot.span_of(slot.data_key), slot.where(slot.data_key)
    if slot.columns:
        masks = [(name, missing[:, i]) for i, name in enumerate(slot.columns)]
    else:
        masks = [(slot.array or slot.name, np.asarray(missing.reshape(len(missing), -1).any(axis=1)))]
    found = [(name, sorted(int(row) + 1 for row in files[mask])) for name, mask in masks if mask.any()]
    return [missing_values(slot.source, name, listed, span, where) for name, listed in found]
