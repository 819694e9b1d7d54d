"""Batches of gathered samples as a `tf.data.Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.streaming import flat, parts_of
from nnspec.backends.sample_order import MANY, samples_at
from nnspec.backends.types import Tensor, Values
from nnspec.data.arrays.gathered import Gathered

AT_ONCE, MOST = 1 << 22, 64  # bytes that are gathered at a time, and batches


def streamed(samples: Samples, order: Order, first: int | Tensor, stop: int, skipped: int | Tensor = 0) -> Tensor:
    """As `batches.batches_of_epochs`, the same values in the same order, gathered as they are needed."""
    import tensorflow as tf

    parts = parts_of(samples)
    arrays = [_as_array(array) for part in parts for array in flat(part)]
    dtypes = [tf.as_dtype(np.float32 if array.dtype == np.float64 else array.dtype) for array in arrays]
    count, size = len(arrays[0]), order.batch_size
    together = batches_at_once(count, size, sum(array.nbytes // len(array) for array in arrays))
    wide = size * together
    known = wide if count % wide == 0 else None
    shapes = [(known, *array.shape[1:]) for array in _first_sample(samples, parts, arrays)]
    is_computed = order.is_shuffled and count > MANY

    def gather(chosen: np.ndarray, number: np.ndarray) -> list[np.ndarray]:
        rows = samples_at(count, order.seed, int(number), chosen) if is_computed else chosen
        taken = [
            np.asarray(_rows_of(array, rows), dtype=dtype.as_numpy_dtype)
            for array, dtype in zip(arrays, dtypes, strict=True)
        ]
        if samples.change is None:
            return taken
        changed = samples.change(_nest(parts, taken), rows, int(number))
        return [np.asarray(array) for part in changed for array in flat(part)]

    def pieces(epoch: Tensor) -> Tensor:
        """The samples of an epoch by number, as many as are gathered at a time."""
        starts = tf.data.Dataset.range(0, count, wide)
        if is_computed or not order.is_shuffled:
            return starts.map(
                lambda start: (
                    tf.range(start, tf.minimum(start + wide, count), dtype=tf.int64),
                    tf.cast(epoch, tf.int32),
                )
            )
        number = tf.cast(epoch, tf.int32)
        found = tf.range(count, dtype=tf.int64)
        found = tf.random.experimental.stateless_shuffle(found, seed=tf.stack([order.seed, number]))
        return starts.map(lambda start: (found[start : start + wide], number))

    def read(found: Tensor, number: Tensor) -> tuple[Values, ...]:
        made = tf.numpy_function(gather, [found, number], dtypes, stateful=False)
        return _nest(parts, [tf.ensure_shape(array, shape) for array, shape in zip(made, shapes, strict=True)])

    chosen = without_first(numbers(first, stop).flat_map(pieces), skipped, lambda left_out: left_out // together)
    every = in_batches(chosen.map(read).prefetch(1), count, size, together, skipped)
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    return every.with_options(options).prefetch(tf.data.AUTOTUNE)


def batches_at_once(count: int, size: int, bytes_of_sample: int) -> int:
    """How many batches are gathered at a time: a function that is called for each would cost more than its work."""
    return max(1, min(MOST, AT_ONCE // max(1, size * bytes_of_sample), count // size))


def in_batches(gathered: Tensor, count: int, size: int, together: int, skipped: int | Tensor) -> Tensor:
    """Batches of what was gathered at a time, by a kernel, without the first of them; an epoch's last may be smaller.

    Their size is known where all have the same: stateful layers need that.

    Args:
        count: the samples of an epoch.
        skipped: how many batches are left out, of which so many as are `together` already are.
    """
    import tensorflow as tf

    if together == 1:
        return gathered
    is_even = count % size == 0
    cut = gathered.flat_map(lambda *parts: tf.data.Dataset.from_tensors(parts).rebatch(size, drop_remainder=is_even))
    return without_first(cut, skipped, lambda left_out: left_out % together)


def numbers(first: int | Tensor, stop: int) -> Tensor:
    """A dataset of numbers from one, which may be what a variable has when the dataset is iterated over anew."""
    import tensorflow as tf

    if isinstance(first, int):
        return tf.data.Dataset.range(first, stop)
    return tf.data.Dataset.range(1).flat_map(lambda _: tf.data.Dataset.range(tf.cast(first, tf.int64), stop))


def without_first(
    dataset: Tensor, skipped: int | Tensor, part: Callable[[Tensor], Tensor] = lambda left_out: left_out
) -> Tensor:
    """A dataset without so many of its first elements; a variable's value is taken when it is iterated over anew.

    Args:
        part: how many of `skipped` are elements of this dataset.
    """
    import tensorflow as tf

    if isinstance(skipped, int):  # no dataset around it, which costs as an iterator is made
        return dataset.skip(part(skipped))
    return tf.data.Dataset.range(1).flat_map(lambda _: dataset.skip(part(tf.cast(skipped, tf.int64))))


def _as_array(values: Tensor) -> np.ndarray | Gathered:
    """Texts, which are tensors, as arrays."""
    return values if isinstance(values, Gathered) else np.asarray(values)


def _first_sample(samples: Samples, parts: tuple[Values, ...], arrays: list[np.ndarray | Gathered]) -> list[np.ndarray]:
    """One sample of each array as it reaches the model, for its axes."""
    taken = [np.asarray(array[np.zeros(1, np.int64)]) for array in arrays]
    if samples.change is None:
        return taken
    return [np.asarray(a) for part in samples.change(_nest(parts, taken), np.zeros(1, np.int64), 0) for a in flat(part)]


def _rows_of(array: np.ndarray | Gathered, rows: np.ndarray) -> np.ndarray:
    is_whole = isinstance(array, np.ndarray) and array.flags.c_contiguous
    return np.take(array, rows, axis=0) if is_whole else array[rows]


def _nest(parts: tuple[Values, ...], arrays: Sequence[Tensor]) -> tuple[Values, ...]:
    """Flat arrays in the form of the parts."""
    rest = iter(arrays)
    return tuple({name: next(rest) for name in part} if isinstance(part, dict) else next(rest) for part in parts)
