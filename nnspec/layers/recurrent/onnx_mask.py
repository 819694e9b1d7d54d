"""Masks in ONNX: recurrent ops only support sequences that end early, Keras masks any step.

Right-padded sequences end early by themselves. Others are packed: data steps move to the front in their order, the op
runs over as many, and every step of the result fetches the output that Keras shows there. No Loop is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from nnspec.backends.onnx.view import group_size
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, View


def mask_as_bool(lowering: Lowering, mask: Mask) -> str:
    """The mask as a bool tensor (batch, step)."""
    return lowering.once("flags", mask.view.tensor, lambda: lowering.arrange(mask.view, mask.view.axes).tensor)


def mask_as_int64(lowering: Lowering, mask: Mask) -> str:
    """The mask as an int64 tensor (batch, step) of ones for data."""
    to = _int64()
    return lowering.once("ones", mask.view.tensor, lambda: lowering.node("Cast", mask_as_bool(lowering, mask), to=to))


def lengths_of(lowering: Lowering, mask: Mask) -> str:
    """How many data steps each sequence has: int32 (batch)."""

    def make() -> str:
        from nnspec.backends.onnx.builder import onnx_type

        numbers = lowering.node("Cast", mask_as_bool(lowering, mask), to=onnx_type("int32"))
        return lowering.node("ReduceSum", numbers, lowering.constant(np.asarray([1], np.int64), "axes"), keepdims=0)

    return lowering.once("lengths", mask.view.tensor, make)


def pack_steps(lowering: Lowering, view: View, mask: Mask) -> tuple[View, str]:
    """The view with each sequence's data steps first, and their numbers."""
    known = lowering.packed.get(view.tensor)
    if known is not None and known.mask == mask.view.tensor and set(known.view.order) == set(view.order):
        view = replace(known.view, axes=view.axes)
        if known.lengths is not None:
            return view, known.lengths
    lengths = lengths_of(lowering, mask)
    if mask.is_right_padded:
        return view, lengths
    ready = lowering.arrange(view, (view.axes[0], view.axes[1], view.in_memory_order(2)))
    packed = replace(ready, tensor=lowering.node("GatherND", ready.tensor, data_first(lowering, mask), batch_dims=1))
    from nnspec.backends.onnx.lowering import Packed

    lowering.packed[view.tensor] = Packed(packed, mask.view.tensor, lengths)
    return packed, lengths


def data_first(lowering: Lowering, mask: Mask) -> str:
    """Which steps to fetch so that data come first, in their order: int64 (batch, step, 1)."""

    def make() -> str:
        numbers = mask_as_int64(lowering, mask)
        size = group_size(mask.view.axes[1])
        if size is None:
            count = lowering.node("Shape", numbers, start=1, end=2)
        else:
            count = lowering.constant(np.asarray([size], np.int64), "steps")
        places = lowering.nodes("TopK", numbers, count, outputs=2, axis=1)[1]  # of equals, the first comes first
        return as_index(lowering, places)

    return lowering.once("data first", mask.view.tensor, make)


def unpack_steps(
    lowering: Lowering, view: View, mask: Mask, lengths: str | None, how: Literal["repeat", "backwards", "zero"]
) -> View:
    """Packed outputs back at their steps, and in masked steps what Keras shows there.

    Outputs end in zeros as soon as a step is masked, so index -1, the last one, fetches zeros.

    Args:
        view: of (batch, step, …), packed.
        how: masked steps repeat the output before them; the same in backwards order, which is also the order of the
            result; or they are zeros.
    """
    index = lowering.once(how, mask.view.tensor, lambda: _index(lowering, mask, how))
    rest = [dim for dim in view.dims if dim and not set(dim) & {*view.axes[0], *view.axes[1]}]
    ready = lowering.arrange(view, (view.axes[0], view.axes[1], *rest))
    held = replace(ready, tensor=lowering.node("GatherND", ready.tensor, index, batch_dims=1))
    if how != "backwards":
        from nnspec.backends.onnx.lowering import Packed

        lowering.packed[held.tensor] = Packed(view, mask.view.tensor, lengths)
    return held


def _index(lowering: Lowering, mask: Mask, how: str) -> str:
    numbers = mask_as_int64(lowering, mask)
    axis = lowering.constant(np.asarray(1, np.int64), "axis")
    if how == "backwards":  # the next data step is as many places in as there are data steps before
        before = lowering.node("CumSum", numbers, axis, exclusive=1)
        return as_index(lowering, reverse(lowering, before, 1))
    count = lowering.node("CumSum", numbers, axis)
    if how == "zero":
        count = lowering.node("Mul", count, numbers)
    one = lowering.constant(np.asarray(1, np.int64), "one")
    return as_index(lowering, lowering.node("Sub", count, one))


def as_index(lowering: Lowering, places: str) -> str:
    return lowering.node("Unsqueeze", places, lowering.constant(np.asarray([2], np.int64), "axes"))


def reverse(lowering: Lowering, tensor: str, dim: int) -> str:
    """The tensor from last to first along a dimension, whatever its length."""

    def ints(value: int) -> str:
        return lowering.constant(np.asarray([value], np.int64), "slice")

    return lowering.node("Slice", tensor, ints(-1), ints(np.iinfo(np.int64).min), ints(dim), ints(-1))


def _int64() -> int:
    from nnspec.backends.onnx.builder import onnx_type

    return onnx_type("int64")
