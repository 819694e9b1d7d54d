"""Fits each column's encoding on the training rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.category import CategoryEncoding, most_frequent
from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.encodings.number import NumberEncoding, statistics
from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.functions import FUNCTIONS
from nnspec.data.prepare.raw_columns import ColumnRows, layout_axes
from nnspec.data.section.column_plan import ColumnPlan, MissingRule
from nnspec.data.section.feature_count import category_words, has_gap_place, has_indicator
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import SpecError

Numbers = NDArray[np.float64]


def fit_columns(
    plan: DataPlan,
    slot: SlotPlan,
    model: Slot,
    layout: Layout,
    rows: ColumnRows,
    train: NDArray[np.int64],
    ports: tuple[str, ...],
) -> EncodedInput:
    """An input's encodings, each fitted on the training rows that lack nothing.

    Args:
        train: the positions of the training rows; each counts once, however many windows it is in.
        ports: the names of the columns as inputs of the deployed model.

    Raises:
        SpecError: NN504 where no training row has a value to fill gaps with.
    """
    used = rows.values[train[rows.complete[train]]]
    found: dict[str, Encoding] = {}
    for place, (port, column) in enumerate(zip(ports, slot.encodings, strict=True)):
        rule = plan.missing_rule(column.name)
        values, words = used[:, place], rows.words[place]
        if words is None:
            fill = fill_of(slot, place, rule, values) if rule.is_in_graph else None
            fitted = fit_number(column, fill, values)
            found[port] = replace(fitted, has_indicator=has_indicator(column, rule))
        else:
            present = values[~np.isnan(values)]
            if rule.policy == "most_frequent":
                _require_values(slot, place, rule, present)
            training = np.array([words[int(code)] for code in np.unique(present)], dtype=object)
            counted = np.array(words, dtype=object)[present.astype(np.int64)]
            found[port] = fit_category(column, rule, words, training, counted)
    return EncodedInput(found, layout_axes(plan, slot, layout), model.dtype)


def fill_of(slot: SlotPlan, place: int, rule: MissingRule, values: Numbers) -> float:
    """What a column's gaps are filled with, of the values of the training rows.

    Raises:
        SpecError: NN504 where there are none.
    """
    if rule.policy == "constant":
        return float(np.float32(rule.value or 0.0))
    present = values[~np.isnan(values)]
    _require_values(slot, place, rule, present)
    policy = rule.fill if rule.policy == "indicator" else rule.policy
    if policy == "most_frequent":
        distinct, counts = np.unique(present, return_counts=True)
        return float(np.float32(distinct[np.argmax(counts)]))
    return float(np.float32(np.mean(present) if policy == "mean" else np.median(present)))


def _require_values(slot: SlotPlan, place: int, rule: MissingRule, present: Numbers) -> None:
    if len(present):
        return
    statistic = (rule.fill if rule.policy == "indicator" else rule.policy).replace("_", " ") + (
        "" if rule.policy != "most_frequent" else " value"
    )
    message = f"no training row has a value in column `{slot.columns[place]}`, so there is no {statistic} to fill in"
    key = slot.item_key("columns", place)
    raise SpecError.single("NN504", message, slot.span_of(key), path=slot.where("columns"))


def fit_number(column: ColumnPlan, fill: float | None, values: Numbers) -> NumberEncoding:
    """Gaps are filled before the function, and statistics are of what the function gives."""
    full = values if fill is None else np.where(np.isnan(values), fill, values)
    if column.transform is not None:
        full = np.asarray(FUNCTIONS[column.transform](full), np.float64)
    offset, divisor = statistics(full, column.scale)
    return NumberEncoding(name=column.name, fill=fill, transform=column.transform, offset=offset, divisor=divisor)


def fit_category(
    column: ColumnPlan, rule: MissingRule, distinct: tuple[str, ...], training: np.ndarray, counted: np.ndarray
) -> CategoryEncoding:
    """The words of the training rows, or those of the spec.

    Args:
        distinct: all values of the column.
        training: those of the training rows, sorted.
        counted: the training rows' values, a row each.
    """
    fill = None
    if rule.policy == "most_frequent":
        fill = most_frequent(counted)
    elif rule.policy == "constant" and rule.value is not None:
        fill = label_key(rule.value)
    places = category_words(column, distinct, rule) or []
    known = set(training.tolist()) | ({fill} if fill is not None else set())
    words = places if column.categories is not None else [word for word in places if word in known]
    return CategoryEncoding(
        name=column.name,
        form=column.kind,
        words=tuple(words),
        unused=len(places) - len(words),
        fill=fill,
        has_gap_place=has_gap_place(column, rule),
    )
