"""Masks within masks: padded words in padded sentences, as a TimeDistributed hands them in and out.

A mask along `word` that is another one for each `sentence` has axes `batch sentence word`. Folded into batch, it is the
wrapped layer's own; behind a layer that makes one value of the words, sentences without a word are what is masked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node, Value
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, Mask, View
    from nnspec.backends.types import KerasTensor

Around = tuple[tuple[str | None, tuple[str, ...]], ...]  # of each output: the axis of its mask, and those before it


def each_position(value: Value) -> Value:
    """One position of a value's first axis, with the mask that is its own."""
    is_own = bool(value.outer)
    return replace(value, axes=value.axes[1:], mask=value.mask if is_own else None, outer=value.outer[1:])


def output_masks(value: Value, inner: Node) -> Around | None:
    """What masks the outputs of all positions together; None where the positions have no mask of their own."""
    first = value.axes[0].name
    makes_mask = any(made.mask is not None for made in inner.outputs)
    if not value.outer and (value.mask is not None or not makes_mask):
        return None
    return tuple(
        (made.mask, (first, *made.outer)) if made.mask is not None else (first if value.outer else None, ())
        for made in inner.outputs
    )


# ------------------------------------------------------------------------------------------------- Keras


def fold_keras_mask(node: Node, whole: KerasTensor, folded: KerasTensor) -> KerasTensor:
    """What is folded into batch, with the masks of all positions."""
    if not node.inputs[0].outer:
        return folded
    from keras.src.backend import get_keras_mask

    from nnspec.backends.keras.layers.masks import attach_mask

    return attach_mask(folded, _fold_into_batch(node.inputs[0], get_keras_mask(whole)))


def unfold_keras_mask(
    node: Node, index: int, folded: KerasTensor, made: KerasTensor, result: KerasTensor
) -> KerasTensor:
    """An output with its mask: that of what the wrapped layer made, or where it reads any data."""
    from keras import ops
    from keras.src.backend import get_keras_mask

    from nnspec.backends.keras.layers.masks import attach_mask

    value = node.outputs[index]
    inside = node.inner.outputs[index] if node.inner is not None else value
    if inside.mask is not None and value.outer:
        mask = get_keras_mask(made)
        sizes = [axis.size for axis in value.axes[: 1 + len(value.outer)]]
    elif node.inputs[0].outer and value.mask is not None:
        mask = get_keras_mask(folded)
        mask = ops.any(mask, axis=tuple(range(1, len(mask.shape))))
        sizes = [value.axes[0].size]
    else:
        return result
    if all(isinstance(size, int) for size in sizes):
        return attach_mask(result, ops.reshape(mask, (-1, *sizes)))
    from nnspec.backends.keras.layers.axes import UnfoldFromBatch

    return attach_mask(result, ops.cast(UnfoldFromBatch(dtype="int32")([ops.cast(mask, "int32"), result]), "bool"))


def _fold_into_batch(value: Value, mask: KerasTensor) -> KerasTensor:
    from keras import ops

    rest = [axis.size for axis in value.axes[1 : 1 + len(value.outer)]]
    if all(isinstance(size, int) for size in rest):
        return ops.reshape(mask, (-1, *rest))
    from nnspec.backends.keras.layers.axes import FoldIntoBatch

    return ops.cast(FoldIntoBatch(dtype="int32")(ops.cast(mask, "int32")), "bool")


# ------------------------------------------------------------------------------------------------- ONNX


def folded_mask(node: Node, view: View, lowering: Lowering) -> Mask | None:
    """The mask of all positions, folded into batch; None where they have none of their own."""
    from nnspec.backends.onnx.view import Mask

    if not node.inputs[0].outer or view.mask is None:
        return None
    batch, first, *rest = view.mask.view.axes
    flat = view.mask.view.with_axes(((*batch, *first), *rest))
    return Mask(lowering.arrange(flat, flat.axes))


def unfolded_mask(
    node: Node, index: int, mask: Mask | None, outside: tuple[Group, Group], lowering: Lowering
) -> Mask | None:
    """The mask of an output: that of what the wrapped layer made, or where it reads any data."""
    from nnspec.backends.onnx.builder import onnx_type
    from nnspec.backends.onnx.view import Mask

    value = node.outputs[index]
    if mask is None or value.mask is None or not (value.outer or node.inputs[0].outer):
        return None
    if value.outer:
        flat = mask.view
        return Mask(flat.with_axes((*outside, *flat.axes[1:])))
    flat = lowering.arrange(mask.view, mask.view.axes)
    numbers = lowering.node("Cast", flat.tensor, to=onnx_type("int32"))
    places = lowering.constant(np.arange(1, len(flat.dims), dtype=np.int64), "axes")
    count = lowering.node("ReduceSum", numbers, places, keepdims=0)
    some = lowering.node("Cast", count, to=onnx_type("bool"))
    return Mask(replace(flat, tensor=some, dims=flat.dims[:1], axes=outside))
