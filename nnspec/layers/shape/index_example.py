"""An example of scrambled indices: the elements that the first row would get, and those it should."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Size
from nnspec.ir.reshape import Reordering

MAX_SHOWN = 6
_TRIED = (4, 6, 8, 12, 10, 30)  # lengths for which an unknown size is likely to give whole numbers


def index_example(axes: Axes, sizes: Sequence[Size], reorder: Reordering | None) -> list[str]:
    """A note with the coordinates that row 0 of a reshape to `sizes` gets, in place of those that `reorder` gives it.

    Where sizes are unknown, for one length; empty where nothing can be shown.
    """
    before = [axis.size for axis in axes]
    if len(axes) < 2:
        return []
    if all(isinstance(size, int) for size in (*before, *sizes)):
        said = _row(axes, _at(before, 1), _at(sizes, 1), reorder)
        return [said] if said else []
    symbols = {name for size in (*before, *sizes) if not isinstance(size, int) for name, _ in size.powers}
    for length in _TRIED:
        static, target = _at(before, length), _at(sizes, length)
        if min(*static, *target) < 1 or math.prod(static) != math.prod(target):
            continue
        if said := _row(axes, static, target, reorder):
            known = " and ".join(f"{name} = {length}" for name in sorted(symbols))
            return [f"for {known}, {said}"]
    return []


def _at(sizes: Sequence[Size], length: int) -> list[int]:
    """The sizes with every symbol at one length; 0 where that gives no whole number."""
    result = []
    for size in sizes:
        if isinstance(size, int):
            result.append(size)
            continue
        value = size.coefficient
        for _, power in size.powers:
            value *= length**power if power > 0 else 0
        result.append(int(value) if value.denominator == 1 else 0)
    return result


def _row(axes: Axes, static: Sequence[int], sizes: Sequence[int], reorder: Reordering | None) -> str | None:
    letters = _letters(ax.names(axes))
    before = list(range(len(axes)))
    after = list(reorder.order) if reorder is not None else None
    row = math.prod(sizes[1:])
    if after is not None:
        while before[-1] == after[-1] and len(before) > 2 and row % static[before[-1]] == 0:
            row //= static[before.pop()]  # what moves as a whole needs no digits
            after.pop()
    shown = min(row, MAX_SHOWN)

    def coordinates(index: int, order: Sequence[int]) -> str:
        digits = dict[int, int]()
        for axis in reversed(order):
            digits[axis] = index % static[axis]
            index //= static[axis]
        return "".join(f"{letters[i]}{digits[i]}" for i in before)

    def listed(order: Sequence[int]) -> str:
        return " ".join(coordinates(i, order) for i in range(shown)) + (" …" if row > shown else "")

    got = listed(before)
    if after is None:
        return f"row 0 would get  {got}"
    meant = listed(after)
    return None if got == meant else f"row 0 would get  {got}  instead of  {meant}"


def _letters(names: Sequence[str]) -> list[str]:
    """For each name its shortest beginning that no other name has."""
    result = []
    for name in names:
        others = [other for other in names if other != name]
        short = next((name[:n] for n in range(1, len(name)) if not any(o.startswith(name[:n]) for o in others)), name)
        result.append(short + ("_" if short[-1].isdigit() else ""))
    return result
