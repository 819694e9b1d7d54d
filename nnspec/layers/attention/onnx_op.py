"""Attention as the single ONNX op of opset 23: no transposes, no reshapes, no separate mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.projection import write_dense_product
from nnspec.ir.graph import Node
from nnspec.layers.attention.onnx_heads import Heads, columns_of, group_by_source, join_groups, split_dim

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View

OPSET = 23


def is_one_op(node: Node, inputs: Sequence[View], lowering: Lowering) -> bool:
    """Whether the op computes what Keras does: it has no mask by which a row may be left without any position."""
    args = node.args
    return (
        lowering.graph.opset >= OPSET
        and len(inputs[0].axes) == 3
        and not any(value.mask for value in node.inputs)
        and not args["attention_mask"]
        and not args["return_attention_scores"]
        and args["sliding_window"] is None
    )


def by_one_op(
    node: Node, lowering: Lowering, query: View, parts: Mapping[str, Heads], sources: Mapping[str, View]
) -> View:
    """What all heads read, by (batch, query step, head and size)."""
    from nnspec.backends.onnx.view import View

    tensors: dict[str, str] = {}
    for view, mine in group_by_source(parts, sources):
        kernel, bias = columns_of(mine)
        made = lowering.factor("column", kernel.shape[1])
        whole = write_dense_product(lowering, view, kernel, bias, made, "_".join(mine))
        ready = lowering.arrange(whole, (whole.axes[0], whole.axes[1], made))
        tensors |= split_dim(lowering, ready, {name: part.count * part.size for name, part in mine.items()}, 2)
    tensor = lowering.node(
        "Attention",
        tensors["query"],
        tensors["key"],
        tensors["value"],
        q_num_heads=parts["query"].count,
        kv_num_heads=parts["key"].count,
        is_causal=int(node.args["use_causal_mask"]) or None,
    )
    last = join_groups([lowering.factor("head", parts["query"].count), lowering.factor("size", parts["value"].size)])
    axes = (*query.axes[:-1], last)
    result = View(tensor, axes, axes, query.dtype)
    if "gate" in tensors:
        gate = lowering.node("Sigmoid", tensors["gate"])
        result = replace(result, tensor=lowering.node("Mul", tensor, gate))
    return result
