"""Which axes of a formula's values are the same one, although layers called them differently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis


def axes_in_formula(values: Sequence[Axes], expression: str) -> tuple[Axes, ...]:
    """The axes of each value as the formula calls them.

    Where no value has the axes of all others, those that stand at the same place of values with as many axes are one:
    a residual in `filter` and what a `Dense` made of it in `unit`, or the one `unit` of a gate. A name that the spec
    gave, or that the formula uses, stays; of two single positions, which cannot be mistaken, that of the value with
    most named axes.
    """
    every = {axis.name for axes in values for axis in axes}
    if any(every <= set(ax.names(axes)) for axes in values):
        return tuple(values)
    model = max(
        values,
        key=lambda axes: (
            len(axes),
            ax.multiply(axis.size for axis in axes if isinstance(axis.size, int)),
            sum(map(ax.has_own_name, axes)),
        ),
    )
    spoken = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", expression))
    return tuple(_called_as(axes, model, spoken) for axes in values)


def _called_as(axes: Axes, model: Axes, spoken: set[str]) -> Axes:
    """The axes under the names of `model`, or as they are where one of them may be another."""
    if axes is model or len(axes) != len(model):
        return axes
    pairs = list(zip(axes, model, strict=True))
    return (
        tuple(replace(mine, name=other.name) for mine, other in pairs)
        if all(mine.name == other.name or _is_same(mine, other, axes, model, spoken) for mine, other in pairs)
        else axes
    )


def _is_same(mine: Axis, other: Axis, axes: Axes, model: Axes, spoken: set[str]) -> bool:
    fits = mine.size in (other.size, 1)
    stands_elsewhere = ax.index_of(model, mine.name) is not None or ax.index_of(axes, other.name) is not None
    is_free = not ax.has_own_name(mine) or mine.size == other.size == 1
    return fits and not stands_elsewhere and is_free and mine.name not in spoken
