"""Names of axes that stand for one another: what a spec calls `channel` a convolution makes as `filter`."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import nearest
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis

FEATURES = frozenset({"channel", "feature", "filter", "unit", "embedding"})


def near_axes(name: str, axes: Sequence[Axis]) -> list[str]:
    """The axis that a name was probably meant to be: one spelled like it, else the only one, or of its kind."""
    close = nearest(name, ax.names(axes))
    if close or len(axes) == 1:
        return close or [axes[0].name]
    if ax.has_word(name, ax.SEQUENCE):
        steps = [axis.name for axis in axes if ax.is_sequence(axis)]
        return steps if len(steps) == 1 else []
    if name.lower().removesuffix("s") not in FEATURES:
        return []
    same = [axis.name for axis in axes if axis.name in FEATURES]
    return same if len(same) == 1 else []


def is_named_otherwise(name: str, axes: Sequence[Axis]) -> bool:
    """Whether the only axis is the one of that name, which a `Flatten` gave another: `time_unit` of 10 × 1."""
    whole = ax.whole_of(axes[0].atoms) if len(axes) == 1 else None
    return whole is not None and whole.name == name
