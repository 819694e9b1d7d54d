"""Sorted orders, distinct values and codes of long arrays, by stretches: what is made of them is mapped, as they are.

Short arrays take NumPy's own functions, which give the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks

Array = np.ndarray
Positions = NDArray[np.int64]
_SAMPLE = 64  # keys for each stretch, of which the bounds between stretches are chosen


def argsort(values: Array) -> Positions:
    """As `np.argsort(values, kind="stable")`, of an array with one axis.

    Rows are sorted by stretches of keys: those between two bounds, which a sample of the keys gives.
    """
    if not mapped.is_long(values):
        return np.argsort(values, kind="stable")
    found, done = mapped.empty((len(values),), np.int64), 0
    for inside in _between_bounds(values):
        if not len(inside):
            continue
        keys = mapped.take(values, inside)
        if not _is_constant(keys):
            inside = mapped.take(inside, np.argsort(keys, kind="stable"))
        found[done : done + len(inside)] = inside
        done += len(inside)
    return found


def distinct(values: Array) -> Array:
    """As `np.unique`."""
    if not mapped.is_long(values):
        return np.unique(values)
    found: Array | None = None
    for part in chunks(values):
        own = np.unique(part)
        found = own if found is None else np.unique(np.concatenate([found, own]))
        if mapped.is_long(found):
            return _sorted_distinct(values)
    assert found is not None
    return found


def codes(values: Array, known: Array) -> Positions:
    """The position of each value in `known`, which has all of them, sorted; axes as those of the values."""
    return mapped.map_rows(lambda part: np.asarray(np.searchsorted(known, part)), values)


def group_codes(keys: Array) -> Positions:
    """A number for each row's group, in the order of first appearance."""
    if not mapped.is_long(keys):
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        return _ranks(first)[inverse]
    known = distinct(keys)
    first, start = np.full(len(known), len(keys)), 0
    for part in chunks(keys):
        own, at = np.unique(part, return_index=True)
        places = np.searchsorted(known, own)
        first[places] = np.minimum(first[places], at + start)
        start += len(part)
    ranks = _ranks(first)
    return mapped.map_rows(lambda part: ranks[np.searchsorted(known, part)], keys)


def table_of(values: Array, known: Array, table: Array) -> Array:
    """What a table has for each value: axes as those of the values.

    Args:
        known: all values, sorted.
        table: an entry for each of them.
    """
    return mapped.map_rows(lambda part: table[np.searchsorted(known, part)], values)


def _ranks(first: Positions) -> Positions:
    found = np.empty(len(first), np.int64)
    found[np.argsort(first)] = np.arange(len(first))
    return found


def _between_bounds(values: Array) -> Iterator[Positions]:
    """The rows of each stretch of keys, in the order of the rows; what has no order (NaN) comes last."""
    count = max(2, -(-len(values) // mapped.STRETCH))
    sample = np.sort(values[:: max(1, len(values) // (_SAMPLE * count))])
    bounds = np.unique(sample[:: max(1, len(sample) // count)][1:])
    bounds = bounds[bounds == bounds]
    for number in range(len(bounds) + 1):
        low = bounds[number - 1] if number else None
        high = bounds[number] if number < len(bounds) else None

        def is_inside(part: Array, low: object = low, high: object = high) -> NDArray[np.bool_]:
            flags = np.ones(len(part), bool) if high is None else part < high
            if low is not None:
                flags &= ~(part < low)
            return flags

        yield mapped.flatnonzero(mapped.map_rows(is_inside, values))


def _is_constant(keys: Array) -> bool:
    return all(bool((part == keys[0]).all()) for part in chunks(keys))


def _sorted_distinct(values: Array) -> Array:
    """As `np.unique`, of so many values that they are sorted in a file."""
    ordered = mapped.empty((values.size,), values.dtype)
    done = 0
    for part in chunks(values):
        ordered[done : done + part.size] = part.reshape(-1)
        done += part.size
    ordered.sort()
    kept, before = 0, None
    for start in range(0, len(ordered), mapped.STRETCH):
        part = np.unique(ordered[start : start + mapped.STRETCH])
        if before is not None and (part[0] == before or (part[0] != part[0] and before != before)):
            part = part[1:]
        if len(part):
            before = part[-1]
            ordered[kept : kept + len(part)] = part  # never beyond what was read
            kept += len(part)
    return ordered[:kept]
