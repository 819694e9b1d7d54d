"""Batches of samples as a `tf.data.Dataset`, of one epoch or of many, one behind another.

An iterator of many epochs is made once. One for each costs some 20 ms of processor time, and Keras makes two an epoch
of a dataset whose length it knows: of a small network's epoch that was half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.streaming import flat, is_streamed, parts_of
from nnspec.backends.keras.tensorflow.stream import batches_at_once, in_batches, numbers, streamed, without_first
from nnspec.backends.sample_order import MANY
from nnspec.backends.types import Tensor, Values

if TYPE_CHECKING:
    from nnspec.backends.types import KerasTensor


def steps_of(samples: Samples, order: Order) -> int:
    """How many batches an epoch has."""
    return -(-_count(samples) // order.batch_size)


def batches(samples: Samples, order: Order, epoch: int) -> Tensor:
    """A dataset of an epoch's batches `(inputs, targets)`, with `weights` behind them where there are any."""
    import tensorflow as tf

    known = tf.data.experimental.assert_cardinality(steps_of(samples, order))
    return batches_of_epochs(samples, order, epoch, epoch + 1).apply(known)


def batches_of_epochs(
    samples: Samples, order: Order, first: int | Tensor, stop: int, skipped: int | Tensor = 0
) -> Tensor:
    """The batches of the epochs from `first` to before `stop`, one behind another.

    Args:
        first: an epoch, or a variable that has its number when the dataset is iterated over anew.
        skipped: how many batches of the first epoch are left out, or a variable likewise.
    """
    import tensorflow as tf

    count, size = _count(samples), order.batch_size
    if is_streamed(samples) or (order.is_shuffled and count > MANY):
        return streamed(samples, order, first, stop, skipped)
    data = tf.nest.map_structure(_as_tensor, parts_of(samples))
    bytes_of_sample = sum(tensor.dtype.size * tensor.shape[1:].num_elements() for tensor in tf.nest.flatten(data))
    together = batches_at_once(count, size, bytes_of_sample)
    wide = size * together

    def of_epoch(epoch: Tensor) -> Tensor:
        found = tf.range(count, dtype=tf.int64)
        if order.is_shuffled:  # what `sample_order` gives, by a kernel
            seed = tf.stack([order.seed, tf.cast(epoch, tf.int32)])
            found = tf.random.experimental.stateless_shuffle(found, seed=seed)
        known = [wide if count % wide == 0 else None]
        starts = tf.data.Dataset.range(0, count, wide)
        return starts.map(lambda start: (tf.ensure_shape(found[start : start + wide], known), epoch))

    def batch(chosen: tuple[Tensor, Tensor], all_of_it: tuple[Values, ...]) -> tuple[Values, ...]:
        rows, epoch = chosen
        parts: tuple[Values, ...] = tf.nest.map_structure(lambda array: tf.gather(array, rows), all_of_it)
        return parts if samples.change is None else _augment_batch(samples, parts, rows, tf.cast(epoch, tf.int32))

    chosen = without_first(numbers(first, stop).flat_map(of_epoch), skipped, lambda left_out: left_out // together)
    pairs = tf.data.Dataset.zip((chosen, tf.data.Dataset.from_tensors(data).repeat()))
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # they cost more than they bring here
    gathered = pairs.map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    taken = in_batches(gathered, count, size, together, skipped)
    return taken.with_options(options).prefetch(tf.data.AUTOTUNE)


def _augment_batch(samples: Samples, parts: tuple[Values, ...], chosen: Tensor, epoch: Tensor) -> tuple[Tensor, ...]:
    """A batch as `samples.change` turns it out; its arrays keep their dtypes."""
    import tensorflow as tf

    assert samples.change is not None
    arrays = tf.nest.flatten(parts)

    def changed(chosen: np.ndarray, epoch: np.int32, *arrays: np.ndarray) -> list[np.ndarray]:
        assert samples.change is not None
        found = samples.change(tf.nest.pack_sequence_as(parts, list(arrays)), chosen, int(epoch))
        return [np.asarray(array) for array in tf.nest.flatten(found)]

    found = tf.numpy_function(changed, [chosen, epoch, *arrays], [tensor.dtype for tensor in arrays])
    first = samples.change(
        tf.nest.map_structure(lambda array: np.asarray(array[:1]), parts_of(samples)), np.zeros(1), 0
    )
    for tensor, array in zip(found, tf.nest.flatten(first), strict=True):
        tensor.set_shape((None, *np.shape(array)[1:]))
    packed: tuple[Tensor, ...] = tf.nest.pack_sequence_as(parts, found)
    return packed


def _count(samples: Samples) -> int:
    return len(flat(samples.inputs)[0])


def _as_tensor(array: KerasTensor) -> Tensor:
    import tensorflow as tf

    if isinstance(array, np.ndarray) and array.dtype == np.float64:
        array = array.astype(np.float32)
    return tf.convert_to_tensor(array)
