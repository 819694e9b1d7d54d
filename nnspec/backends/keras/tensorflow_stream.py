"""Batches of gathered samples as a `tf.data.Dataset`."""

from __future__ import annotations

from collections.abc import Sequence

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


def streamed(samples: Samples, order: Order, epoch: int | Tensor, skipped: int | Tensor = 0) -> Tensor:
    """As `tensorflow_backend.batches`, in the same order and with the same values, gathered as they are needed."""
    import tensorflow as tf

    parts = parts_of(samples)
    arrays = [_as_array(array) for part in parts for array in flat(part)]
    shapes = [(None, *array.shape[1:]) for array in _first(samples, parts, arrays)]
    dtypes = [tf.as_dtype(np.float32 if array.dtype == np.float64 else array.dtype) for array in arrays]
    count, size = len(arrays[0]), order.batch_size
    bytes_of_batch = size * sum(array.nbytes // len(array) for array in arrays)
    wide = size * max(1, min(MOST, AT_ONCE // max(1, bytes_of_batch), count // size))
    is_computed = order.is_shuffled and count > MANY

    def gather(chosen: np.ndarray, number: np.ndarray) -> list[np.ndarray]:
        rows = samples_at(count, order.seed, int(number), chosen) if is_computed else chosen
        taken = [
            np.asarray(_rows_of(array, rows), dtype=dtype.as_numpy_dtype)
            for array, dtype in zip(arrays, dtypes, strict=True)
        ]
        if samples.change is None:
            return taken
        changed = samples.change(_nested(parts, taken), rows, int(number))
        return [np.asarray(array) for part in changed for array in flat(part)]

    def ordered(_: Tensor) -> Tensor:
        found = tf.range(count, dtype=tf.int64)
        return tf.random.experimental.stateless_shuffle(found, seed=tf.stack([order.seed, epoch]))

    def pieces(found: Tensor) -> Tensor:
        starts = tf.data.Dataset.range(0, count, wide)
        return starts.map(lambda start: found[start : start + wide])

    if order.is_shuffled and not is_computed:
        chosen = tf.data.Dataset.range(1).map(ordered).flat_map(pieces)
    else:
        starts = tf.data.Dataset.range(0, count, wide)
        chosen = starts.map(lambda start: tf.range(start, tf.minimum(start + wide, count), dtype=tf.int64))

    def read(found: Tensor) -> tuple[Tensor, ...]:
        made = tf.numpy_function(gather, [found, tf.cast(epoch, tf.int32)], dtypes, stateful=False)
        return tuple(tf.ensure_shape(array, shape) for array, shape in zip(made, shapes, strict=True))

    def sized(array: Tensor) -> Tensor:
        """A batch whose size is known where all have the same: stateful layers need that."""
        return tf.ensure_shape(array, (size if count % size == 0 else None, *array.shape[1:]))

    def cut(*gathered: Tensor) -> Tensor:
        """Batches of what was gathered at a time; the last of all may be smaller."""
        held = tf.shape(gathered[0], out_type=tf.int64)[0]
        return tf.data.Dataset.range(0, held, size).map(
            lambda start: _nested(parts, [sized(array[start : start + size]) for array in gathered])
        )

    every = chosen.map(read).prefetch(1).flat_map(cut)
    # inside, so that a variable is read as each epoch begins
    batches = tf.data.Dataset.range(1).flat_map(lambda _: every.skip(tf.cast(skipped, tf.int64)))
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    known = batches.apply(tf.data.experimental.assert_cardinality(-(-count // size)))
    return known.with_options(options).prefetch(tf.data.AUTOTUNE)


def _as_array(values: Tensor) -> np.ndarray | Gathered:
    """Texts, which are tensors, as arrays."""
    return values if isinstance(values, Gathered) else np.asarray(values)


def _first(samples: Samples, parts: tuple[Values, ...], arrays: list[np.ndarray | Gathered]) -> list[np.ndarray]:
    """One sample of each array as it reaches the model, for its axes."""
    taken = [np.asarray(array[np.zeros(1, np.int64)]) for array in arrays]
    if samples.change is None:
        return taken
    return [
        np.asarray(a) for part in samples.change(_nested(parts, taken), np.zeros(1, np.int64), 0) for a in flat(part)
    ]


def _rows_of(array: np.ndarray | Gathered, rows: np.ndarray) -> np.ndarray:
    is_whole = isinstance(array, np.ndarray) and array.flags.c_contiguous
    return np.take(array, rows, axis=0) if is_whole else array[rows]


def _nested(parts: tuple[Values, ...], arrays: Sequence[Tensor]) -> tuple[Values, ...]:
    """Flat arrays in the form of the parts."""
    rest = iter(arrays)
    return tuple({name: next(rest) for name in part} if isinstance(part, dict) else next(rest) for part in parts)
