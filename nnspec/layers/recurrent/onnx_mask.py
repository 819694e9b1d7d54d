"""Masks in ONNX: recurrent ops only support sequences that end early, Keras masks any step.

`sequence_lens` is not used: several runtimes read it and ignore it. Instead a column is added to the input that is 0 at
data and large at padding, and whose weights close or open gates (`Cell.hold`): a GRU then keeps its state at any masked
step. An LSTM cannot, so its steps are packed: data steps move together in their order, and every step of the result
fetches the output that Keras shows there. No Loop is needed, and no two keys that are sorted are equal where it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from nnspec.backends.onnx.view import group_size
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, Mask, Packing, View

HELD = 1e4  # in the column that marks padding; float16 holds it
LATE = 1e9  # the key of padding that is sorted to the end
How = Literal["repeat", "turned", "zero"]


def mask_as_bool(lowering: Lowering, mask: Mask) -> str:
    """The mask as a bool tensor (batch, step)."""
    return lowering.once("flags", mask.view.tensor, lambda: lowering.arrange(mask.view, mask.view.axes).tensor)


def mask_as_int64(lowering: Lowering, mask: Mask) -> str:
    """The mask as an int64 tensor (batch, step) of ones for data."""
    to = onnx_type_of("int64")
    return lowering.once("ones", mask.view.tensor, lambda: lowering.node("Cast", mask_as_bool(lowering, mask), to=to))


def lengths_of(lowering: Lowering, mask: Mask) -> str:
    """How many data steps each sequence has: int64 (batch)."""

    def make() -> str:
        return lowering.node("ReduceSum", mask_as_int64(lowering, mask), _ints(lowering, 1), keepdims=0)

    return lowering.once("lengths", mask.view.tensor, make)


def without_padding(lowering: Lowering, view: View, mask: Mask, dims: Sequence[Group]) -> View:
    """A view (batch, step, feature) with these dimensions, with zeros in masked steps unless they are harmless.

    What stands there counts for nothing in Keras; here it is multiplied by weights, so that NaN would remain.
    """
    is_harmless = (view.tensor, mask.view.tensor) in lowering.harmless
    view = lowering.arrange(view, dims)
    if is_harmless:
        return view
    flag = _spread(lowering, mask, mask_as_bool(lowering, mask), view)
    return replace(view, tensor=lowering.node("Where", flag, view.tensor, lowering.scalar(0.0, view.dtype)))


def mark_padding(lowering: Lowering, view: View, flag: str) -> str:
    """A view of three dimensions, the last its features, with one more of them: `HELD` where `flag` is False."""
    zero, held = lowering.scalar(0.0, view.dtype), lowering.scalar(HELD, view.dtype)
    column = lowering.once(f"column {view.dtype}", flag, lambda: lowering.node("Where", flag, zero, held))
    return lowering.node("Concat", view.tensor, column, axis=2)


def step_flags(lowering: Lowering, mask: Mask, view: View) -> str:
    """The mask with the dimensions of a view of (batch, step, …), each further one of size 1."""
    return _spread(lowering, mask, mask_as_bool(lowering, mask), view)


def _spread(lowering: Lowering, mask: Mask, flags: str, view: View) -> str:
    """Flags (batch, step) with the dimensions of a view, each further one of size 1."""
    batch, step = mask.view.axes
    own = replace(mask.view, tensor=flags, dims=mask.view.axes)
    named = {view.axes[0]: batch, view.axes[1]: step}
    return lowering.arrange(own, [named.get(dim, ()) for dim in view.dims]).tensor


# ------------------------------------------------------------------------------------------------------ packing


def pack_steps(lowering: Lowering, view: View, mask: Mask, packing: Packing) -> tuple[View, str]:
    """The view (batch, step, feature) with each sequence's data steps together, and which of its steps are data.

    The flags are a bool tensor (step, batch, 1).
    """
    places, flags = _sort_steps(lowering, mask, packing)
    known = lowering.packed.get(view.tensor)
    is_known = known is not None and known.mask == mask.view.tensor and known.packing == packing
    if known is not None and is_known and set(known.view.order) == set(view.order):
        return replace(known.view, axes=view.axes), flags
    ready = without_padding(lowering, view, mask, (view.axes[0], view.axes[1], view.in_memory_order(2)))
    return replace(ready, tensor=lowering.node("GatherND", ready.tensor, places, batch_dims=1)), flags


def _sort_steps(lowering: Lowering, mask: Mask, packing: Packing) -> tuple[str, str]:
    """Which steps to fetch, int64 (batch, step, 1), and whether each is data, bool (step, batch, 1)."""
    tensor, name = mask.view.tensor, f"packed {packing.is_reversed} {packing.pads_first}"
    pads_high = packing.pads_first == packing.is_reversed

    def sort() -> str:
        pad = lowering.scalar(LATE if pads_high else -1.0, "float32")
        key = lowering.node("Where", mask_as_bool(lowering, mask), _positions(lowering, mask), pad)
        largest = None if packing.is_reversed else 0
        keys, places = lowering.nodes("TopK", key, _step_count(lowering, mask), outputs=2, axis=1, largest=largest)
        by_step = lowering.node("Transpose", keys, perm=[1, 0])
        flags = lowering.node("Less" if pads_high else "Greater", by_step, pad)
        spread = _unsqueeze(lowering, flags, 2)
        lowering.once(f"{name} flags", tensor, lambda: spread)
        return _unsqueeze(lowering, places, 2)

    return lowering.once(name, tensor, sort), lowering.once(f"{name} flags", tensor, sort)


def _positions(lowering: Lowering, mask: Mask) -> str:
    """A number for each step that grows among data: float32, broadcasting against (batch, step)."""
    size = group_size(mask.view.axes[1])
    if size is not None:
        return lowering.constant(np.arange(size, dtype=np.float32)[None], "positions")

    def count() -> str:  # of float32: tract takes int64 for sizes that it does not know
        ones = lowering.node("Cast", mask_as_bool(lowering, mask), to=onnx_type_of("float32"))
        return lowering.node("CumSum", ones, lowering.constant(np.asarray(1, np.int64), "axis"))

    return lowering.once("positions", mask.view.tensor, count)


def _step_count(lowering: Lowering, mask: Mask) -> str:
    size = group_size(mask.view.axes[1])
    if size is not None:
        return _ints(lowering, size)
    return lowering.node("Shape", mask_as_bool(lowering, mask), start=1, end=2)


def _count(lowering: Lowering, mask: Mask, *, is_reversed: bool) -> str:
    """How many data steps there are up to each step, itself included, in the order of computation: int64."""
    axis = lowering.constant(np.asarray(1, np.int64), "axis")
    reverse = 1 if is_reversed else None
    return lowering.once(
        f"count {is_reversed}",
        mask.view.tensor,
        lambda: lowering.node("CumSum", mask_as_int64(lowering, mask), axis, reverse=reverse),
    )


# ------------------------------------------------------------------------------------------------------ unpacking


def unpack_steps(lowering: Lowering, view: View, mask: Mask, packing: Packing, how: How) -> View:
    """Packed outputs back at their steps, and in masked steps what Keras shows there.

    Args:
        view: of (batch, step, …), packed.
        how: masked steps repeat the output computed before them (`turned`: and steps stand as they were computed, last
            first), or they are zeros.
    """
    index = lowering.once(f"{how} {packing}", mask.view.tensor, lambda: _index(lowering, mask, packing, how))
    rest = [dim for dim in view.dims if dim and not set(dim) & {*view.axes[0], *view.axes[1]}]
    ready = lowering.arrange(view, (view.axes[0], view.axes[1], *rest))
    held = replace(ready, tensor=lowering.node("GatherND", ready.tensor, index, batch_dims=1))
    if how == "zero" or not packing.pads_first:  # else a step of padding is fetched, where the state is still zero
        shown = mask_as_bool(lowering, mask) if how == "zero" else _has_begun(lowering, mask, packing, how)
        units = (1,) * len(rest)
        flag = _unsqueeze(lowering, shown, *range(2, 2 + len(units)))
        held = replace(held, tensor=lowering.node("Where", flag, held.tensor, lowering.scalar(0.0, held.dtype)))
    lowering.harmless.add((held.tensor, mask.view.tensor))
    if how != "turned":
        from nnspec.backends.onnx.lowering import Packed

        lowering.packed[held.tensor] = Packed(view, mask.view.tensor, packing)
    return held


def _index(lowering: Lowering, mask: Mask, packing: Packing, how: str) -> str:
    """Where the output that each step shows stands among the packed ones: int64 (batch, step, 1), none below 0."""
    one = lowering.constant(np.asarray(1, np.int64), "one")
    count = _count(lowering, mask, is_reversed=packing.is_reversed)
    if packing.pads_first:
        padding = lowering.node("Sub", _step_count(lowering, mask), lengths_of(lowering, mask))
        place = lowering.node("Sub", lowering.node("Add", count, _unsqueeze(lowering, padding, 1)), one)
    else:
        place = lowering.node("Sub", lowering.node("Max", count, one), one)
    if how == "turned":
        place = reverse(lowering, place, 1)
    return _unsqueeze(lowering, place, 2)


def _has_begun(lowering: Lowering, mask: Mask, packing: Packing, how: str) -> str:
    """Whether there were data up to each step, in the order of computation: bool (batch, step)."""
    zero = lowering.constant(np.asarray(0, np.int64), "zero")
    begun = lowering.node("Greater", _count(lowering, mask, is_reversed=packing.is_reversed), zero)
    return reverse(lowering, begun, 1) if how == "turned" else begun


def last_of_data(lowering: Lowering, view: View, mask: Mask) -> View:
    """The output of each sequence's last data step, of packed steps (batch, step, …) with padding behind them.

    Without any data it is that of some step: `unless_empty` says what counts then.
    """
    one = lowering.constant(np.asarray(1, np.int64), "one")

    def find() -> str:
        place = lowering.node("Sub", lowering.node("Max", lengths_of(lowering, mask), one), one)
        return _unsqueeze(lowering, place, 1)

    index = lowering.once("last", mask.view.tensor, find)
    rest = [dim for dim in view.dims if dim and not set(dim) & {*view.axes[0], *view.axes[1]}]
    ready = lowering.arrange(view, (view.axes[0], view.axes[1], *rest))
    tensor = lowering.node("GatherND", ready.tensor, index, batch_dims=1)
    return replace(ready, tensor=tensor, dims=(view.axes[0], *rest), axes=(view.axes[0], *view.axes[2:]))


def unless_empty(lowering: Lowering, mask: Mask, view: View, start: View | None) -> View:
    """A view of (batch, unit); where a sequence has no data, the one that it started with, or zeros."""

    def find() -> str:
        zero = lowering.constant(np.asarray(0, np.int64), "zero")
        return _unsqueeze(lowering, lowering.node("Greater", lengths_of(lowering, mask), zero), 1)

    has_data = lowering.once("has data", mask.view.tensor, find)
    after = lowering.arrange(view, (view.axes[0], view.axes[1]))
    other = lowering.scalar(0.0, view.dtype) if start is None else lowering.arrange(start, start.axes).tensor
    return replace(after, tensor=lowering.node("Where", has_data, after.tensor, other))


def show_zeros(lowering: Lowering, view: View, mask: Mask, *, how: Literal["masked", "before", "behind"]) -> View:
    """Steps (batch, step, …) with zeros where they are masked, or before any data, or behind all data."""
    flags = mask_as_bool(lowering, mask)
    if how != "masked":
        zero = lowering.constant(np.asarray(0, np.int64), "zero")
        flags = lowering.node("Greater", _count(lowering, mask, is_reversed=how == "behind"), zero)
    flag = _spread(lowering, mask, flags, view)
    return replace(view, tensor=lowering.node("Where", flag, view.tensor, lowering.scalar(0.0, view.dtype)))


# ------------------------------------------------------------------------------------------------------ pieces


def _unsqueeze(lowering: Lowering, tensor: str, *axes: int) -> str:
    return lowering.node("Unsqueeze", tensor, _ints(lowering, *axes))


def _ints(lowering: Lowering, *values: int) -> str:
    return lowering.constant(np.asarray(values, np.int64), "axes")


def reverse(lowering: Lowering, tensor: str, dim: int) -> str:
    """The tensor from last to first along a dimension, whatever its length."""

    def ints(value: int) -> str:
        return lowering.constant(np.asarray([value], np.int64), "slice")

    return lowering.node("Slice", tensor, ints(-1), ints(np.iinfo(np.int64).min), ints(dim), ints(-1))


def onnx_type_of(name: str) -> int:
    from nnspec.backends.onnx.builder import onnx_type

    return onnx_type(name)
