"""Batches of gathered samples as a `tf.data.Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.streaming import flat, parts_of
from nnspec.backends.sample_order import MANY, samples_at
from nnspec.backends.types import Tensor, Values
from nnspec.data.arrays.gathered import Gathered

AT_ONCE = (
    1 << 22
)  # bytes that Python gathers at a time: it is asked for several batches, which costs less than for each
MOST = 64  # batches


def streamed(samples: Samples, order: Order, first: int | Tensor, stop: int, skipped: int | Tensor = 0) -> Tensor:
    """As `tensorflow_batches.batches_of_epochs`, the same values in the same order, gathered as they are needed."""
    import tensorflow as tf

    parts = parts_of(samples)
    arrays = [_as_array(array) for part in parts for array in flat(part)]
    shapes = [(None, *array.shape[1:]) for array in _first_sample(samples, parts, arrays)]
    dtypes = [tf.as_dtype(np.float32 if array.dtype == np.float64 else array.dtype) for array in arrays]
    count, size = len(arrays[0]), order.batch_size
    bytes_of_batch = size * sum(array.nbytes // len(array) for array in arrays)
    together = max(1, min(MOST, AT_ONCE // max(1, bytes_of_batch), count // size))
    wide = size * together
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

    def read(found: Tensor, number: Tensor) -> tuple[Tensor, ...]:
        made = tf.numpy_function(gather, [found, number], dtypes, stateful=False)
        return tuple(tf.ensure_shape(array, shape) for array, shape in zip(made, shapes, strict=True))

    def sized(array: Tensor) -> Tensor:
        """A batch whose size is known where all have the same: stateful layers need that."""
        return tf.ensure_shape(array, (size if count % size == 0 else None, *array.shape[1:]))

    def cut(*gathered: Tensor) -> Tensor:
        """Batches of what was gathered at a time; the last of all may be smaller."""
        held = tf.shape(gathered[0], out_type=tf.int64)[0]
        return tf.data.Dataset.range(0, held, size).map(
            lambda start: _nest(parts, [sized(array[start : start + size]) for array in gathered])
        )

    chosen = without_first(numbers(first, stop).flat_map(pieces), skipped, lambda left_out: left_out // together)
    every = chosen.map(read).prefetch(1).flat_map(cut)
    every = without_first(every, skipped, lambda left_out: left_out % together)
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    return every.with_options(options).prefetch(tf.data.AUTOTUNE)


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
