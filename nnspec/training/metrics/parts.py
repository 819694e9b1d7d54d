"""Which axes of an output have metrics of their own for each position, and what the positions are called."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.data.deployment import class_position
from nnspec.data.section.plan import DataPlan
from nnspec.ir import axes as ax
from nnspec.ir.graph import Output
from nnspec.training.metrics.outcome import Part, as_names

MOST = 64  # positions of an axis


def target_axes(output: Output) -> list[ax.Axis]:
    """The axes of an output's targets, batch left out: those of its values without classes and levels."""
    left_out = class_position(output) if output.task == "classification" else output.level_axis
    return [axis for i, axis in enumerate(output.value.axes) if i != left_out]


def is_map(output: Output) -> bool:
    """Whether an output says something of each place of an image, as a mask does."""
    return sum(1 for axis in target_axes(output) if axis.size != 1 and ax.names_places(axis.name)) > 1


def parts_of(output: Output, plan: DataPlan | None) -> tuple[Part, ...]:
    """Axes of a known size from 2 to MOST, unless the output is a map: `step` and `column`, else the axis' name.

    A multilabel's last axis is its labels, which are scored as classes.
    """
    if is_map(output):
        return ()
    columns: Sequence[str] = () if plan is None else plan.columns_of(output.name)
    window = plan.window if plan is not None else None
    steps = as_names(window.horizon) if window is not None and window.has_steps else ()
    axes = target_axes(output)
    found = []
    for i, axis in enumerate(axes, 1):
        size = axis.size
        if not isinstance(size, int) or not 1 < size <= MOST or (output.task == "multilabel" and i == len(axes)):
            continue
        if len(steps) == size and (ax.is_sequence(axis) or len(columns) != size):
            found.append(Part(axis=i, called="step", names=steps))
        elif len(columns) == size:
            found.append(Part(axis=i, called="column", names=as_names(columns)))
        elif steps and len(columns) * len(steps) == size:
            names = tuple(f"{column}+{step}" for step in steps for column in columns)
            found.append(Part(axis=i, called="column", names=names))
        else:
            called = "step" if ax.is_sequence(axis) else "column" if axis.name == "unit" else axis.name
            found.append(Part(axis=i, called=called, names=as_names(range(size))))
    return tuple(found)
