"""The augmentation that a plan asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from nnspec.data.augment.augmentation import Augmentation
from nnspec.data.augment.random_pieces import RandomPieces
from nnspec.data.prepare.encode import to_dtype
from nnspec.data.prepare.loading import reporting_faults
from nnspec.data.prepare.transforms import InputTransform
from nnspec.data.section.augment import moved_slots
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.folders import FolderSource

Array = np.ndarray


def augmentation_of(
    plan: DataPlan, models: Mapping[tuple[str, str], Slot], rows: Array, transforms: Mapping[str, InputTransform]
) -> Augmentation | None:
    """How training samples are changed; None where they are not.

    Args:
        models: the model's side of each slot, by role and name.
        rows: the row in the file of each training sample, from 0.
        transforms: from raw inputs to what the network takes.

    Raises:
        SpecError: NN555 where a clip that pieces are taken of cannot be read.
    """
    pieces = dict(_pieces(plan, models, rows, transforms))
    if not plan.augment and not pieces:
        return None
    inputs, outputs = (
        {name: model for (role, name), model in models.items() if role == wanted} for wanted in ("inputs", "outputs")
    )
    places = {(role, name): place for role, name, place in moved_slots(plan, inputs, outputs)}
    return Augmentation(
        steps=plan.augment,
        inputs={name: place for (role, name), place in places.items() if role == "inputs"},
        outputs={name: place for (role, name), place in places.items() if role == "outputs"},
        uncounted={
            name: -1.0 if outputs[name].task == "classification" else float("nan")
            for name, slot in plan.outputs.items()
            if slot.counts_in_part
        },
        pieces=pieces,
    )


def _pieces(
    plan: DataPlan, models: Mapping[tuple[str, str], Slot], rows: Array, transforms: Mapping[str, InputTransform]
) -> Iterator[tuple[str, RandomPieces]]:
    for name, slot in plan.inputs.items():
        source = slot.source.source
        if not isinstance(source, FolderSource) or name not in transforms:
            continue
        found = source.open_pieces(slot.source)
        if found is None:
            continue
        model = models["inputs", name]
        made = RandomPieces(pieces=found, rows=rows.tolist(), finish=partial(_finished, slot, model, transforms[name]))
        with reporting_faults(slot.source):
            made.read_all()
        yield name, made


def _finished(slot: SlotPlan, model: Slot, transform: InputTransform, raw: Array) -> Array:
    return transform.apply(to_dtype(slot, model, raw))
