"""Masks of values that are made by operations.

Keras knows a mask twice: in the graph, where a layer that takes a `mask` is handed it, and on the values as the model
runs, where Multiply, MultiHeadAttention and losses look for it. What an operation makes has none of the second kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import ops

if TYPE_CHECKING:
    from nnspec.backends.types import KerasTensor


def attach_mask(value: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """The value with a mask of both kinds: a model that does nothing hands on the mask that it is called with."""
    same = keras.layers.Activation("linear", dtype=value.dtype)
    name = f"{value._keras_history.operation.name}.mask"  # as no layer of a spec is called
    carrier = keras.Sequential([keras.Input(batch_shape=value.shape, dtype=value.dtype), same], name=name)
    carrier.supports_masking = True  # as its layers do; else Keras warns that the mask is lost, which it is not
    return carrier(value, mask=mask)


def spread_mask(mask: KerasTensor, value: KerasTensor) -> KerasTensor:
    """A mask of the first axes, to be held against all of a value."""
    for _ in range(len(value.shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    return mask
