"""What a model's file says of targets that do not count: how they are told, and a naive baseline of the others."""

from __future__ import annotations

import numpy as np

from nnspec.data.arrays import mapped
from nnspec.data.dataset import Dataset
from nnspec.data.section.plan import DataPlan
from nnspec.ir.graph import Graph, Output
from nnspec.training.baselines import mean_of, most_frequent
from nnspec.training.metrics.parts import target_axes
from nnspec.training.scores import as_rows

Described = dict[str, object]


def describe_counted(graph: Graph, output: Output, plan: DataPlan, dataset: Dataset) -> Described:
    """`{"counted": {"ignore": …} | {"lengths": …, "axis": …} | {"like": input, "axes": …, "axis": …}, "row_steps": …}`.

    Empty where all targets count, or a file cannot tell: where several axes of the targets run through steps.
    """
    slot, steps = plan.outputs[output.name], dataset.steps.get(output.name, ())
    rule: Described = {}
    if slot.ignore is not None:
        rule = {"ignore": slot.ignore}
    elif slot.padded_like is not None and len(steps) == 1 and not plan.inputs[slot.padded_like].encodings:
        axes = [axis.name for axis in graph.inputs[slot.padded_like].axes]
        rule = {"like": slot.padded_like, "axes": axes, "axis": steps[0]}
    elif len(slot.lengths) == 1 and len(steps) == 1:
        rule = {"lengths": slot.lengths[0], "axis": steps[0], "padded": target_axes(output)[steps[0] - 1].name}
    return {"counted": rule, "row_steps": list(steps)} if rule else {}


def padded_baseline(output: Output, dataset: Dataset) -> Described | None:
    """That of outputs whose padded targets do not count: each step is a row. None of quantiles."""
    train, name = dataset.splits["train"], output.name
    steps, counted = dataset.steps.get(name, ()), train.counts(name)
    if output.levels or train.last[name] is not None or mapped.is_long(train.target[name]):
        return None
    if output.gives_values:
        value = mean_of(train.target[name], counted, steps)[0]
        return {"name": "mean", "value": value.tolist()}
    codes = train.y[name]
    guess = most_frequent(as_rows(codes, steps), None if counted is None else as_rows(counted, steps))
    rest = [size for i, size in enumerate(codes.shape) if i not in (0, *steps)]
    return {"name": "majority", "value": np.expand_dims(guess.reshape(rest), [s - 1 for s in steps]).tolist()}
