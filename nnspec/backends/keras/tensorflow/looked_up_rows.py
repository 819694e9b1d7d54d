"""Gradients of rows that a batch looks up several times: their sum, before an optimizer squares it.

TensorFlow gives the gradient of an `Embedding` as a list of rows, in which an id that a batch has twice is twice.
Keras' optimizers square each of them, where Adam and its like square their sum, as other engines do.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType

from nnspec.backends.types import KerasOptimizer, KerasVariable, Tensor

MARK = "_sums_repeated_rows"


def sum_repeated_rows(optimizer: KerasOptimizer) -> None:
    """Makes an optimizer on TensorFlow see each row once."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if getattr(inner, MARK, False):
        return
    plain = inner.apply

    def apply(
        self: KerasOptimizer, grads: Sequence[Tensor], trainable_variables: Sequence[KerasVariable] | None = None
    ) -> None:
        plain([_sum_rows(gradient) for gradient in grads], trainable_variables)

    inner.apply = MethodType(apply, inner)
    setattr(inner, MARK, True)


def _sum_rows(gradient: Tensor) -> Tensor:
    """A gradient with each row once; one that is no list of rows stays as it is."""
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    ids, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(ids))
    return tf.IndexedSlices(values, ids, gradient.dense_shape)
