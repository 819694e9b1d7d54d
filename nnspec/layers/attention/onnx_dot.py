"""Attention without heads as ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.layers.attention.masks import MASKED, broadcast_against, visible_steps
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering
    from nnspec.backends.onnx.view import Group, View

Compare = Callable[[Node, "Lowering", "View", "View"], str]


def lower(node: Node, inputs: Sequence[View], lowering: Lowering, compare: Compare) -> list[View]:
    """Attention and AdditiveAttention: `compare` gives the scores."""
    from nnspec.backends.onnx.view import View

    query, value, key = inputs[0], inputs[min(1, len(inputs) - 1)], inputs[-1]
    lead, rows = query.axes[:-2], query.axes[-2]
    columns = tuple(lowering.twin(factor) for factor in value.axes[-2])
    dims = (*lead, rows, columns)
    ready = [lowering.canonical(view) for view in (query, key, value)]
    scores = View(compare(node, lowering, ready[0], ready[1]), dims, dims, query.dtype)
    hidden = _mask_penalty(node, inputs, lowering, dims)
    if hidden is not None:
        scores = replace(scores, tensor=lowering.node("Add", scores.tensor, hidden))
    weights = lowering.elementwise("Softmax", scores, axis=-1)
    made = (*query.axes[:-1], value.axes[-1])
    result = View(lowering.node("MatMul", weights.tensor, ready[2].tensor), made, made, query.dtype, query.mask)
    if node.inputs[0].mask is not None and query.mask is not None:  # a query that is padding reads nothing
        flat = lowering.canonical(query.mask.view)
        own = (query.axes[0], rows)
        held = broadcast_against(lowering, replace(flat, dims=own, axes=own), made)
        zero = lowering.scalar(0.0, query.dtype)
        result = replace(result, tensor=lowering.node("Where", held, result.tensor, zero))
    return [result, weights] if node.args["return_attention_scores"] else [result]


def _mask_penalty(node: Node, inputs: Sequence[View], lowering: Lowering, dims: Sequence[Group]) -> str | None:
    """What is added to scores so that masked ones count for nothing: as in Keras, a large number less.

    The mask of the query takes no part in it.
    """
    steps = ([dims[-2]], [dims[-1]])
    seen = visible_steps(node, inputs, lowering, dims, steps, roles=("value",))
    if seen.is_empty:
        return None
    dtype = inputs[0].dtype
    if not seen.tensors:
        assert seen.constant is not None
        return lowering.constant(np.where(seen.constant, 0, MASKED).astype(dtype), "hidden")
    mask = seen.combined(lowering)
    return lowering.node("Where", mask, lowering.scalar(0.0, dtype), lowering.scalar(MASKED, dtype))


def write_products(lowering: Lowering, query: View, key: View, scale: Array | None) -> str:
    """Every query times every key, and a factor."""
    swapped = lowering.arrange(key, (*key.dims[:-2], key.dims[-1], key.dims[-2]))
    result = lowering.node("MatMul", query.tensor, swapped.tensor)
    return result if scale is None else lowering.node("Mul", result, lowering.constant(scale, "scale"))


def write_sums(
    lowering: Lowering,
    query: View,
    key: View,
    *,
    before: Array | None = None,
    each: Array | None = None,
    after: Array | None = None,
) -> str:
    """after · Σ each · tanh(before · (query + key)) over the features."""
    tensors = [query.tensor, key.tensor]
    if before is not None:
        factor = lowering.constant(before, "scale")
        scaled = {name: lowering.node("Mul", name, factor) for name in dict.fromkeys(tensors)}
        tensors = [scaled[tensor] for tensor in tensors]
    axes = [lowering.constant(np.asarray([len(query.dims) + place], np.int64), "axes") for place in (-1, -2)]
    left, right = (lowering.node("Unsqueeze", tensor, axis) for tensor, axis in zip(tensors, axes, strict=True))
    fit = lowering.node("Tanh", lowering.node("Add", left, right))
    if each is not None:  # the weighted sum is a product with a vector
        return lowering.node("MatMul", fit, lowering.constant(each, "scale"))
    last = lowering.constant(np.asarray([-1], np.int64), "axes")
    total = lowering.node("ReduceSum", fit, last, keepdims=0)
    return total if after is None else lowering.node("Mul", total, lowering.constant(after, "weight"))
