"""Attention with heads: MultiHeadAttention, and GroupQueryAttention, whose heads share keys and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir.graph import Node
from nnspec.layers.attention.base import FLASH, WINDOW, HeadedAttention, dropout, projection_arguments
from nnspec.layers.attention.roles import check_features, roles_of
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.kit.contracts import require_sequence
from nnspec.layers.kit.habits import Hint

if TYPE_CHECKING:
    from nnspec.backends.types import KerasConfig


class MultiHeadAttention(HeadedAttention):
    """Multi-head attention: each position averages all positions of a sequence, weighted by query and key.

    With one input, every position attends to all others (self-attention); `from: [query, value]` and
    `from: [query, value, key]` attend from one value to another. It attends along all axes but the last,
    or along `attention_axes`; these must be ordered, or be confirmed by `over`. The other axes count as batch.
    Positions that an Embedding or a Masking marks as padding are left out.

    softmax(query·key / √key_dim)·value (Vaswani et al., Attention Is All You Need, 2017)

    Input axes:  `batch time feature`
    Output axes: `batch time unit`, as many as the query has features, or `output_shape`
    Scores:      `batch head time attended_time`, the output `NAME.scores` with `return_attention_scores`
    Weights:     query, key and value kernels (feature, head, size) and biases (head, size), output kernel
                 (head, size, unit) and bias (unit)
    """

    kind = "MultiHeadAttention"
    ignores_query_mask = True
    habits = {
        **HeadedAttention.habits,
        **dict.fromkeys(
            ("embed_dim", "d_model"), Hint("set `key_dim`, the size of each head: the whole divided by `num_heads`")
        ),
    }
    makes_several = True
    args = {
        "num_heads": a.integer("Number of heads."),
        "key_dim": a.integer("Size of each head's queries and keys."),
        "value_dim": a.integer("Size of each head's values; default: `key_dim`.", None),
        "dropout": dropout(),
        "use_bias": a.boolean("Whether the projections have biases.", True),
        "output_shape": a.Arg(
            {
                "type": ["integer", "array", "null"],
                "minimum": 1,
                "items": {"type": "integer", "minimum": 1},
                "minItems": 1,
            },
            "Size of the output's feature axis, or sizes of several; default: the query's number of features.",
            None,
        ),
        "attention_axes": a.Arg(
            {"type": ["string", "integer", "array", "null"], "items": {"type": ["string", "integer"]}, "minItems": 1},
            "The axis or axes to attend over, by name or by Keras' index; default: all but the last.",
            None,
        ),
        "sliding_window": WINDOW,
        "flash_attention": FLASH,
        **projection_arguments(),
    }

    def heads(self, call: Call) -> tuple[int, int]:
        return call.args["num_heads"], call.args["num_heads"]

    def sizes(self, call: Call) -> tuple[int, int]:
        return call.args["key_dim"], call.args["value_dim"] or call.args["key_dim"]

    def output_sizes(self, call: Call) -> tuple[int, ...]:
        given = call.args["output_shape"]
        if given is None:
            return super().output_sizes(call)
        return tuple(given) if isinstance(given, list) else (given,)

    def attended(self, call: Call) -> list[int]:
        given = call.args["attention_axes"]
        last = len(call.axes) - 1
        if given is None:
            return list(range(last))
        listed = given if isinstance(given, list) else [given]
        places = sorted({call.axis_index(value, "attention_axes") for value in listed})
        if last in places:
            call.fail(
                "NN342",
                f"`MultiHeadAttention` cannot attend along `{call.axes[-1].name}`: the heads project the last axis",
                "attention_axes",
                about=[call.axes[-1].name],
            )
        return places

    def as_keras(self, places: list[int]) -> KerasConfig:
        return {"attention_axes": [place + 1 for place in places]}

    def places(self, node: Node) -> list[int]:
        return [place - 1 for place in node.args["attention_axes"]]


class GroupQueryAttention(HeadedAttention):
    """Grouped-query attention: a MultiHeadAttention in which several query heads share one key and value head.

    With one key and value head it is multi-query attention (Ainslie et al., GQA, 2023).

    Input axes:  `batch time feature`; values have as many features as queries
    Output axes: `batch time unit`, as many as the query has features
    Scores:      `batch head time attended_time`, the output `NAME.scores` with `return_attention_scores`
    Weights:     query kernel (feature, query head, size), key and value kernels (feature, key head, size), biases
                 (head, size), output kernel (query head, size, unit) and bias (unit)
    """

    kind = "GroupQueryAttention"
    args = {
        "head_dim": a.integer("Size of each head's queries, keys and values."),
        "num_query_heads": a.integer("Number of heads."),
        "num_key_value_heads": a.integer("Number of key and value heads: a divisor of `num_query_heads`."),
        "dropout": dropout(),
        "use_bias": a.boolean("Whether the projections have biases.", True),
        "sliding_window": WINDOW,
        "flash_attention": FLASH,
        **projection_arguments(),
    }

    def check_rank(self, call: Call) -> None:
        require_sequence(call)

    def heads(self, call: Call) -> tuple[int, int]:
        count, shared = call.args["num_query_heads"], call.args["num_key_value_heads"]
        if count % shared:
            call.fail(
                "NN315",
                f"`{call.kind}` cannot share {shared} key heads among {count} query heads",
                "num_key_value_heads",
                fixes=[Fix(f"use a divisor of {count}: {say.divisors(count)}")],
            )
        return count, shared

    def sizes(self, call: Call) -> tuple[int, int]:
        return call.args["head_dim"], call.args["head_dim"]

    def infer(self, call: Call) -> Inferred:
        roles = roles_of(call)
        if roles.value.axes and call.axes:
            check_features(call, call.axes[-1], roles.value.axes[-1], "needs queries and values of equal size")
        return super().infer(call)


LAYERS = (MultiHeadAttention(), GroupQueryAttention())
