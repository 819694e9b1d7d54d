"""What a split's targets are, beside what the deployed model says of its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.data.arrays.gathered import each_chunk
from nnspec.data.dataset import Split
from nnspec.data.deployment import Deployment, class_position
from nnspec.data.section.plan import DataPlan
from nnspec.ir.graph import Output
from nnspec.training.metrics.outcome import Outcome, as_names
from nnspec.training.metrics.parts import is_map, parts_of


def outcome_of(
    output: Output,
    deployment: Deployment,
    given: np.ndarray,
    split: Split,
    steps: Sequence[int] = (),
    plan: DataPlan | None = None,
) -> Outcome:
    """Targets of a split beside what the deployed model says of them.

    Args:
        given: axes as the output has them; numbers in original units.
        steps: the positions of the axes each of whose steps is a row of its own.
    """
    truth = split.target[output.name] if output.gives_values else split.y[output.name]
    labels: Sequence[object] = deployment.classes(output) or output.classes or ()
    predicted = given
    if output.task == "multilabel" and not labels and plan is not None and output.name in plan.outputs:
        labels = plan.outputs[output.name].columns
    if output.task == "classification":
        predicted = np.moveaxis(given, 1 + class_position(output), -1)
    elif output.levels:
        levels = deployment.outputs[output.name].levels
        assert levels is not None

        def stacked(part: np.ndarray, targets: np.ndarray) -> np.ndarray:
            each = [levels.at(part, i).reshape(targets.shape) for i in range(len(output.levels))]
            return np.stack(each, axis=-1)

        predicted = each_chunk(stacked, given, truth)
    else:
        predicted = given.reshape(truth.shape)
    return Outcome(
        task=output.task,
        truth=truth,
        predicted=predicted,
        counted=split.counts(output.name),
        labels=as_names(labels),
        levels=tuple(output.levels),
        threshold=deployment.threshold(output),
        gives_scores=output.gives_scores,
        steps=tuple(steps),
        parts=parts_of(output, plan),
        is_map=is_map(output),
    )


def in_units(output: Output, deployment: Deployment, predicted: np.ndarray, split: Split) -> np.ndarray:
    """What the network says, numbers in original units."""
    transform = deployment.outputs.get(output.name)
    if not output.gives_values or transform is None:
        return predicted
    relative = transform.relative
    if relative is None:
        return each_chunk(lambda values: transform.restore(values, {}), predicted)
    name = relative.input
    return each_chunk(lambda values, raw: transform.restore(values, {name: raw}), predicted, split.raw[name])
