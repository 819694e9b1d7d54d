"""Softmax of values that have a mask: along the masked axis padding gets 0, along others the mask is left alone.

Keras' Softmax holds a mask against the last axes, whatever they are, and fails where sizes do not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras import ops

from nnspec.backends.keras.layers.masks import attach_mask, spread_mask

if TYPE_CHECKING:
    from nnspec.backends.types import KerasLayer, KerasTensor

LEAST = -1e9  # what Keras' Softmax takes for a score that is masked


def softmax_with_mask(layer: KerasLayer, scores: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """The layer along the masked axis; where every step is padding, all get 0."""
    shown = spread_mask(mask, scores)
    made = layer(ops.where(shown, scores, ops.cast(LEAST, scores.dtype)))
    return attach_mask(ops.where(shown, made, ops.cast(0, made.dtype)), mask)


def softmax_beside_mask(layer: KerasLayer, scores: KerasTensor, mask: KerasTensor) -> KerasTensor:
    """The layer along another axis, whose result has the same mask."""
    return attach_mask(layer(ops.copy(scores)), mask)
