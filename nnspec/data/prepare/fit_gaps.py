"""Fits what stands for missing values in the columns of an input, which the deployed model fills in."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.prepare.fit import Layout, has_steps
from nnspec.data.prepare.fit_columns import column_of, fill_of, text_fill_of
from nnspec.data.prepare.rows import Rows
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.runtime.rules.markers import Markers, numbers_in

Array = np.ndarray


def markers_for_fill(slot: SlotPlan, fill: Array | None) -> tuple[Array, ...]:
    """What stands for missing values in the columns that are filled, axes as those of `fill`."""
    if fill is None:
        return ()
    known = Markers.from_options(slot.source.options)
    if fill.dtype.kind == "O":
        words = [sorted(known.of(name)) for name in slot.columns]
        return tuple(np.array(found, object).reshape(fill.shape) for found in zip_longest(*words, fillvalue=""))
    filled = ~np.isnan(np.broadcast_to(fill.ravel(), len(slot.columns)))
    numbers = [numbers_in(known.of(name)) if own else () for name, own in zip(slot.columns, filled, strict=True)]
    return tuple(np.array(found, np.float32).reshape(fill.shape) for found in zip_longest(*numbers, fillvalue=np.nan))


def fit_fill(plan: DataPlan, slot: SlotPlan, layout: Layout, rows: Rows, train: NDArray[np.int64]) -> Array | None:
    """What stands in for gaps of an input's columns: axes `*input`, 1 along all but that of the columns.

    Args:
        train: the positions of the training rows.

    Raises:
        SpecError: NN504 where no training row has a value.
    """
    rules = [plan.missing_rule(name) for name in slot.columns]
    is_text = rows.values.dtype.kind in "OU"
    if is_text:
        rules = [rule if rule.fills_words else replace(rule, policy="error") for rule in rules]
    if not any(rule.is_in_graph for rule in rules):
        return None
    chosen = mapped.take(train, mapped.take(rows.complete, train))
    fills = np.full(len(rules), np.nan, np.float32)  # a column that may have no gaps keeps them as they are
    if is_text:
        fills = np.full(len(rules), "", object)
    for place, rule in enumerate(rules):
        if not rule.is_in_graph:
            continue
        if is_text:
            fills[place] = text_fill_of(slot, place, rule, mapped.take(rows.values[:, place], chosen))
        else:
            fills[place] = fill_of(slot, place, rule, column_of(rows, place, chosen))
    position = layout.position(1 if has_steps(plan, slot) else 0)
    shape = [1] * len(layout.axes)
    if position is not None:
        shape[position] = len(rules)
    return fills.reshape(shape)
