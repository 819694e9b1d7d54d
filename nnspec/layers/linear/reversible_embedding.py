"""ReversibleEmbedding: ids to vectors, and vectors back to scores of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.linear.embedding import look_up_rows, require_ids

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor


class ReversibleEmbedding(Layer):
    """A trained vector for each id; with `reverse`, the score of each id for a vector (tied weights).

    Both uses share the weights if it is declared under `layers:`

        layers: {words: {ReversibleEmbedding: {input_dim: 100, output_dim: 16}}}
        model:
          - share: words
          - LSTM: {units: 16, return_sequences: true}
          - share: {use: words, reverse: true}

    Input axes:  `batch token`, integers; reversed `batch token feature`, floats
    Output axes: `batch token embedding`; reversed `batch token logit`
    Weights:     embeddings (input_dim, output_dim), without `tie_weights` also reverse_embeddings (output_dim,
                 input_dim)
    """

    kind = "ReversibleEmbedding"
    looks_up_ids = True
    reads_ids = True
    makes = "embedding"
    call_arguments = ("reverse",)
    args = {
        "input_dim": a.integer("Number of ids: the largest id plus 1."),
        "output_dim": a.integer("Length of each vector: the size of the new axis."),
        "tie_weights": a.boolean("Whether the reverse projection uses the same vectors.", True),
        "embeddings_initializer": a.initializer("vectors", "uniform"),
        "embeddings_regularizer": a.regularizer("vectors"),
        "embeddings_constraint": a.constraint("vectors"),
        "mask_zero": a.boolean("Whether id 0 is padding.", False),
        "reverse_dtype": a.choice("Dtype of the reverse projection.", ["float32"], None),
        "logit_soft_cap": a.number(
            "Limit of the scores of the reverse projection: cap·tanh(score / cap).", None, above=0
        ),
        "reverse": a.boolean("Whether it projects vectors back to scores over ids.", False),
    }

    def infer(self, call: Call) -> Inferred:
        ids, size = call.args["input_dim"], call.args["output_dim"]
        weights = [Weight("embeddings", (ids, size))]
        formula = f"{ids}·{size}"
        if not call.args["tie_weights"]:
            weights.append(Weight("reverse_embeddings", (size, ids)))
            formula += f" + {size}·{ids}"
        if call.args["reverse"]:
            return self.infer_reversed(call, tuple(weights), formula)
        require_ids(call, "`reverse: true` for vectors")
        if call.args["mask_zero"]:
            call.require_rank(1, what="with `mask_zero`, the sequence of ids")
        made = ax.fresh(call.axis_name or "embedding", size, call.name, is_learned=True)
        return Inferred(
            (call.require_unique((*call.axes, made)),),
            ("float32",),
            weights=tuple(weights),
            formula=formula,
            mask=call.axes[0].name if call.args["mask_zero"] else None,
        )

    def infer_reversed(self, call: Call, weights: tuple[Weight, ...], formula: str) -> Inferred:
        call.require_float()
        if not call.axes:
            call.require_rank(1)
        last, size = call.axes[-1], call.args["output_dim"]
        if last.size != size:
            call.fail(
                "NN311",
                f"`{call.kind}` compares vectors with its own of {size} numbers, but `{last.name}` has {last.size}",
                "reverse",
                about=[last.name],
            )
        made = ax.fresh(call.axis_name or "logit", call.args["input_dim"], call.name, is_learned=True)
        return Inferred(
            (call.require_unique((*call.axes[:-1], made)),),
            weights=weights,
            formula=formula,
            windows={len(call.axes) - 1: WHOLE},
        )

    def masked_value(self, node: Node) -> float | None:
        return 0.0 if node.args["mask_zero"] else None

    def to_keras(self, node: Node) -> KerasCallable:
        if not node.args["mask_zero"]:
            return super().to_keras(node)
        from nnspec.backends.keras.layers.attention import MaskingReversibleEmbedding

        made: KerasCallable = MaskingReversibleEmbedding(name=keras_name(node.name), **self.keras_arguments(node))
        return made

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        return layer(tensors[0], reverse=True) if node.args["reverse"] else layer(tensors[0])

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        made = lowering.factor(node.outputs[0].axes[-1].name, node.outputs[0].axes[-1].size)
        if not node.args["reverse"]:
            table = lowering.constant(lowering.weights["embeddings"], "embeddings")
            return [look_up_rows(lowering, inputs[0], table, made, masks_zero=node.args["mask_zero"])]
        from dataclasses import replace

        from nnspec.backends.onnx.ops.projection import move_axis_last

        view = inputs[0]
        if len(view.axes[-1]) > 1:  # its parts in their order
            view = lowering.collapsed(view)
        ready = move_axis_last(lowering, view, len(view.axes) - 1)
        if node.args["tie_weights"]:  # one initializer for both ways; runtimes turn a constant once
            table = lowering.constant(lowering.weights["embeddings"], "embeddings")
            kernel = lowering.node("Transpose", table, perm=[1, 0])
        else:
            kernel = lowering.constant(lowering.weights["reverse_embeddings"], "reverse_embeddings")
        tensor = lowering.node("MatMul", ready.tensor, kernel)
        result = replace(ready, tensor=tensor, dims=(*ready.dims[:-1], made), axes=(*ready.axes[:-1], made), mask=None)
        cap = node.args["logit_soft_cap"]
        if cap is not None:
            bound = lowering.scalar(cap, view.dtype)
            result = lowering.elementwise("Tanh", lowering.elementwise("Div", result, bound))
            result = lowering.elementwise("Mul", result, bound)
        return [result]


LAYERS = (ReversibleEmbedding(),)
