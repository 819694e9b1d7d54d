"""Flags and ids that a model computes: attention masks, the mask of a softmax, and what an Embedding looks up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import Call, Constant, ImportFault, Tensor
from nnspec.importers.keras.operations.formulas import add_formula
from nnspec.importers.keras.operations.operation import Operation
from nnspec.ir.graph import Args
from nnspec.layers.registry import REGISTRY

_HIDDEN = -1.0e30  # whose exponential is 0 beside that of any score
_Add = Callable[[str, Args, Sequence[Read]], Read]


def take_attention_mask(call: Call, kind: str, reads: Sequence[Read], add: _Add) -> tuple[list[Read], Read | None]:
    """What an attention layer reads, without its attention mask, and that as flags.

    Raises:
        ImportFault: where the mask has no axes for the steps of both.
    """
    left, found = list(reads), None
    for key in REGISTRY[kind].references:
        given = call.keywords.get(key)
        if not isinstance(given, Tensor | Constant):
            continue
        found = left.pop(next(i for i, leaf in enumerate(call.operands) if leaf is given))
        if call.distributed:
            raise ImportFault(f"layer `{call.name}` ({kind}) has an `{key}` inside a `TimeDistributed`")
        if len(found.value.axes) < 2:
            raise ImportFault(
                f"layer `{call.name}` ({kind}) has an `{key}` of {1 + len(found.value.axes)} axes, batch included, "
                "where Keras meets the samples with steps",
                help="give it the shape (batch, 1, steps) in the model, by `keras.ops.expand_dims`",
            )
        if found.value.dtype != "bool":
            found = add("formula", {"expression": "x != 0", "dtype": "bool"}, [found])
    return left, found


def as_ids(kind: str, reads: Sequence[Read], add: _Add) -> list[Read]:
    """What a layer reads; the positions and counts that a formula makes are floats, and Keras' Embedding casts them."""
    first, *others = reads
    if not REGISTRY[kind].looks_up_ids or first.item is None or not first.value.dtype.startswith("float"):
        return list(reads)
    return [add("formula", {"expression": "x", "dtype": "int32"}, [first]), *others]


def is_masked_softmax(call: Call, kind: str) -> bool:
    """Whether it is a softmax that is called with flags of what it leaves out."""
    return REGISTRY[kind].own_activation == "softmax" and isinstance(call.keywords.get("mask"), Tensor)


def masked_softmax(op: Operation, softmax: Callable[[Read], Read]) -> Read:
    """The softmax of what flags let through, and zeros elsewhere, as Keras' layer computes it.

    Raises:
        ImportFault: where Keras' layer refuses its mask, as one of steps for values that have features too.
    """
    flags, scores = op.keywords["mask"], op.argument(0, "inputs")
    counts = [1 + len(op.axes(read)) for read in (flags, scores) if isinstance(read, Read)]
    if len(set(counts)) > 1:
        raise ImportFault(
            f"layer `{op.call.name}` (Softmax) fails in Keras itself on padded input: its mask has {counts[0]} axes, "
            f"batch included, and what it reads has {counts[1]}",
            help="give the mask the axes of what the layer reads, or end it before, and save the model again",
        )
    seen = add_formula(op, f"where({{0}} > 0.5, {{1}}, {_HIDDEN!r})", [flags, scores])
    return add_formula(op, "where({0} > 0.5, {1}, 0.0)", [flags, softmax(seen)])
