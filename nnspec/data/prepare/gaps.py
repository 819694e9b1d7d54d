"""Treats missing values as `missing` says, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks
from nnspec.data.prepare.missing import NOTHING_BEFORE, fills_in_graph, missing_values
from nnspec.data.prepare.rows import Mask, Rows
from nnspec.data.section.column_plan import INTERPOLATE
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.runtime.rules.interpolation import Between, interpolate_gaps

Array = np.ndarray


def resolve_missing(
    plan: DataPlan, slot: SlotPlan, model: Slot, rows: Rows, groups: NDArray[np.int64], files: Array
) -> Rows:
    """Rows without gaps, but for those that a sample is left out for.

    What the graph is to fill is NaN or an empty text, and not marked.
    With `drop` gaps stay marked. So do those of targets, whatever fills inputs: nobody measured what would stand there.

    Args:
        rows: in their final order.
        groups: values are not carried from one group to the next; axes `row`.
        files: each row's number in the file, from 0, for messages; axes `row`.

    Raises:
        SpecError: NN504 where values are missing, or nothing stands before them to fill them with.
    """
    if rows.has_none_missing:
        return rows
    gaps = [flags.any(axis=0) for flags in chunks(rows.missing)]
    if not any(found.any() for found in gaps):
        return rows
    names = slot.columns or ("*",)
    has_gaps = np.any(gaps, axis=0) if slot.columns else [True]
    rules = [
        _treatment(plan, slot, model, rows, name) if own else _LEFT for name, own in zip(names, has_gaps, strict=True)
    ]
    treated = _Treated(rows, rules, bool(slot.columns))
    for part in mapped.stretches(len(rows), treated.width):
        treated.add(part, groups)
        mapped.trim(2 * rows.values[part].nbytes)
    faults = _report(slot, treated.refused, files)
    for fault in _report(slot, treated.unfilled, files):
        faults.append(replace(fault, notes=(*fault.notes, NOTHING_BEFORE), fixes=fault.fixes[1:]))
    if faults:
        raise SpecError(faults)
    return replace(rows, values=treated.values, missing=treated.missing, between=treated.between(groups))


_LEFT, _REFUSED, _CARRIED, _BETWEEN, _IN_GRAPH = range(5)  # what becomes of a column's gaps


def _treatment(plan: DataPlan, slot: SlotPlan, model: Slot, rows: Rows, name: str) -> int:
    rule = plan.missing_rule(name)
    policy = rule.policy
    if (
        policy == "error"
        or (model.is_text and rule.is_in_graph and not rule.fills_words)
        or (rows.padding is not None and slot.role == "inputs")
    ):
        return _REFUSED
    if policy == "drop" or slot.role == "outputs":
        return _LEFT
    if policy in ("forward_fill", INTERPOLATE):
        return _BETWEEN if policy == INTERPOLATE else _CARRIED
    return _IN_GRAPH if fills_in_graph(slot, model) else _REFUSED


class _Treated:
    """Rows as they are treated, stretch by stretch.

    Attributes:
        values, missing: as those of the rows; the values are the rows' own where none of them changes.
        refused, unfilled: of each column, the rows that nothing may fill, and those that nothing stands before.
    """

    def __init__(self, rows: Rows, rules: Sequence[int], has_columns: bool) -> None:
        self.rows, self.rules, self.has_columns = rows, rules, has_columns
        self.missing = mapped.empty(rows.missing.shape, np.bool_)
        self.refused: list[list[Array]] = [[] for _ in rules]
        self.unfilled: list[list[Array]] = [[] for _ in rules]
        self.carried = [Carried() for _ in rules]
        self.values = rows.values
        self.is_blanked = _IN_GRAPH in rules
        if self.is_blanked:
            dtype = rows.values.dtype if _is_text(rows.values) else np.result_type(rows.values.dtype, 0.0)
            self.values = mapped.empty(rows.values.shape, dtype)
        elif _CARRIED in rules or _BETWEEN in rules:
            self.values = mapped.empty(rows.values.shape, rows.values.dtype)

    @property
    def width(self) -> int:
        """The bytes that treating a row takes."""
        return (2 * self.values.dtype.itemsize + 16) * max(1, int(np.prod(self.values.shape[1:], dtype=np.int64)))

    def add(self, part: slice, groups: NDArray[np.int64]) -> None:
        """Treats a stretch of rows; the stretches follow one another."""
        own, gaps = self.rows.values[part], np.array(self.rows.missing[part])
        values = np.where(gaps, "" if _is_text(own) else np.nan, own) if self.is_blanked else own
        if values is own and self.values is not self.rows.values:
            values = own.copy()
        for place, rule in enumerate(self.rules):
            column = (slice(None), place) if self.has_columns else (slice(None),)
            if rule == _REFUSED:
                self.refused[place].append(_numbers(gaps[column]) + part.start)
            elif rule in (_CARRIED, _BETWEEN):
                filled, unfilled = self.carried[place].fill(own[column], gaps[column], groups[part])
                values[column] = filled
                self.unfilled[place].append(_numbers(unfilled) + part.start)
                gaps[column] = False
            elif rule == _IN_GRAPH:
                gaps[column] = False
        self.missing[part] = gaps
        if self.values is not self.rows.values:
            self.values[part] = values

    def between(self, groups: NDArray[np.int64]) -> Between | None:
        """What gaps hold within windows; None where no column is interpolated."""
        if _BETWEEN not in self.rules:
            return None
        rows, count = self.rows, len(self.rows)
        found = Between(mapped.copy(rows.values), mapped.empty(rows.missing.shape, np.int64))
        for part in mapped.stretches(count, self.width):
            found.following[part] = count
        for place, rule in enumerate(self.rules):
            if rule == _BETWEEN:
                column = (slice(None), place) if self.has_columns else (slice(None),)
                line = interpolate_gaps(rows.values[column], rows.missing[column], starts_of(groups))
                found.values[column], found.following[column] = line.values, line.following
        return found


class Carried:
    """Values with gaps filled by the last value before them in their group, stretch by stretch."""

    def __init__(self) -> None:
        self.last: Array | None = None
        self.is_known: Mask | None = None
        self.group = -1

    def fill(self, values: Array, missing: Mask, groups: NDArray[np.int64]) -> tuple[Array, Mask]:
        """The values of the next rows, and which of them have none before: axes `row *rest`."""
        numbers = np.arange(len(values)).reshape(-1, *(1,) * (values.ndim - 1))
        known = np.maximum.accumulate(np.where(missing, -1, numbers), axis=0)
        first = -1 if groups[0] == self.group else 0  # what is known from before is at -1
        starts = np.concatenate([[first], np.flatnonzero(np.diff(groups)) + 1])
        begin = starts[np.searchsorted(starts, np.arange(len(values)), side="right") - 1].reshape(numbers.shape)
        filled, unfilled = np.take_along_axis(values, np.maximum(known, 0), axis=0), known < begin
        if self.last is not None and self.is_known is not None and first < 0:
            filled = np.where(known < 0, self.last, filled)
            unfilled |= (known < 0) & ~self.is_known & (begin < 0)
        self.last, self.is_known, self.group = filled[-1].copy(), np.asarray(~unfilled[-1]), int(groups[-1])
        return filled, np.asarray(unfilled)


def _is_text(values: Array) -> bool:
    return values.dtype.kind in "OUS"


def _numbers(flags: Mask) -> NDArray[np.int64]:
    """The rows that have a flag."""
    return np.flatnonzero(flags.reshape(len(flags), -1).any(axis=1))


def starts_of(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The position at which each group begins."""
    return np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1])


