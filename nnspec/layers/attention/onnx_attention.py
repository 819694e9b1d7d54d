"""Attention over heads as ONNX nodes: one product for scores and one for values, each over all heads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.projection import write_dense_product
from nnspec.ir.graph import Node
from nnspec.layers.attention.masks import MASKED, Steps, VisibleSteps, visible_steps
from nnspec.layers.attention.onnx_heads import Heads, group_by_source, join_groups, project
from nnspec.layers.attention.onnx_op import by_one_op, is_one_op
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


@dataclass(frozen=True)
class Space:
    """The dimensions that attention works over.

    Attributes:
        lead: batch, and the axes that are not attended.
        steps: the axes of the query's steps, and of the value's.
        shared: which key and value a head reads.
        sharing: which of the heads that read the same ones it is.
    """

    lead: tuple[Group, ...]
    steps: Steps
    shared: Group
    sharing: Group

    @property
    def rows(self) -> Group:
        return join_groups(self.steps[0])

    @property
    def columns(self) -> Group:
        return join_groups(self.steps[1])

    @property
    def by_head(self) -> tuple[Group, ...]:
        """The dimensions of scores as masks see them."""
        return (*self.lead, (*self.shared, *self.sharing), self.rows, self.columns)

    @property
    def by_key(self) -> tuple[Group, ...]:
        """The dimensions of scores as they are computed: heads that share a key are rows of one product."""
        return (*self.lead, self.shared, (*self.sharing, *self.rows), self.columns)


def space_of(lowering: Lowering, query: View, value: View, places: Sequence[int], heads: int, shared: int) -> Space:
    """The value's steps are dimensions of their own, also where they are the query's."""
    lead = tuple(group for i, group in enumerate(query.axes[:-1]) if i not in places)
    rows = [query.axes[i] for i in places]
    columns = [tuple(lowering.twin(factor) for factor in value.axes[i]) for i in places]
    return Space(lead, (rows, columns), lowering.factor("head", shared), lowering.factor("query", heads // shared))


# ------------------------------------------------------------------------------------------------ scores and values


def probabilities(lowering: Lowering, scores: View, space: Space, seen: VisibleSteps, *, zeroes: bool) -> View:
    """Softmax over the value's steps of scores of `space.by_key`.

    Args:
        zeroes: whether what is masked has no weight even where a row is masked whole; there Keras' other way of
            computing gives all positions the same weight.
    """
    if seen.is_empty:
        return lowering.elementwise("Softmax", scores, axis=-1)
    ready = lowering.arrange(scores, space.by_head)
    if not seen.tensors and not seen.may_hide_all:  # added to any score that a network can have, it is what is left
        assert seen.constant is not None
        bias = np.where(seen.constant, 0, MASKED).astype(scores.dtype)
        ready = lowering.elementwise("Add", ready, lowering.constant(bias, "visible"))
        return lowering.elementwise("Softmax", ready, axis=-1)
    mask = seen.combined(lowering)
    hidden = lowering.scalar(MASKED, scores.dtype)
    ready = replace(ready, tensor=lowering.node("Where", mask, ready.tensor, hidden))
    result = lowering.elementwise("Softmax", ready, axis=-1)
    if zeroes and seen.may_hide_all:
        zero = lowering.scalar(0.0, scores.dtype)
        result = replace(result, tensor=lowering.node("Where", mask, result.tensor, zero))
    return result


def lower(node: Node, inputs: Sequence[View], lowering: Lowering, *, places: Sequence[int]) -> list[View]:
    """MultiHeadAttention and GroupQueryAttention.

    Args:
        inputs: query, value and key as far as they are given, then the attention mask, if there is one.
        places: the axes that are attended, batch counted.
    """
    read = list(inputs[: len(node.inputs) - bool(node.args["attention_mask"])])
    query, value = read[0], read[min(1, len(read) - 1)]
    count, key_size = lowering.weights["query_kernel"].shape[1:]
    names = ("query", "key", "value", *(["gate"] if node.args["use_gate"] else []))
    parts = {name: Heads.of(lowering.weights, name) for name in names}
    sources = {"query": query, "gate": query, "value": value, "key": read[-1]}
    if is_one_op(node, inputs, lowering):
        return [_output(node, lowering, by_one_op(node, lowering, query, parts, sources), query, places)]
    parts["query"] = parts["query"].scaled(1 / math.sqrt(key_size))
    tensors: dict[str, str] = {}
    for view, mine in group_by_source(parts, sources):
        tensors |= project(lowering, view, places, mine)
    space = space_of(lowering, query, value, places, count, parts["key"].count)
    seen = visible_steps(node, inputs, lowering, space.by_head, space.steps)
    zeroes = node.args["dropout"] > 0 or node.args["return_attention_scores"] or len(query.axes) != 3
    sizes = key_size, parts["value"].size
    result, scores = attend(lowering, tensors, space, sizes, query.dtype, seen, zeroes=zeroes)
    output = _output(node, lowering, result, query, places)
    if not node.args["return_attention_scores"]:
        return [output]
    axes = (*space.lead, (*space.shared, *space.sharing), *space.steps[0], *space.steps[1])
    return [output, replace(scores, axes=axes, mask=None)]


def attend(
    lowering: Lowering,
    tensors: Mapping[str, str],
    space: Space,
    sizes: tuple[int, int],
    dtype: str,
    seen: VisibleSteps,
    *,
    zeroes: bool,
) -> tuple[View, View]:
    """What each head reads of the values, by (lead, head, query step, size); and the weights that it gave them.

    Args:
        tensors: `query`, `key`, `value` and maybe `gate`, as `project` gives them.
        sizes: of a head's key and value.
    """
    from nnspec.backends.onnx.view import View

    heads, rows = (*space.shared, *space.sharing), (*space.sharing, *space.rows)
    size, made = lowering.factor("size", sizes[0]), lowering.factor("size", sizes[1])

    def view(tensor: str, *dims: Group) -> View:
        return View(tensor, (*space.lead, *dims), (*space.lead, *dims), dtype)

    query = view(tensors["query"], heads, space.rows, size)
    query = lowering.arrange(query, (*space.lead, space.shared, rows, size))
    scores = view(lowering.node("MatMul", query.tensor, tensors["key"]), space.shared, rows, space.columns)
    weights = probabilities(lowering, scores, space, seen, zeroes=zeroes)
    ready = lowering.arrange(weights, space.by_key)
    result = view(lowering.node("MatMul", ready.tensor, tensors["value"]), space.shared, rows, made)
    if "gate" in tensors:
        gate = lowering.arrange(view(tensors["gate"], heads, space.rows, made), result.dims)
        result = replace(result, tensor=lowering.node("Mul", result.tensor, lowering.node("Sigmoid", gate.tensor)))
    return replace(result, axes=(*space.lead, *space.steps[0], (*heads, *made))), weights


def _output(node: Node, lowering: Lowering, read: View, query: View, places: Sequence[int]) -> View:
    """The projection back: heads and sizes together times one kernel."""
    lead = [i for i in range(len(query.axes) - 1) if i not in places]
    steps = join_groups([query.axes[i] for i in places])
    ready = lowering.arrange(read, (*(query.axes[i] for i in lead), steps, read.axes[-1]))
    ready = ready.with_axes((*query.axes[:-1], read.axes[-1]))
    kernel = lowering.weights["output_kernel"]
    kernel = kernel.reshape(kernel.shape[0] * kernel.shape[1], -1)
    bias = lowering.weights.get("output_bias")
    axes = node.outputs[0].axes[len(query.axes) - 2 :]
    groups = [lowering.factor(axis.name, axis.size) for axis in axes]
    made = write_dense_product(
        lowering, ready, kernel, None if bias is None else bias.reshape(-1), join_groups(groups), "output"
    )
    return made.with_axes((*query.axes[:-1], *groups))
