"""Sizes that a reshape infers at run time: at most one is unknown, the others are sizes of its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from nnspec.diagnostics import Fix, quoted
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Size
from nnspec.layers.kit.base import Call

Rule: TypeAlias = int | dict[str, int]  # a size or -1, or the input axis whose size it takes over, and over what


def symbolic_recipe(before: Sequence[Size], after: Sequence[Size]) -> list[Rule]:
    """For each output axis a number, or the input axis whose unknown size it takes over (and over what), or -1."""
    recipe: list[Rule] = []
    for size in after:
        if isinstance(size, int):
            recipe.append(size)
            continue
        source = next((i for i, old in enumerate(before) if old == size), None)
        recipe.append(-1 if source is None else {"axis": source + 1})
    if recipe.count(-1) > 1:
        recipe = [r if r != -1 else _ratio(size, before) for r, size in zip(recipe, after, strict=True)]
    return recipe


def _ratio(size: Size, before: Sequence[Size]) -> Rule:
    for i, old in enumerate(before):
        quotient = ax.divide(old, size) if isinstance(old, ax.Symbolic) else None
        if isinstance(quotient, int):
            return {"axis": i + 1, "over": quotient}
    return -1


def require_one_open_size(call: Call, axes: Axes, arg: str | None = None) -> Axes:
    """A reshape works out one unknown size; the others must be sizes that are there.

    Raises:
        Fault: NN605.
    """
    recipe = symbolic_recipe(ax.sizes(call.axes), ax.sizes(axes))
    if recipe.count(-1) > 1:
        unknown = [axis.name for axis, rule in zip(axes, recipe, strict=True) if rule == -1]
        call.fail(
            "NN605",
            f"`{call.kind}` would create {quoted(unknown)} of unknown length at once, {ax.describe(axes)}",
            arg,
            notes=["a reshape can infer one unknown size; the others must be sizes of its input"],
            fixes=[Fix("split this into two model items, one per unknown size")],
        )
    return axes
