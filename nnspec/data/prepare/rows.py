"""Reads one input's or output's values as rows, with missing values marked, filled or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks, numbered_chunks
from nnspec.data.prepare.fit import FitError, Layout, file_axes, misfit_diagnostic
from nnspec.data.prepare.labels import label_array
from nnspec.data.prepare.loading import ColumnCache, load_array
from nnspec.data.prepare.padding import pad, padding_of
from nnspec.data.prepare.ragged import find_padded_axes, find_sequence_axis, lies_end_to_end
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import Reading
from nnspec.diagnostics import SpecError
from nnspec.runtime.rules.interpolation import Between

Array = np.ndarray
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rows:
    """Values, a row a sample (or, before windows are made, a row a step).

    Attributes:
        values: axes `row *data axes`; numbers, or labels.
        missing: axes `row *data axes`.
        names: the data axes' names, `row` left out; None where the spec gives none.
        padding: axes `row step`: what fills sequences up; None where nothing is padded on reading. Sequences of
            sequences have an axis of steps for each level.
        steps: the data axes that sequences run along, `row` left out; of sequences of sequences the outermost first.
        between: what gaps hold in windows that have a later known value, axes `row *data axes`; None where none do.
    """

    values: Array
    missing: Mask
    names: tuple[str, ...] | None
    _: KW_ONLY
    padding: Mask | None = None
    steps: tuple[int, ...] = ()
    between: Between | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of a row as the model is to fit them, axes `*data axes`."""
        return self.values.shape[1:]

    @property
    def complete(self) -> Mask:
        """Whether a row lacks nothing, axes `row`."""
        return mapped.map_rows(lambda missing: ~missing.reshape(len(missing), -1).any(axis=1), self.missing)

    def take(self, order: NDArray[np.int64]) -> Rows:
        if len(order) == len(self) and mapped.is_arange(order):
            return self  # a file that is mapped stays where it is
        padding = None if self.padding is None else self.padding[order]
        missing = self.missing if self.has_none_missing else mapped.take(self.missing, order)
        return replace(self, values=mapped.take(self.values, order), missing=missing, padding=padding)

    @property
    def has_none_missing(self) -> bool:
        """Whether that is known without looking: of large tables, one flag stands for all."""
        return self.missing.size > 1 and not any(self.missing.strides) and not self.missing.flat[0]


def complete_by_role(plan: DataPlan, rows: Mapping[tuple[str, str], Rows], count: int) -> dict[str, Mask]:
    """Whether a row lacks nothing that a sample reads of it as `inputs`, `ahead` or `outputs`: axes `row`."""
    found = {role: mapped.zeros((count,), np.bool_) for role in ("inputs", "ahead", "outputs")}
    for flags in found.values():
        flags[:] = True
    for slot in plan.slots():
        if rows[slot.role, slot.name].has_none_missing:
            continue
        for role in slot.roles:
            found[role] &= rows[slot.role, slot.name].complete
    return found


def read_rows(plan: DataPlan, slot: SlotPlan, model: Slot, tables: ColumnCache) -> Rows:
    """Reads a slot's rows in file order.

    Raises:
        SpecError: NN502 and NN506; NN504 where values are infinite.
    """
    is_label = slot.role == "outputs" and not slot.needs_numbers(model.task)
    if slot.role == "inputs" and model.is_text:
        return _read_text(slot, model, tables)
    if slot.columns:
        rows = _read_columns(slot, tables, is_label)
    else:
        values = load_array(slot.source, slot.array)
        rows = _arrange(slot, model, label_array(values) if is_label else values)
    if rows.values.dtype.kind == "f" and any(np.isinf(part).any() for part in chunks(rows.values)):
        first, count = 0, 0
        for at, part in numbered_chunks(rows.values):
            infinite = np.isinf(part)
            count += int(infinite.sum())
            if not first and count:
                first = at.start + int(infinite.reshape(len(part), -1).any(axis=1).argmax()) + 1
        message = (
            f"the data of {slot.kind} `{slot.name}` have {count} infinite value{'s' * (count > 1)}, "
            f"first in row {first}"
        )
        raise _fault(slot, "NN504", message)
    return rows


