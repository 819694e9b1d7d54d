"""Samples that are gathered by index when they are asked for: windows of rows, and rows, that are never written out.

    values = Gathered(rows, ends, steps=range(-9, 1))
    values[np.array([7, 2])]                    # the windows of samples 7 and 2: axes `sample step *rest`

A `Gathered` stands where an array would: it has `shape`, `dtype` and `len()`, and `values[indices]` is an array. What
goes through all samples takes them in `chunks`, or asks for what the rows alone tell (`step`, `counted_rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeGuard, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from nnspec.data.arrays import mapped

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Array = np.ndarray
Positions = NDArray[np.int64]
Finish = Callable[[Array], Array]
CHUNK = 1 << 24  # bytes that are made at a time


class Gathered:
    """Samples, each made of one row or of consecutive ones.

    Args:
        rows: axes `row *rest`; they may be mapped from a file.
        at: the row of each sample; of a window, that of its last row. Axes `sample`.
        steps: the rows of a window, relative to `at`; None where a sample is a row.
        finish: what becomes of gathered rows, sample by sample: axes `sample *step *rest` to `sample *axes`.
    """

    def __init__(self, rows: Array, at: Positions, *, steps: range | None = None, finish: Finish | None = None) -> None:
        self.rows, self.at, self.steps, self.finish = rows, at, steps, finish
        self._windows = None if steps is None or len(steps) > len(rows) else _windows_of(rows, len(steps))
        one = self[:1]
        self.dtype: np.dtype[np.generic] = one.dtype
        self.shape: tuple[int, ...] = (len(at), *one.shape[1:])

    def __len__(self) -> int:
        return len(self.at)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many values all samples have."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __getitem__(self, index: int | slice | list[int] | NDArray[np.int64 | np.bool_]) -> Array:
        """The samples of an index, a slice, an array of indices, or a mask."""
        if isinstance(index, int | np.integer):
            return np.asarray(self[np.array([index])][0])
        if not isinstance(index, slice | np.ndarray | list):
            raise TypeError("samples that are gathered are indexed along their first axis alone")
        at = self.at[index]
        if self.steps is None:
            is_whole = self.rows.flags.c_contiguous
            taken = np.take(self.rows, at, axis=0) if is_whole else self.rows[at]
        else:
            assert self._windows is not None
            taken = self._windows[at + self.steps.start]
        mapped.trim(len(at) * max(mapped.AROUND, taken.nbytes // max(1, len(at))))
        return np.asarray(taken if self.finish is None else self.finish(taken))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """All samples at once, for what knows no chunks: in a file without a name where they are many."""
        found = mapped.empty(self.shape, self.dtype)
        for part, values in numbered_chunks(self):
            found[part] = values
        return found if dtype is None else found.astype(dtype)

    def head(self, count: int) -> Gathered:
        """The first samples."""
        return Gathered(self.rows, self.at[:count], steps=self.steps, finish=self.finish)

    def step(self, index: int) -> Gathered:
        """The same windows, but of one step each, which keeps its axis; rows have a single step."""
        if self.steps is None:
            return self
        first = self.steps[index]
        return Gathered(self.rows, self.at, steps=range(first, first + 1), finish=self.finish)

    def then(self, function: Finish) -> Gathered:
        """What a function gives for the samples, which it takes one by one along their first axis."""
        finish = self.finish
        both = function if finish is None else lambda values: function(finish(values))
        return Gathered(self.rows, self.at, steps=self.steps, finish=both)

    @property
    def step_count(self) -> int:
        """How many rows a sample is made of."""
        return 1 if self.steps is None else len(self.steps)

    def counted_rows(self) -> Iterator[tuple[Array, Positions]]:
        """The rows that samples are made of, each as a sample of one step, and how many samples have it, in chunks."""
        counts = count_rows(self.at, self.steps, len(self.rows))
        used = mapped.flatnonzero(counts)
        alone = Gathered(self.rows, used, steps=None if self.steps is None else range(1), finish=self.finish)
        for part, values in numbered_chunks(alone):
            yield values, counts[used[part]]


def is_gathered(values: object) -> TypeGuard[Gathered]:
    """Whether samples are gathered as they are asked for; they stand where arrays do."""
    return isinstance(values, Gathered)


def count_rows(at: Positions, steps: range | None, rows: int) -> Positions:
    """In how many samples each row is: axes `row`."""
    found = mapped.zeros((rows + 1,), np.int64)
    first, stop = (0, 1) if steps is None else (steps.start, steps.stop)
    for start in range(0, len(at), CHUNK // 8):
        part = at[start : start + CHUNK // 8]
        np.add.at(found, part + first, 1)
        np.subtract.at(found, part + stop, 1)
    return np.cumsum(found, out=found)[:-1]


def _windows_of(rows: Array, length: int) -> Array:
    """All windows as a view: axes `first row, step, *rest`. NumPy copies a window in one piece then."""
    shape = (len(rows) - length + 1, length, *rows.shape[1:])
    return as_strided(rows, shape, (rows.strides[0], *rows.strides), writeable=False)


def numbered_chunks(values: Array | Gathered, most: int | None = None) -> Iterator[tuple[slice, Array]]:
    """Stretches of samples, each with where it stands; an array of no more than `most` bytes comes whole."""
    count, most = len(values), CHUNK if most is None else most
    if isinstance(values, np.ndarray) and values.nbytes <= most:
        yield slice(0, count), values
        return
    size = chunk_size(values, most)
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        found = values[part]
        yield part, found
        if isinstance(values, np.ndarray):  # what is gathered does so by itself
            mapped.trim(found.nbytes)


def chunks(values: Array | Gathered, most: int | None = None) -> Iterator[Array]:
    """`numbered_chunks` without the numbers."""
    for _, found in numbered_chunks(values, most):
        yield found


def chunk_size(values: Array | Gathered, most: int | None = None) -> int:
    """How many samples are `most` bytes, at least one."""
    most = CHUNK if most is None else most
    return max(1, int(most // max(1, values.nbytes // max(1, len(values)))))


def head(values: Array, count: int) -> Array:
    """The first samples of an array, or of what is gathered, which stays so."""
    return cast(Array, values.head(count)) if is_gathered(values) else values[:count]


def last_axis(values: Array, index: int) -> Array:
    """One position of the last axis of an array, or of what is gathered, which stays so."""
    if is_gathered(values):
        return cast(Array, values.then(lambda gathered: gathered[..., index]))
    return values[..., index]


def weighted_chunks(values: Array | Gathered) -> Iterator[tuple[Array, Positions | None]]:
    """Values in chunks of axes `row value`, and how often each row of them counts; None: once.

    Of windows a row comes once, with the number of those that it is in.
    """
    if isinstance(values, Gathered) and values.steps is not None:
        for found, counts in values.counted_rows():
            yield found.reshape(len(found), -1), counts
        return
    for found in chunks(values):
        yield found.reshape(len(found), -1), None


def each_chunk(function: Callable[..., Array], *values: Array | Gathered) -> Array:
    """What a function gives for samples, chunk by chunk where they are gathered or many: axes `sample *any`.

    Args:
        values: samples, as many each; the function gets the same stretch of all of them.
    """
    large = [value for value in values if isinstance(value, Gathered) or mapped.is_long(value)]
    if not large:
        return function(*values)
    size = min(chunk_size(value) for value in large)
    found: Array | None = None
    for start in range(0, len(large[0]), size):
        part = slice(start, start + size)
        made = function(*(value[part] for value in values))
        if found is None:
            found = mapped.empty((len(large[0]), *made.shape[1:]), made.dtype)
        found[part] = made
    assert found is not None
    return found
