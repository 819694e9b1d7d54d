"""Statistics of samples that are gathered: in chunks, with sums that are compensated.

Formula: means are sums by `math.fsum` of the chunks' sums; deviations are those from the mean, in a second pass. So the
result depends on how chunks are cut by no more than rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from math import fsum

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered, chunks
from nnspec.data.prepare.encodings.number import as_float32, fit_statistics
from nnspec.data.prepare.transforms import Float, Scaling

Array = np.ndarray
Numbers = NDArray[np.float64]
Read = Callable[[], Iterator[Array]]  # goes through the samples: chunks of axes `sample *any`


def fit_samples(samples: Gathered, method: str, along: tuple[int, ...], fill: Float | None = None) -> Scaling:
    """As `Scaling.fit` of all samples, NaN replaced by `fill` where there is one."""

    def read() -> Iterator[Array]:
        for values in chunks(samples):
            wide = values.astype(np.float64)
            yield wide if fill is None else np.where(np.isnan(wide), fill, wide)

    return fit_chunks(read, method, along)


def fit_array(values: Array, method: str, along: tuple[int, ...]) -> Scaling:
    """As `Scaling.fit`, of a large array in chunks."""
    if not mapped.is_long(values):
        return Scaling.fit(values, method, along)
    return fit_chunks(lambda: (chunk.astype(np.float64) for chunk in chunks(values)), method, along)


def fit_chunks(read: Read, method: str, along: tuple[int, ...]) -> Scaling:
    """As `Scaling.fit` of all chunks, which have axes `sample *slot`."""
    first = next(read())
    pooled = tuple(i for i in range(first.ndim) if i - 1 not in along)
    if method == "standard":
        count, offset = moments(read, pooled)
        _, variance = moments(lambda: (np.square(chunk - offset) for chunk in read()), pooled)
        divisor = np.sqrt(variance)
        if not count.all():
            whole = tuple(range(first.ndim))
            _, mean = moments(read, whole)
            _, spread = moments(lambda: (np.square(chunk - mean) for chunk in read()), whole)
            offset, divisor = np.where(count, offset, mean), np.where(count, divisor, np.sqrt(spread))
    elif method == "minmax":
        low, high = extremes(read, pooled)
        if np.isnan(low).any():
            low, high = np.where(np.isnan(low), np.nanmin(low), low), np.where(np.isnan(high), np.nanmax(high), high)
        offset, divisor = low, high - low
    elif method == "robust":
        low, offset, high = quantiles(read, pooled, (0.25, 0.5, 0.75))
        divisor = high - low
    else:
        raise ValueError(f"unknown scaling {method!r}")
    return Scaling.of(offset, divisor)


def mean_of(values: Numbers) -> float:
    """The mean of numbers, of many in chunks; axes `row`."""
    if not mapped.is_long(values):
        return float(np.mean(values))
    return fsum(float(np.sum(part)) for part in chunks(values)) / len(values)


def median_of(values: Numbers) -> float:
    """The median of numbers; axes `row`."""
    if not mapped.is_long(values):
        return float(np.median(values))
    return sorted_quantiles(mapped.copy(values), (0.5,))[0]


def most_frequent_of(values: Numbers) -> float:
    """The number that occurs most often; of several, the smallest. Axes `row`."""
    if not mapped.is_long(values):
        found, counts = np.unique(values, return_counts=True)
        return float(found[np.argmax(counts)])
    own = mapped.copy(values)
    own.sort()
    best, most, before, run = np.nan, 0, np.nan, 0
    for part in chunks(own):
        found, counts = np.unique(part, return_counts=True)
        if found[0] == before:  # it goes on from the chunk before
            counts[0] += run
        before, run = found[-1], int(counts[-1])
        at = int(np.argmax(counts))
        if counts[at] > most:
            best, most = float(found[at]), int(counts[at])
    return float(best)


def statistics_of(values: Numbers, scale: str | None) -> tuple[float, float]:
    """As `encodings.number.fit_statistics`, of many numbers in chunks: axes `row`."""
    if scale is None or not mapped.is_long(values):
        return fit_statistics(values, scale)
    if scale == "robust":
        low, offset, high = sorted_quantiles(mapped.copy(values), (0.25, 0.5, 0.75))
        return as_float32(offset, high - low)
    if scale == "minmax":
        least, most = extremes(lambda: chunks(values), (0,))
        return as_float32(float(least[0]), float(most[0] - least[0]))
    offset = mean_of(values)
    squares = fsum(float(np.sum(np.square(part - offset))) for part in chunks(values))
    return as_float32(offset, math.sqrt(squares / len(values)))


def moments(read: Read, pooled: tuple[int, ...]) -> tuple[NDArray[np.int64], Numbers]:
    """How many numbers there are, and their mean, NaN left out: axes as the chunks', size 1 along `pooled`."""
    counts: list[Array] = []
    sums: list[Array] = []
    for chunk in read():
        known = ~np.isnan(chunk)
        counts.append(known.sum(axis=pooled, keepdims=True))
        sums.append(np.sum(chunk, axis=pooled, keepdims=True, where=known))
    count = np.sum(counts, axis=0)
    stacked = np.stack(sums).reshape(len(sums), -1)
    total = np.array([fsum(column) for column in stacked.T]).reshape(count.shape)
    return count, np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def extremes(read: Read, pooled: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """The smallest and the largest number, NaN where there is none: axes as the chunks', size 1 along `pooled`."""
    low = high = np.asarray(np.nan)
    for chunk in read():
        low = np.asarray(np.fmin(low, np.fmin.reduce(chunk, axis=pooled, keepdims=True)))
        high = np.asarray(np.fmax(high, np.fmax.reduce(chunk, axis=pooled, keepdims=True)))
    return low, high


def quantiles(read: Read, pooled: tuple[int, ...], shares: tuple[float, ...]) -> list[Numbers]:
    """Quantiles as `np.nanquantile` defines them, one entry after the other: each is sorted in a mapped array."""
    first = next(read())
    shape = tuple(1 if axis in pooled else size for axis, size in enumerate(first.shape))
    found = [np.empty(shape) for _ in shares]
    size = sum(chunk.size for chunk in read()) // int(np.prod(shape))
    for entry in np.ndindex(shape):
        part = tuple(slice(None) if axis in pooled else slice(i, i + 1) for axis, i in enumerate(entry))
        values, done = mapped.empty((size,), np.float64), 0
        for chunk in read():
            own = chunk[part].reshape(-1)
            own = own[~np.isnan(own)]
            values[done : done + len(own)] = own
            done += len(own)
        for result, value in zip(found, sorted_quantiles(values[:done], shares), strict=True):
            result[entry] = value
    return found


def sorted_quantiles(values: Array, shares: tuple[float, ...]) -> list[float]:
    """Quantiles by linear interpolation of values, which are sorted where they are; NaN where there are none."""
    if not len(values):
        return [float("nan")] * len(shares)
    values.sort()
    found = []
    for share in shares:
        place = share * (len(values) - 1)
        low = int(place)
        high = min(low + 1, len(values) - 1)
        found.append(float(values[low] + (values[high] - values[low]) * (place - low)))
    return found
