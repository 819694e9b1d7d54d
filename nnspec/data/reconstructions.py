"""The targets of outputs that reconstruct an input: what the network reads, its axes in the output's order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.data.prepare.transforms import OutputTransform, Scaling
from nnspec.data.samples import Split
from nnspec.data.section.copy_plan import CopyPlan
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.ir.matching_axes import matching_order

Array = np.ndarray
Models = Mapping[tuple[str, str], Slot]


def order_of(copy: CopyPlan, models: Models) -> tuple[int, ...]:
    """For each axis of the output, the position of the input's, batch left out."""
    found = matching_order(models["inputs", copy.input].axes, models["outputs", copy.name].axes)
    assert found is not None, "NN587 has told it"
    return found


def copy_transforms(plan: DataPlan, models: Models, deployment: Deployment) -> dict[str, OutputTransform]:
    """What makes original units of the reconstructions again: the input's scaling, undone."""
    found = {}
    for copy in plan.copies.values():
        given = deployment.inputs.get(copy.input)
        scaling = None if given is None else given.scaling
        if scaling is not None:
            order = order_of(copy, models)
            scaling = Scaling(scaling.offset.transpose(order), scaling.divisor.transpose(order))
        found[copy.name] = OutputTransform(scaling)
    return found


def add_copies(plan: DataPlan, models: Models, deployment: Deployment, split: Split) -> dict[str, tuple[int, ...]]:
    """Adds the targets to a split, those of padded steps marked as such.

    Returns:
        Of outputs that are padded, the positions of the axes that run through steps, as `Dataset.steps`.
    """
    steps: dict[str, tuple[int, ...]] = {}
    for copy in plan.copies.values():
        name, order = copy.name, order_of(copy, models)
        moved = (0, *(1 + i for i in order))
        learned = np.transpose(split.x[copy.input], moved)
        split.y[name] = np.asarray(learned, dtype=np.float32)
        split.target[name] = deployment.outputs[name].restore(split.y[name], split.raw)
        split.last[name] = None
        given = deployment.inputs.get(copy.input)
        padding = None if given is None else given.padding(split.raw[copy.input])
        if padding is None or given is None or given.step is None:
            split.counted[name] = None
            continue
        split.counted[name] = np.broadcast_to(~np.transpose(padding, moved), split.y[name].shape)
        steps[name] = tuple(sorted(1 + order.index(step - 1) for step in (*given.outer, given.step)))
    return steps
