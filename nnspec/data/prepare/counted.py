"""Selects the targets that count, by an output's `lengths`, `padded_like` and `ignore`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.data.prepare.encode import padded_positions
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
        return _mask_ignored(slot, rows.values)
    padding, steps = rows.padding, rows.steps
    if slot.padded_like is not None:
        axes, padding = _padding_of(*inputs[slot.padded_like])
        steps = _following(slot, model, layout, axes)
        if len(steps) < len(axes):  # a sentence is padding where all of its words are
            inner = tuple(range(1 + len(steps), 1 + len(axes)))
            axes, padding = axes[: len(steps)], np.asarray(padding.all(axis=inner))
        for axis, step, size in zip(axes, steps, padding.shape[1:], strict=True):
            if rows.values.shape[1 + step] != size:
                message = (
                    f"the targets of output `{slot.name}` have {rows.values.shape[1 + step]} steps, but `{axis}` of "
                    f"input `{slot.padded_like}` has {size}"
                )
                raise _fault(slot, message)
    if padding is None or not steps:
        return None
    ordered = np.argsort(steps)
    shape = [size if i == 0 or i - 1 in steps else 1 for i, size in enumerate(rows.values.shape)]
    turned = padding.transpose(0, *(int(place) + 1 for place in ordered))
    return np.broadcast_to(~turned.reshape(shape), rows.values.shape)


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


def _mask_ignored(slot: SlotPlan, values: Array) -> Mask:
    if values.dtype.kind == "f":
        return np.asarray(values != float(slot.ignore or 0))
    distinct, inverse = np.unique(values, return_inverse=True)
    kept = np.array([label_key(value) != label_key(slot.ignore) for value in distinct.tolist()], dtype=bool)
    return np.asarray(kept[inverse].reshape(values.shape))


def _padding_of(slot: SlotPlan, model: Slot, rows: Rows, layout: Layout) -> tuple[list[str], Mask]:
    """The axes of an input that its padding runs along, the outermost first, and where it is: axes `row step`."""
    *outer, step = padded_positions(slot, model, layout, rows)
    padding = InputTransform(None, slot.pad_value, step, outer=tuple(outer)).padding(arrange(rows.values, layout))
    assert padding is not None
    positions = [*outer, step]
    rest = [position for position in range(1, padding.ndim) if position not in positions]
    moved = padding.transpose(0, *positions, *rest)
    return [layout.axes[position - 1] for position in positions], moved.reshape(moved.shape[: 1 + len(positions)])


def _following(slot: SlotPlan, model: Slot, layout: Layout, axes: list[str]) -> tuple[int, ...]:
    """The data axes of an output that follow the axes of an input: all of them, or the outer ones."""
    found = []
    for axis in axes:
        names = [name for name, origin in model.follows if origin == axis and name in layout.names]
        if not names:
            break
        found.append(layout.order[layout.names.index(names[0])])
    if not found:
        raise _fault(slot, f"no axis of output `{slot.name}` follows `{axes[0]}` of input `{slot.padded_like}`")
    return tuple(found)


def _fault(slot: SlotPlan, message: str) -> SpecError:
    return SpecError.single("NN542", message, slot.span_of("padded_like"), path=slot.where("padded_like"))
