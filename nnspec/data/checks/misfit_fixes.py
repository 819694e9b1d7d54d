"""What to do where data have other axes than the input or output that they are for."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from nnspec.data.section.plan import Slot, SlotPlan
from nnspec.diagnostics import Edit, Fix
from nnspec.ir.axes import SEQUENCE, has_word


def target_fixes(model: Slot, shape: Sequence[int]) -> tuple[Fix, ...]:
    """Fixes for an output's targets of this shape, samples left out.

    Steps or places too many or too few, one-hot labels, and two units for one yes or no.
    """
    steps = [(name, size) for name, size in model.data_axes if has_word(name, SEQUENCE)]
    wanted = [size for _, size in model.data_axes]
    if model.task == "classification" and model.class_size in shape and len(shape) == len(wanted) + 1:
        return (
            Fix("if these are one-hot: write each label as one number, its index (`argmax` over the last axis)"),
            Fix("if several can apply at once: `task: multilabel`, with sigmoids"),
        )
    if model.task in ("binary", "multilabel") and prod(shape) == 1 and wanted == [2]:
        return (
            Fix("a yes-or-no answer has one probability: give the last layer one unit"),
            Fix("or a softmax over both classes: `task: classification`"),
        )
    if steps and len(shape) < len(wanted):
        last = f"leave out `return_sequences`, or pool over `{steps[0][0]}`"
        return (Fix(f"for one target per sample, output only the last step: {last}"),)
    if not shape and wanted:
        listed = " and ".join(f"`{name}`" for name, _ in model.data_axes)
        return (Fix(f"for one target per sample, reduce {listed}: a global pooling, or `Flatten` before the head"),)
    if not steps and len(shape) == len(wanted) + 1:
        return (Fix("for one target per step, keep the steps: `return_sequences: true` of a recurrent layer"),)
    return ()


def order_fixes(slot: SlotPlan, model: Slot, shape: Sequence[int]) -> tuple[Fix, ...]:
    """How the axes of an array lie, where it has those of the model in another order: sizes tell them apart.

    Args:
        shape: that of the array in its file.
    """
    wanted = {size: name for name, size in model.data_axes if isinstance(size, int)}
    is_plain = not (slot.columns or slot.lengths or slot.is_windowed)
    if not is_plain or len(wanted) != len(model.data_axes) or len(wanted) < 2 or len(shape) != len(wanted) + 1:
        return ()
    places = [i for i in range(len(shape)) if {*shape[:i], *shape[i + 1 :]} == set(wanted)]
    if not places:
        return ()
    names = [wanted.get(size, "") for size in shape]
    names[places[0]] = "sample"
    listed = f"[{', '.join(names)}]"
    edits = () if slot.axes is None else (Edit(slot.span_of("axes"), listed),)
    return (Fix(f"if its axes are in this order, write `axes: {listed}`", edits),)
