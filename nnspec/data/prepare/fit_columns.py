"""Fits each column's encoding on the training rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.category import CategoryEncoding, most_frequent
from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.encodings.date import DateEncoding, part_of
from nnspec.data.prepare.encodings.multi_hot import MultiHotEncoding
from nnspec.data.prepare.encodings.number import NumberEncoding, statistics
from nnspec.data.prepare.encodings.truth import GAP, TruthEncoding
from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.functions import FUNCTIONS
from nnspec.data.prepare.raw_columns import ColumnRows, layout_axes
from nnspec.data.section.column_plan import PARTS, ColumnPlan, MissingRule
from nnspec.data.section.feature_count import category_words, fill_words, has_gap_place, has_indicator, words_in
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import SpecError
from nnspec.runtime.date_rules import read_dates
from nnspec.runtime.markers import Markers, numbers_in
from nnspec.runtime.truth_rules import spellings

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
        markers = Markers.from_options(slot.source.options).of(column.name)
        values, words = used[:, place], rows.words[place]
        if column.kind == "boolean" and words is not None:
            fill = fill_of(slot, place, rule, values) if rule.is_in_graph else None
            found[port] = fit_truth(column, rule, fill, words, tuple(sorted(markers)))
        elif column.is_date:
            found[port] = fit_date(slot, place, rule, values)
        elif words is None:
            fill = fill_of(slot, place, rule, values) if rule.is_in_graph else None
            fitted = fit_number(column, fill, values)
            found[port] = replace(fitted, has_indicator=has_indicator(column, rule), markers=numbers_in(markers))
        else:
            present = values[~np.isnan(values)]
            if rule.policy == "most_frequent":
                _require_values(slot, place, rule, present)
            counted = np.array(words, dtype=object)[present.astype(np.int64)]
            if column.kind == "multi_hot":
                found[port] = replace(fit_multi_hot(column, rule, words, counted), markers=tuple(sorted(markers)))
                continue
            training = np.array([words[int(code)] for code in np.unique(present)], dtype=object)
            found[port] = replace(fit_category(column, rule, words, training, counted), markers=tuple(sorted(markers)))
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
        return float(np.float32(_most_frequent_number(present)))
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


def fit_truth(
    column: ColumnPlan, rule: MissingRule, fill: float | None, words: tuple[str, ...], markers: tuple[str, ...]
) -> TruthEncoding:
    """Words of yes and no, those that the rows have before all other spellings."""
    no, yes = spellings(column.truths)
    return TruthEncoding(
        name=column.name,
        no=tuple(dict.fromkeys((words[0], *no))),
        yes=tuple(dict.fromkeys((words[1], *yes))),
        number=NumberEncoding(
            name=column.name, fill=fill, has_indicator=has_indicator(column, rule), markers=(GAP,) * (fill is not None)
        ),
        given=column.truths,
        markers=markers,
    )


def fit_date(slot: SlotPlan, place: int, rule: MissingRule, values: Numbers) -> DateEncoding:
    """A date's parts, scaled by those of the training rows."""
    column = slot.encodings[place]
    present = values[~np.isnan(values)]
    fill = None
    if rule.is_in_graph and rule.policy == "constant":
        fill = read_dates([str(rule.value)])[0]
    elif rule.is_in_graph:
        _require_values(slot, place, rule, present)
        policy = rule.fill if rule.policy == "indicator" else rule.policy
        middle = np.mean(present) if policy == "mean" else np.median(present)
        fill = int(np.floor(_most_frequent_number(present) if policy == "most_frequent" else middle))
    full = np.where(np.isnan(values), 0 if fill is None else fill, values).astype(np.int64)
    scales = [
        (0.0, 1.0)
        if column.scale is None or (column.is_cyclic and PARTS[part] is not None)
        else statistics(part_of(full, part).astype(np.float64), column.scale)
        for part in column.parts
    ]
    return DateEncoding(
        name=column.name,
        parts=column.parts,
        is_cyclic=column.is_cyclic,
        offsets=tuple(offset for offset, _ in scales),
        divisors=tuple(divisor for _, divisor in scales),
        fill=fill,
        has_indicator=has_indicator(column, rule),
        first=int(full.min(initial=0) if not len(full) else full.min()),
        last=int(full.max(initial=0) if not len(full) else full.max()),
    )


def _most_frequent_number(values: Numbers) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[np.argmax(counts)])


def fit_multi_hot(
    column: ColumnPlan, rule: MissingRule, distinct: tuple[str, ...], counted: np.ndarray
) -> MultiHotEncoding:
    """The words of the training rows' cells, or those of the spec; arguments as of `fit_category`."""
    fill = fill_words(column, rule)
    if rule.policy == "most_frequent":
        fill = words_in(column, [most_frequent(counted)])
    places = category_words(column, words_in(column, distinct), rule) or []
    known = {*words_in(column, counted.tolist()), *(fill or ())}
    words = places if column.categories is not None else [word for word in places if word in known]
    return MultiHotEncoding(
        name=column.name,
        separator=column.separator,
        words=tuple(words),
        unused=len(places) - len(words),
        fill=None if fill is None else tuple(fill),
        has_gap_place=has_gap_place(column, rule),
    )


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