def count_gaps(plan: DataPlan, rows: Mapping[tuple[str, str], Rows], positions: NDArray[np.int64]) -> dict[str, int]:
    """By column, how many rows at these positions lack a value that nothing fills; without those that lack none."""
    found: dict[str, int] = {}
    for slot in plan.slots():
        own = rows[slot.role, slot.name]
        if own.has_none_missing:
            continue
        width = max(1, int(np.prod(own.missing.shape[1:], dtype=np.int64)))
        names = slot.columns or (slot.array or slot.name,)
        count = np.zeros(len(names), np.int64)
        for part in mapped.stretches(len(positions), width + 8):
            missing = own.missing[positions[part]]
            count += missing.sum(axis=0) if slot.columns else missing.reshape(len(missing), -1).any(axis=1).sum()
        found |= dict(zip(names, count.tolist(), strict=True))
    return {name: count for name, count in found.items() if count}


def _report(slot: SlotPlan, rows: Sequence[Sequence[Array]], files: Array) -> list[Diagnostic]:
    """NN504 for each column that has such rows.

    Args:
        rows: of each column its rows, in stretches.
    """
    span, where = slot.span_of(slot.data_key), slot.where(slot.data_key)
    faults = []
    for name, parts in zip(slot.columns or (slot.array or slot.name,), rows, strict=True):
        if any(map(len, parts)):
            listed = np.sort(files[np.concatenate(parts)] + 1).tolist()
            noun = "column" if slot.columns else "array"
            faults.append(missing_values(slot.source, name, listed, span, where, noun=noun))
    return faults
