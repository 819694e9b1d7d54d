"""What the elements of an output are called: by column and row ahead, as in `metrics.json`, or by feature."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from nnspec.data.deployment import Deployment
from nnspec.data.section.plan import DataPlan
from nnspec.ir import axes as ax
from nnspec.ir.graph import Output
from nnspec.training.metrics.parts import target_axes


def element_names(output: Output, order: Sequence[str], plan: DataPlan | None) -> list[str] | None:
    """`+1`, `+2`, … of one column, `_temp+1`, `_wind+1`, … of several: in the order of the file's axes.

    Args:
        order: the axes of the output in the file.

    Returns:
        None where the output is no forecast of several rows, or has axes beside rows and columns.
    """
    window = plan.window if plan is not None else None
    if plan is None or window is None or not window.has_steps or len(window.horizon) < 2:
        return None
    steps = [f"+{row}" for row in window.horizon]
    columns = [f"_{name}" for name in plan.columns_of(output.name)]
    columns = columns if len(columns) > 1 else [""]
    places = {axis.name: axis for axis in target_axes(output) if axis.size != 1}
    axes = [places[name] for name in order if name in places]
    sizes = [axis.size for axis in axes]
    if sizes == [len(steps) * len(columns)]:  # a head of all of them has them row by row
        return [column + step for step in steps for column in columns]
    if sorted(sizes, key=str) != sorted([len(steps), len(columns)], key=str):
        return None
    if sizes[0] != sizes[1]:
        is_step_first = sizes[0] == len(steps)
    else:
        is_step_first = ax.is_sequence(axes[0]) or not ax.is_sequence(axes[1])
    pairs = product(steps, columns) if is_step_first else ((step, name) for name, step in product(columns, steps))
    return [column + step for step, column in pairs]


def copied_names(
    output: Output, order: Sequence[str], plan: DataPlan | None, deployment: Deployment
) -> list[str] | None:
    """`_age`, `_sex=male`, … of an output that reconstructs columns; `_0_age`, … where each has several steps.

    Args:
        order: the axes of the output in the file.

    Returns:
        None where it reconstructs none, or has axes beside steps and features.
    """
    copy = plan.copies.get(output.name) if plan is not None else None
    if plan is None or copy is None:
        return None
    encoded, slot = deployment.columns.get(copy.input), plan.inputs.get(copy.input)
    names = encoded.features if encoded is not None else slot.columns if slot is not None else ()
    axes = {axis.name: axis.size for axis in target_axes(output) if axis.size != 1}
    shape = [size for name in order if isinstance(size := axes.get(name), int)]
    if len(shape) < len(axes) or len(names) < 2 or shape.count(len(names)) != 1 or len(shape) > 2:
        return None
    parts = [
        [f"_{name}" for name in names] if size == len(names) else [f"_{step}" for step in range(size)] for size in shape
    ]
    return ["".join(pair) for pair in product(*parts)]
