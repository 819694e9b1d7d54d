"""Joins of values with masks, whatever axes they have: Keras' own take masks along the first of two axes alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

from keras import ops

from nnspec.backends.keras.layers.masks import attach_mask, spread_mask

if TYPE_CHECKING:
    from nnspec.backends.types import KerasTensor

Masks = Sequence["KerasTensor | None"]


def multiply(tensors: Sequence[KerasTensor], masks: Masks) -> KerasTensor:
    """The product, as `keras.layers.Multiply`: a masked factor counts as 1, and 0 stands where all are masked."""
    shown = [None if mask is None else spread_mask(mask, tensor) for tensor, mask in zip(tensors, masks, strict=True)]
    factors = [
        tensor if mask is None else ops.where(mask, tensor, ops.cast(1, tensor.dtype))
        for tensor, mask in zip(tensors, shown, strict=True)
    ]
    product = reduce(ops.multiply, factors)
    known = [mask for mask in shown if mask is not None]
    if len(known) < len(shown):
        return product
    return ops.where(reduce(ops.logical_or, known), product, ops.cast(0, product.dtype))


def extreme(
    pick: Callable[[KerasTensor, KerasTensor], KerasTensor], tensors: Sequence[KerasTensor], masks: Masks
) -> KerasTensor:
    """The largest or smallest, as `keras.layers.Maximum`: where one side is masked, the other's value stands for it."""
    shown = [None if mask is None else spread_mask(mask, tensor) for tensor, mask in zip(tensors, masks, strict=True)]
    result, known = tensors[0], shown[0]
    for tensor, mask in zip(tensors[1:], shown[1:], strict=True):
        other = tensor if mask is None else ops.where(mask, tensor, result)
        if known is not None:
            result = ops.where(known, result, other)
        known = ops.logical_or(known, mask) if known is not None and mask is not None else None
        result = pick(result, other)
    return result


def with_mask_of_all(made: KerasTensor, masks: Masks) -> KerasTensor:
    """What is made, with a mask where each of its parts has one: a position counts where any of them has data."""
    known = [mask for mask in masks if mask is not None]
    return attach_mask(made, reduce(ops.logical_or, known)) if len(known) == len(masks) else made
