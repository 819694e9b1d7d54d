"""Softmax of values that have a mask: along the masked axis padding gets 0, along others the mask is left alone.

Keras' Softmax holds a mask against the last axes, whatever they are, and fails where sizes do not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras import ops
from keras.src.backend import set_keras_mask

from nnspec.backends.keras.masked_merges import spread

if TYPE_CHECKING:
    from nnspec.backends.types import KerasLayer, KerasTensor

LEAST = -1e9  # what Keras' Softmax takes for a score that is masked


def softmax_with_mask(layer: KerasLayer, scores: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """The layer along the masked axis; where every step is padding, all get 0."""
    shown = spread(mask, scores)
    made = layer(ops.where(shown, scores, ops.cast(LEAST, scores.dtype)))
    made = ops.where(shown, made, ops.cast(0, made.dtype))
    set_keras_mask(made, mask)
    return made


def softmax_beside_mask(layer: KerasLayer, scores: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """The layer along another axis, whose result has the same mask."""
    made = ops.copy(layer(ops.copy(scores)))
    set_keras_mask(made, mask)
    return made