def _read_columns(slot: SlotPlan, tables: ColumnCache, is_label: bool) -> Rows:
    found = None if is_label else tables.matrix(slot.source, slot.columns)
    if found is not None:
        return Rows(*found, file_axes(slot, 2).names)
    columns = tables.columns(slot.source, slot.columns, Reading.LABEL if is_label else Reading.NUMBER)
    missing = [column.missing for column in columns]
    values = [label_array(_blank(c.values, c.missing)) if is_label else c.values for c in columns]
    for name, column in zip(slot.columns, values, strict=True):
        if not is_label and column.dtype.kind not in "biuf":
            message = f"column `{name}` contains text, but {slot.kind} `{slot.name}` takes numbers"
            raise _fault(slot, "NN506", message)
    if is_label and len({column.dtype.kind for column in values}) > 1:
        values = [mapped.map_rows(lambda part: part.astype(str), column) for column in values]
    names = file_axes(slot, 2).names
    return Rows(mapped.stack(values), mapped.stack(missing), names)


def _read_text(slot: SlotPlan, model: Slot, tables: ColumnCache) -> Rows:
    """Words as they stand in the file."""
    if not slot.columns:
        return _arrange(slot, model, _words(load_array(slot.source, slot.array)))
    columns = tables.columns(slot.source, slot.columns, Reading.WORD)
    arrays, missing = [column.values for column in columns], [column.missing for column in columns]
    return Rows(np.stack(arrays, axis=1), np.stack(missing, axis=1), file_axes(slot, 2).names)


def _words(values: Array) -> Array:
    return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values


def _blank(values: Array, missing: Mask) -> Array:
    """Missing labels take another row's, so that they do not turn numbers into text; the mask keeps them out."""
    if not missing.any() or missing.all():
        return values
    present = values[int(missing.argmin())]
    return mapped.map_rows(lambda gaps, own: np.where(gaps, present, own), missing, values)


def _arrange(slot: SlotPlan, model: Slot, values: Array) -> Rows:
    """Puts an array's sample axis first, or cuts sequences apart."""
    try:
        if not slot.lengths:
            layout = file_axes(slot, values.ndim)
            assert layout.sample is not None
            moved = np.moveaxis(values, layout.sample, 0)
            return Rows(moved, _missing(moved), layout.names)
        levels = [load_array(slot.source, name) for name in slot.lengths]
        known = [lengths.tolist() for lengths in levels]
        if slot.role == "outputs" and not lies_end_to_end(slot.axes, values.shape, known):
            return _cut(slot, model, values, levels)
        layout = file_axes(slot, values.ndim)
        found = find_sequence_axis(model.data_axes, layout.names, values.shape, known, slot.lengths)
    except FitError as error:
        raise SpecError([misfit_diagnostic(slot, "the array", error)]) from None
    if slot.pad_value is not None:
        _refuse_pad_value(slot, values, found.axis)
    fill = values.reshape(-1)[0] if values.dtype.kind in "US" else slot.pad_value or 0
    padded, padding = pad(values, levels, found, fill)
    return Rows(padded, _missing(padded), layout.names, padding=padding, steps=found.steps)


def _cut(slot: SlotPlan, model: Slot, values: Array, levels: Sequence[Array]) -> Rows:
    """Targets that are filled up already.

    Raises:
        FitError: where they do not fit their lengths.
    """
    layout = file_axes(slot, values.ndim, is_end_to_end=False)
    assert layout.sample is not None
    moved = np.moveaxis(values, layout.sample, 0)
    known, following = [lengths.tolist() for lengths in levels], [axis for axis, _ in model.follows]
    found = find_padded_axes(model.data_axes, layout.names, moved.shape[1:], known, slot.lengths, following)
    if len(levels[0]) != len(moved):
        raise FitError(f"there are {len(levels[0])} lengths for {len(moved)} samples")
    padding = padding_of(levels, found.sizes)
    return Rows(moved, _missing(moved), layout.names, padding=padding, steps=found.steps)


def _refuse_pad_value(slot: SlotPlan, values: Array, axis: int) -> None:
    """A step of the data that holds nothing but the pad value would be taken for padding."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    count = int(np.all(values == slot.pad_value, axis=others).sum())
    if count:
        message = f"{count} steps of the data of input `{slot.name}` contain only {slot.pad_value}, which marks padding"
        raise _fault(slot, "NN506", message, "choose another `pad_value`", key="pad_value")


def _missing(values: Array) -> Mask:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)


def _fault(slot: SlotPlan, code: str, message: str, *notes: str, key: str = "") -> SpecError:
    key = key or slot.data_key
    return SpecError.single(code, message, slot.span_of(key), notes=notes, path=slot.where(key))


def arrange(values: Array, layout: Layout) -> Array:
    """Axes `sample *data axes` to `sample *model axes`."""
    units = tuple(i for i in range(values.ndim - 1) if i not in layout.order)
    moved = values.transpose(0, *(i + 1 for i in (*layout.order, *units)))
    return np.ascontiguousarray(moved.reshape(len(values), *layout.shape(values.shape[1:])))
