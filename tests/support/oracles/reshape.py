"""What a reshape does, read from an index tensor alone: none of the checker's code, nor its idea of atoms.

`arange` of the input's shape is reshaped by NumPy. Every element of the result then says where it came from, and an
output axis is judged by asking which input coordinates its position is a function of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Verdict(NamedTuple):
    """What an output axis is, and of which input axes (positions) it is made; of a mixture nothing more is said."""

    kind: str
    sources: tuple[int, ...] = ()


@lru_cache(maxsize=4096)
def coordinates(sizes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """For every element in memory order, its coordinate along each axis."""
    return tuple(np.indices(sizes).reshape(len(sizes), -1))


def is_function(values: np.ndarray, of: np.ndarray, limit: int) -> bool:
    """Whether elements that are equal in `of` (below `limit`) are equal in `values`."""
    table = np.zeros(limit, values.dtype)
    table[of] = values
    return bool((table[of] == values).all())


def verdicts(before: tuple[int, ...], after: tuple[int, ...]) -> list[Verdict]:
    """Of every output axis of a row-major reshape."""
    there = coordinates(before)
    return [_verdict(there, before, here, after[place]) for place, here in enumerate(coordinates(after))]


def transposed_verdicts(before: tuple[int, ...], order: Sequence[int], after: tuple[int, ...]) -> list[Verdict]:
    """The same after the input's axes were brought into another order."""
    moved = np.arange(math.prod(before)).reshape(before).transpose(order).reshape(-1)
    there = tuple(c[moved] for c in coordinates(before))
    return [_verdict(there, before, here, after[place]) for place, here in enumerate(coordinates(after))]


def _verdict(there: Sequence[np.ndarray], before: Sequence[int], here: np.ndarray, size: int) -> Verdict:
    if size == 1:
        return Verdict("new")
    data = [i for i, n in enumerate(before) if n > 1]
    kept = [i for i in data if before[i] <= size and is_function(there[i], here, size)]
    if math.prod(before[i] for i in kept) == size:
        if len(kept) > 1:
            return Verdict("merge", tuple(kept))
        return Verdict("identity" if np.array_equal(there[kept[0]], here) else "mixed", tuple(kept))
    whole = [i for i in data if before[i] > size and is_function(here, there[i], before[i])]
    return Verdict("part", (whole[0],)) if whole else Verdict("mixed")
