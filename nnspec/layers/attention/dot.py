"""Attention without projections: Attention (Luong) and AdditiveAttention (Bahdanau)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node, Weight
from nnspec.layers.attention.base import CAUSAL, SCORES, dropout
from nnspec.layers.attention.masks import check_masks
from nnspec.layers.attention.roles import (
    Roles,
    attended_steps,
    check_features,
    check_fit,
    check_steps,
    roles_of,
    windows_of,
)
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer, is_deep
from nnspec.layers.kit.habits import ATTENTION_INPUTS

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor
    from nnspec.ir.axes import Axes

_SEED = a.integer("Random seed.", None, minimum=0)


class UnprojectedAttention(Layer):
    """Base of `Attention` and `AdditiveAttention`: attends along the last axis but one."""

    short = "from"
    habits = ATTENTION_INPUTS
    arity = (1, 3)
    steps = True
    uses_mask = True
    pairs_positions = False
    softmax_ports = ("scores",)
    call_arguments = ("use_causal_mask", "return_attention_scores")

    def infer(self, call: Call) -> Inferred:
        roles = roles_of(call)
        call.require_float([value for _, value in roles.named()])
        if len(call.axes) < 2 or is_deep(call.axes):
            call.require_rank(2, 3, 4, what="steps and features; for more axes, use `TimeDistributed`")
        places = [len(call.axes) - 2]
        check_steps(call, roles, places)
        check_fit(call, roles, places)
        check_features(call, call.axes[-1], roles.key.axes[-1], "compares each query with each key")
        if any(value.mask for _, value in roles.named()):  # Keras itself applies a causal mask to the steps
            check_masks(call, roles, places, 1, is_banded=False)
        weights, formula = self.weights_rule(call)
        output = call.require_unique((*call.axes[:-1], roles.value.axes[-1]), "from")
        with_scores = call.args["return_attention_scores"]
        return Inferred(
            (output, self.scores(call, roles, places)) if with_scores else (output,),
            ports=("output", "scores"),
            weights=weights,
            formula=formula,
            mask=roles.query.mask,
            windows=windows_of(roles, places, is_causal=call.args["use_causal_mask"], band=None),
        )

    def scores(self, call: Call, roles: Roles, places: list[int]) -> Axes:
        mine = call.axes[:-1]
        return call.require_unique((*mine, *attended_steps(roles, places, mine)), "return_attention_scores")

    @abstractmethod
    def weights_rule(self, call: Call) -> tuple[tuple[Weight, ...], str]:
        """The weights, and their count in words."""

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        more = {name: True for name in self.call_arguments if node.args[name]}
        return layer(tensors * 2 if len(tensors) == 1 else tensors, **more)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.attention.onnx_dot import lower

        return lower(node, inputs, lowering, self.compare)

    @abstractmethod
    def compare(self, node: Node, lowering: Lowering, query: View, key: View) -> str:
        """The scores of (…, query step, value step) of a query (…, step, feature) and a key of the same rank."""


class Attention(UnprojectedAttention):
    """Dot-product attention: each query averages the values, weighted by its similarity to their keys.

    softmax(query·key)·value

    With one input, every position attends to all others; `from: [query, value]` and `from: [query, value, key]` attend
    from one value to another. A masked query gives zero.

    With `score_mode: concat` the similarity of a query and a key is Σ tanh(query + key) (Luong et al., Effective
    Approaches to Attention-based Neural Machine Translation, 2015).

    Input axes:  `batch time feature` and `batch step feature`
    Output axes: `batch time feature`, the features being the value's
    Scores:      `batch time step`, the output `NAME.scores` with `return_attention_scores`
    Weights:     with `use_scale` scale (), with `score_mode: concat` concat_score_weight ()
    """

    kind = "Attention"
    args = {
        "use_scale": a.boolean("Whether scores are multiplied by a trained scalar.", False),
        "score_mode": a.choice("How a query is compared with a key.", ["dot", "concat"], "dot"),
        "dropout": dropout(),
        "seed": _SEED,
        "use_causal_mask": CAUSAL,
        "return_attention_scores": SCORES,
    }

    def weights_rule(self, call: Call) -> tuple[tuple[Weight, ...], str]:
        names = ["scale"] if call.args["use_scale"] else []
        names += ["concat_score_weight"] if call.args["score_mode"] == "concat" else []
        return tuple(Weight(name, ()) for name in names), " + ".join("1" for _ in names)

    def compare(self, node: Node, lowering: Lowering, query: View, key: View) -> str:
        from nnspec.layers.attention.onnx_dot import write_products, write_sums

        scale = lowering.weights.get("scale")
        if node.args["score_mode"] == "dot":
            return write_products(lowering, query, key, scale)
        return write_sums(lowering, query, key, before=scale, after=lowering.weights["concat_score_weight"])


class AdditiveAttention(UnprojectedAttention):
    """Additive attention: each query averages the values, weighted by softmax(Σ scale·tanh(query + key)).

    With one input, every position attends to all others; `from: [query, value]` and `from: [query, value, key]` attend
    from one value to another. A masked query gives zero (Bahdanau et al., Neural Machine Translation
    by Jointly Learning to Align and Translate, 2015).

    Input axes:  `batch time feature` and `batch step feature`
    Output axes: `batch time feature`, the features being the value's
    Scores:      `batch time step`, the output `NAME.scores` with `return_attention_scores`
    Weights:     with `use_scale` scale (feature)
    """

    kind = "AdditiveAttention"
    args = {
        "use_scale": a.boolean("Whether each feature is multiplied by a trained weight.", True),
        "dropout": dropout(),
        "use_causal_mask": CAUSAL,
        "return_attention_scores": SCORES,
    }

    def weights_rule(self, call: Call) -> tuple[tuple[Weight, ...], str]:
        if not call.args["use_scale"]:
            return (), ""
        size = call.require_size(call.axes[-1], "it has one weight per position")
        return (Weight("scale", (size,)),), str(size)

    def compare(self, node: Node, lowering: Lowering, query: View, key: View) -> str:
        from nnspec.layers.attention.onnx_dot import write_sums

        return write_sums(lowering, query, key, each=lowering.weights.get("scale"))


LAYERS = (Attention(), AdditiveAttention())
