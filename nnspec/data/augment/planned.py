"""The augmentation that a plan asks for."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.data.augment.augmentation import Augmentation
from nnspec.data.section.augment import moved_slots
from nnspec.data.section.plan import DataPlan, Slot


def augmentation_of(plan: DataPlan, models: Mapping[tuple[str, str], Slot]) -> Augmentation | None:
    """How training samples are changed; None where they are not.

    Args:
        models: the model's side of each slot, by role and name.
    """
    if not plan.augment:
        return None
    inputs, outputs = (
        {name: model for (role, name), model in models.items() if role == wanted} for wanted in ("inputs", "outputs")
    )
    places = {(slot.role, slot.name): place for slot, place in moved_slots(plan, inputs, outputs)}
    return Augmentation(
        steps=plan.augment,
        inputs={name: place for (role, name), place in places.items() if role == "inputs"},
        outputs={name: place for (role, name), place in places.items() if role == "outputs"},
        uncounted={
            name: -1.0 if outputs[name].task == "classification" else float("nan")
            for name, slot in plan.outputs.items()
            if slot.counts_in_part
        },
    )
