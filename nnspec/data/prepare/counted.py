"""Selects the targets that count, by an output's `lengths`, `padded_like` and `ignore`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.data.prepare.encode import padded_axis
from nnspec.data.prepare.fit import Layout
from nnspec.data.prepare.rows import Mask, Rows, arrange
from nnspec.data.prepare.transforms import InputTransform
from nnspec.data.section.plan import Slot, SlotPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import SpecError

Array = np.ndarray
Known = Mapping[str, tuple[SlotPlan, Slot, Rows, Layout]]  # the inputs, by name


def counted_rows(slot: SlotPlan, model: Slot, rows: Rows, layout: Layout, inputs: Known) -> Mask | None:
    """Which values of an output count: axes `row *data axes`; None where all do.

    Raises:
        SpecError: NN542 where its targets have no axis that follows the padded one of the input.
    """
    if slot.ignore is not None:
        return _not_ignored(slot, rows.values)
    padding, step = rows.padding, rows.step
    if slot.padded_like is not None:
        axis, padding = _padding_of(*inputs[slot.padded_like])
        step = _following(slot, model, layout, axis)
        if rows.values.shape[1 + step] != padding.shape[1]:
            message = (
                f"the targets of output `{slot.name}` have {rows.values.shape[1 + step]} steps, but `{axis}` of input "
                f"`{slot.padded_like}` has {padding.shape[1]}"
            )
            raise _fault(slot, message)
    if padding is None or step is None:
        return None
    shape = [size if i in (0, 1 + step) else 1 for i, size in enumerate(rows.values.shape)]
    return np.broadcast_to(~padding.reshape(shape), rows.values.shape)


def by_step(slot: SlotPlan, model: Slot, counted: Mask) -> Mask:
    """Which targets count, axes `sample *model axes`, where the values of a step count or not together.

    Raises:
        SpecError: NN541 where a step has values that count and others that do not.
    """
    if slot.ignore is None or model.task == "classification" or counted.ndim < 3:
        return counted
    whole = counted.any(axis=-1, keepdims=True)
    if (whole != counted).any():
        message = f"some values of a step of output `{slot.name}` are {slot.ignore}, which does not count, others not"
        note = "the loss of a step is the mean over its values, so they count together or not at all"
        raise SpecError.single("NN541", message, slot.span_of("ignore"), path=slot.where("ignore"), notes=[note])
    return counted


def _not_ignored(slot: SlotPlan, values: Array) -> Mask:
    if values.dtype.kind == "f":
        return np.asarray(values != float(slot.ignore or 0))
    distinct, inverse = np.unique(values, return_inverse=True)
    kept = np.array([label_key(value) != label_key(slot.ignore) for value in distinct.tolist()], dtype=bool)
    return np.asarray(kept[inverse].reshape(values.shape))


def _padding_of(slot: SlotPlan, model: Slot, rows: Rows, layout: Layout) -> tuple[str, Mask]:
    """The axis of an input that its padding runs along, and where it is: axes `row step`."""
    step = padded_axis(slot, model, layout, rows)
    assert step is not None, "an input that others are padded like says how it is padded"
    padding = InputTransform(None, slot.pad_value, step).padding(arrange(rows.values, layout))
    assert padding is not None
    return layout.axes[step - 1], padding.reshape(len(rows), -1)


def _following(slot: SlotPlan, model: Slot, layout: Layout, axis: str) -> int:
    """The data axis of an output that follows an axis of an input."""
    for name, origin in model.follows:
        if origin == axis and name in layout.names:
            return layout.order[layout.names.index(name)]
    raise _fault(slot, f"no axis of output `{slot.name}` follows `{axis}` of input `{slot.padded_like}`")


def _fault(slot: SlotPlan, message: str) -> SpecError:
    return SpecError.single("NN542", message, slot.span_of("padded_like"), path=slot.where("padded_like"))
