"""Samples with equal inputs, found by hashes of 64 bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered, is_gathered, numbered_chunks
from nnspec.data.dataset import Dataset, Split

_CHUNK = 1 << 24  # bytes that are hashed at a time
_AT_ONCE = 1 << 21  # hashes that are sorted at a time
Hashes = Mapping[str, NDArray[np.uint64]]  # by split
_BASE = 0x9E3779B97F4A7C15
MOST_ROWS = 5  # rows that are named


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Samples of a split whose inputs are those of a sample of an earlier one.

    Attributes:
        count: how many.
        different: how many of them have other targets than every equal one.
        rows: the first of them, each with an equal one of the earlier split: rows in the file, from 1.
    """

    first: str
    then: str
    count: int
    different: int
    rows: tuple[tuple[int, int], ...]


def find_duplicates(data: Dataset) -> list[Duplicates]:
    """The duplicates of each pair of splits that has some."""
    inputs = {name: _hashes(split.raw, split.size) for name, split in data.splits.items()}
    both = {name: _with_targets(inputs[name], split) for name, split in data.splits.items()}
    return [
        found
        for first, then in combinations(data.splits, 2)
        if (found := _compare(data, (first, then), inputs, both)) is not None
    ]


def _compare(data: Dataset, pair: tuple[str, str], inputs: Hashes, both: Hashes) -> Duplicates | None:
    """The duplicates of two splits; of many samples, those whose hashes are within a range at a time."""
    first, then = pair
    count = different = 0
    rows: list[tuple[int, int]] = []
    parts = 1 << max(0, (data.splits[first].size // _AT_ONCE).bit_length())
    for number in range(parts):
        here, there = (_select_range(inputs[name], number, parts) for name in pair)
        known, asked = inputs[first][here], inputs[then][there]
        if not len(known) or not len(asked):
            continue
        order = np.argsort(known, kind="stable")  # the first of equal ones
        at = order[np.minimum(np.searchsorted(known, asked, sorter=order), len(order) - 1)]
        equal = np.flatnonzero(known[at] == asked)
        if not len(equal):
            continue
        count += len(equal)
        different += int((~np.isin(both[then][there][equal], both[first][here])).sum())
        rows += [
            (int(data.splits[first].rows[here][at[i]]) + 1, int(data.splits[then].rows[there][i]) + 1)
            for i in equal[:MOST_ROWS]
        ]
    if not count:
        return None
    shown = tuple(rows if parts == 1 else sorted(rows, key=lambda pair: pair[1])[:MOST_ROWS])
    return Duplicates(first=first, then=then, count=count, different=different, rows=shown)


def _select_range(hashes: NDArray[np.uint64], number: int, parts: int) -> NDArray[np.int64] | slice:
    """The samples whose hashes are in one of so many ranges, a power of two."""
    if parts == 1:
        return slice(None)
    shift = np.uint64(64 - (parts.bit_length() - 1))
    found = [start.start + np.flatnonzero(h >> shift == number) for start, h in numbered_chunks(hashes)]
    return np.concatenate(found)


def _with_targets(inputs: NDArray[np.uint64], split: Split) -> NDArray[np.uint64]:
    """The hashes of inputs and targets together."""
    targets = _hashes(split.target, split.size)
    return mapped.map_rows(lambda a, b: _mix_bits(a + _mix_bits(b)), inputs, targets)


def is_expected(data: Dataset) -> bool:
    """Whether samples are alike by chance: the inputs can have few different values.

    Combinations of the values that each position has are counted as if every one could occur.
    """
    possible = 1.0
    samples = sum(split.size for split in data.splits.values())
    for name in next(iter(data.splits.values())).raw:
        for column in _columns([split.raw[name] for split in data.splits.values()]):
            possible *= len(np.unique(column))
            if possible > 10 * samples:
                return False
    return True


def _columns(splits: Sequence[np.ndarray | Gathered]) -> Iterator[np.ndarray]:
    """Each position of a sample with its values: axes `sample`."""
    first = splits[0]
    for step in range(first.step_count) if is_gathered(first) else (0,):
        parts = [np.asarray(part.step(step) if is_gathered(part) else part) for part in splits]
        yield from np.concatenate([part.reshape(len(part), -1) for part in parts]).T


def _hashes(arrays: Mapping[str, np.ndarray], count: int) -> NDArray[np.uint64]:
    """A hash of each sample's values, of 64 bits: axes `sample`."""
    total = mapped.zeros((count,), np.uint64)
    for number, name in enumerate(sorted(arrays)):
        values = arrays[name]
        own = _hash_samples(values) if is_gathered(values) else _hash_rows(values.reshape(count, -1))
        for start in range(0, count, _CHUNK // 8):
            part = slice(start, start + _CHUNK // 8)
            total[part] = _mix_bits(total[part] + np.uint64(number) + own[part])
    return total


def _hash_samples(values: Gathered) -> NDArray[np.uint64]:
    """A hash of each sample that is gathered; of windows, of the hashes of their rows.

    A polynomial in an odd base, modulo 2^64: sums of `hash · base^row` up to each row give that of every window.
    """
    if values.steps is None:
        found = mapped.empty((len(values),), np.uint64)
        for part, chunk in numbered_chunks(values):
            found[part] = _hash_rows(chunk.reshape(len(chunk), -1))
        return found
    count = len(values.rows)
    sums = mapped.empty((count + 1,), np.uint64)
    sums[0] = 0
    rows = Gathered(values.rows, np.arange(count), steps=range(1), finish=values.finish)
    for part, chunk in numbered_chunks(rows):
        sums[part.start + 1 : part.stop + 1] = _hash_rows(chunk.reshape(len(chunk), -1))
    sums[1:] *= _powers(_BASE, count)
    np.cumsum(sums, out=sums)
    first = values.at + values.steps.start
    back = _powers(pow(_BASE, -1, 2**64), count)
    return np.asarray((sums[first + len(values.steps)] - sums[first]) * back[first])


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    found = mapped.empty((count,), np.uint64)
    found[:] = base
    found[0] = 1
    return np.cumprod(found, out=found)


def _hash_rows(rows: np.ndarray) -> NDArray[np.uint64]:
    """A hash of each row: axes `row value` to `row`."""
    if rows.dtype.kind in "OUS":
        texts, inverse = np.unique(rows.astype(str), return_inverse=True)
        digests = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts.tolist()]
        rows = np.array([int.from_bytes(digest, "big") for digest in digests], np.uint64)[inverse].reshape(rows.shape)
    width = rows.shape[1] * rows.dtype.itemsize
    words = -(-width // 8)
    places = _mix_bits(np.arange(words, dtype=np.uint64))
    found = np.zeros(len(rows), np.uint64)
    step = max(1, _CHUNK // max(width, 1))
    for start in range(0, len(rows), step):
        chunk = np.ascontiguousarray(rows[start : start + step])
        padded = np.zeros((len(chunk), words * 8), np.uint8)
        padded[:, :width] = chunk.view(np.uint8).reshape(len(chunk), width)
        found[start : start + step] = _mix_bits(padded.view(np.uint64) ^ places).sum(axis=1, dtype=np.uint64)
    return found


def _mix_bits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spreads each word over all bits (splitmix64): https://prng.di.unimi.it/splitmix64.c"""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
