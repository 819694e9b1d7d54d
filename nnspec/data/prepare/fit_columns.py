"""Fits each column's encoding on the training rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks
from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.category import CategoryEncoding, most_frequent
from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.encodings.date import DateEncoding, part_of
from nnspec.data.prepare.encodings.multi_hot import MultiHotEncoding
from nnspec.data.prepare.encodings.number import NumberEncoding
from nnspec.data.prepare.encodings.truth import GAP, TruthEncoding
from nnspec.data.prepare.encodings.words import SharedFields
from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.functions import FUNCTIONS
from nnspec.data.prepare.raw_columns import ColumnRows, layout_axes
from nnspec.data.prepare.rows import Rows
from nnspec.data.prepare.streamed_fit import mean_of, median_of, most_frequent_of, statistics_of
from nnspec.data.section.column_plan import PARTS, ColumnPlan, MissingRule
from nnspec.data.section.feature_count import category_words, fill_words, has_gap_place, has_indicator, words_in
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import SpecError
from nnspec.runtime.rules.dates import read_dates
from nnspec.runtime.rules.markers import Markers, numbers_in
from nnspec.runtime.rules.truth import spellings

Array = np.ndarray
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
    chosen = mapped.take(train, mapped.take(rows.complete, train))
    found: dict[str, Encoding] = {}
    for place, (port, column) in enumerate(zip(ports, slot.encodings, strict=True)):
        rule = plan.missing_rule(column.name)
        markers = Markers.from_options(slot.source.options).of(column.name)
        values, words = column_of(rows, place, chosen), rows.words[place]
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
            present = drop_missing(values)
            if rule.policy == "most_frequent":
                _require_values(slot, place, rule, present)
            counts = np.zeros(len(words), np.int64)
            for part in chunks(present):
                counts += np.bincount(part.astype(np.int64), minlength=len(words))
            counted = {word: count for word, count in zip(words, counts.tolist(), strict=True) if count}
            fit = fit_multi_hot if column.kind == "multi_hot" else fit_category
            found[port] = replace(fit(column, rule, words, counted), markers=tuple(sorted(markers)))
    return EncodedInput(found, layout_axes(plan, slot, layout), model.dtype)


def column_of(rows: Rows, place: int, chosen: NDArray[np.int64]) -> Numbers:
    """A column's values in some of the rows: axes `row`."""
    taken = mapped.take(rows.values[:, place], chosen)
    return mapped.map_rows(lambda part: part.astype(np.float64), taken)


def drop_missing(values: Numbers) -> Numbers:
    """Those that are numbers."""
    return mapped.take(values, mapped.map_rows(lambda part: ~np.isnan(part), values))


def fill_of(slot: SlotPlan, place: int, rule: MissingRule, values: Numbers) -> float:
    """What a column's gaps are filled with, of the values of the training rows.

    Raises:
        SpecError: NN504 where there are none.
    """
    if rule.policy == "constant":
        return float(np.float32(rule.value or 0.0))
    present = drop_missing(values)
    _require_values(slot, place, rule, present)
    policy = rule.fill if rule.policy == "indicator" else rule.policy
    return float(np.float32(_FILLS.get(policy, median_of)(present)))


def text_fill_of(slot: SlotPlan, place: int, rule: MissingRule, values: Array) -> str:
    """What a column's missing texts are filled with: the empty text where the rule names none.

    Args:
        values: the texts of the training rows, those that are missing empty; axes `row`.

    Raises:
        SpecError: NN504 where there are none.
    """
    if rule.policy != "most_frequent":
        return "" if rule.value is None else label_key(rule.value)
    counted: dict[str, int] = {}
    for part in chunks(values):
        words, counts = np.unique(part[part != ""], return_counts=True)
        for word, count in zip(words.tolist(), counts.tolist(), strict=True):
            counted[word] = counted.get(word, 0) + count
    _require_values(slot, place, rule, np.asarray(list(counted.values()), np.float64))
    return most_frequent(counted)


_FILLS = {"most_frequent": most_frequent_of, "mean": mean_of}


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

    def treated(part: Numbers) -> Numbers:
        full = part if fill is None else np.where(np.isnan(part), fill, part)
        return full if column.transform is None else np.asarray(FUNCTIONS[column.transform](full), np.float64)

    offset, divisor = statistics_of(mapped.map_rows(treated, values), column.scale)
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
    present = drop_missing(values)
    fill = None
    if rule.is_in_graph and rule.policy == "constant":
        fill = read_dates([str(rule.value)])[0]
    elif rule.is_in_graph:
        _require_values(slot, place, rule, present)
        policy = rule.fill if rule.policy == "indicator" else rule.policy
        fill = int(np.floor(_FILLS.get(policy, median_of)(present)))
    full = mapped.map_rows(
        lambda part: np.where(np.isnan(part), 0 if fill is None else fill, part).astype(np.int64), values
    )
    scales = [
        (0.0, 1.0)
        if column.scale is None or (column.is_cyclic and PARTS[part] is not None)
        else statistics_of(mapped.map_rows(partial(_part, part), full), column.scale)
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


def _part(part: str, seconds: NDArray[np.int64]) -> Numbers:
    return part_of(seconds, part).astype(np.float64)


def fit_multi_hot(
    column: ColumnPlan, rule: MissingRule, distinct: tuple[str, ...], counted: Mapping[str, int]
) -> MultiHotEncoding:
    """The words of the training rows' cells, or those of the spec; arguments as of `fit_category`."""
    fill = fill_words(column, rule)
    if rule.policy == "most_frequent":
        fill = words_in(column, [most_frequent(counted)])
    known = {*words_in(column, counted), *(fill or ())}
    fields = _fit_words(column, rule, words_in(column, distinct), known)
    return MultiHotEncoding(separator=column.separator, fill=None if fill is None else tuple(fill), **fields)


def fit_category(
    column: ColumnPlan, rule: MissingRule, distinct: tuple[str, ...], counted: Mapping[str, int]
) -> CategoryEncoding:
    """The words of the training rows, or those of the spec.

    Args:
        distinct: all values of the column.
        counted: those of the training rows, sorted, each with how often it occurs.
    """
    fill = None
    if rule.policy == "most_frequent":
        fill = most_frequent(counted)
    elif rule.policy == "constant" and rule.value is not None:
        fill = label_key(rule.value)
    known = set(counted) | ({fill} if fill is not None else set())
    return CategoryEncoding(form=column.kind, fill=fill, **_fit_words(column, rule, distinct, known))


def _fit_words(column: ColumnPlan, rule: MissingRule, distinct: Collection[str], known: Set[str]) -> SharedFields:
    """The words that have a feature: those of the spec, else those of `distinct` that the training rows know.

    Args:
        distinct: the words of the whole column, for each of which `nnspec check` counted a feature.
        known: the words of the training rows, and what fills a gap.
    """
    places = category_words(column, distinct, rule) or []
    words = places if column.categories is not None else [word for word in places if word in known]
    return {
        "name": column.name,
        "words": tuple(words),
        "unused": len(places) - len(words),
        "has_gap_place": has_gap_place(column, rule),
        "markers": (),
    }
