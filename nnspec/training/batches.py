"""The training samples in batches, in an order that the epoch's number alone decides.

Keras' own shuffling goes on from one epoch to the next, so a training that goes on after an interruption would see its
samples in another order than one that was never interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Order:
    """How samples are batched: `epoch` is a variable with the epoch's number, or None where they stay in order."""

    batch_size: int
    seed: int
    epoch: Any = None


def batches(inputs: Any, targets: Any, weights: Any, order: Order) -> Any:
    """A `tf.data.Dataset` of batches `(inputs, targets)`, with `weights` behind them where there are any.

    Args:
        inputs, targets, weights: arrays with the samples first, or dicts of such; `weights` may be None.
    """
    import tensorflow as tf

    data = (inputs, targets) if weights is None else (inputs, targets, weights)
    data = tf.nest.map_structure(_as_tensor, data)
    count, size = len(tf.nest.flatten(data)[0]), order.batch_size
    whole, rest = count // size * size, count % size

    def indices(_: Any) -> Any:
        found = tf.range(count, dtype=tf.int64)
        if order.epoch is None:
            return found
        return tf.random.experimental.stateless_shuffle(found, seed=tf.stack([order.seed, order.epoch]))

    def cut(found: Any) -> Any:
        full = tf.data.Dataset.from_tensor_slices(tf.reshape(found[:whole], (whole // size, size)))
        return full.concatenate(tf.data.Dataset.from_tensors(found[whole:])) if rest else full

    order_of_batches = tf.data.Dataset.range(1).map(indices).flat_map(cut)
    pairs = tf.data.Dataset.zip((order_of_batches, tf.data.Dataset.from_tensors(data).repeat()))
    taken = pairs.map(
        lambda chosen, all_of_it: tf.nest.map_structure(lambda array: tf.gather(array, chosen), all_of_it),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # they cost more than they bring here
    known = taken.apply(tf.data.experimental.assert_cardinality(whole // size + bool(rest)))
    return known.with_options(options).prefetch(tf.data.AUTOTUNE)


def _as_tensor(array: Any) -> Any:
    import tensorflow as tf

    if isinstance(array, np.ndarray) and array.dtype == np.float64:
        array = array.astype(np.float32)
    return tf.convert_to_tensor(array)
