"""Embedding: ids to vectors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Weight
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.habits import INFERRED, SEPARATE_LAYERS, keras_word
from nnspec.layers.linear.low_rank import check_low_rank, low_rank_weights, merged_matrix

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


def require_ids(call: Call, otherwise: str) -> None:
    """The input holds whole numbers.

    Args:
        otherwise: what to use for floats.

    Raises:
        Fault: NN407.
    """
    if call.input.dtype.startswith("float"):
        call.fail(
            "NN407",
            f"`{call.kind}` looks up integer ids, but `{call.input.node}` has dtype {call.input.dtype}",
            notes=["Keras would silently truncate the values to integers"],
            fixes=[Fix(f"set `dtype: int32` on the input, or {otherwise}")],
            about=[call.input.node],
        )


class Embedding(Layer):
    """A trained vector of `output_dim` numbers for each id from 0 to `input_dim` - 1.

    With `mask_zero`, id 0 is padding, which layers that support masks skip. With an input `sentence word`, each
    sentence has a separate mask, for the layer that a `TimeDistributed` over `sentence` applies; after it, sentences
    without a word are padding.

    Input axes:  `batch token`, integers
    Output axes: `batch token embedding`
    Weights:     embeddings (input_dim, output_dim)

    Not this: floats, which Keras would silently truncate to integers (NN407).
    """

    kind = "Embedding"
    habits = {
        **SEPARATE_LAYERS,
        **dict.fromkeys(("num_embeddings", "vocab_size"), keras_word("input_dim")),
        **dict.fromkeys(("embedding_dim", "embed_dim"), keras_word("output_dim")),
        "input_length": INFERRED,
    }
    has_one_kernel = True
    looks_up_ids = True
    reads_ids = True
    makes = "embedding"
    args = {
        "input_dim": a.integer_or_auto(
            "Number of ids: the largest id plus 1. `auto`: as many as the columns or the vocabulary that it reads has."
        ),
        "output_dim": a.integer("Length of each vector: the size of the new axis."),
        "embeddings_initializer": a.initializer("vectors", "uniform"),
        "embeddings_regularizer": a.regularizer("vectors"),
        "embeddings_constraint": a.constraint("vectors"),
        "mask_zero": a.boolean("Whether id 0 is padding.", False),
        "weights": a.Arg({"type": "null"}, "Not used: weights come from training, or from a file at export.", None),
        "lora_rank": a.integer("Rank of a low-rank update (LoRA) that is trained instead of the vectors.", None),
        "lora_alpha": a.number("Scale of the low-rank update: must equal its rank, or be omitted.", None),
        "quantization_config": a.Arg({"type": "null"}, "Not used: specs do not support quantization.", None),
    }

    def padding_behind(self, node: Node, value: float) -> float | None:
        return None  # the vector of id 0 is like any other

    def why(self, node: Node) -> dict[str, str]:
        count, size = node.args["input_dim"], node.args["output_dim"]
        made = node.outputs[0].axes[-1]
        return {
            "input_dim": f"Ids run from 0 to {count - 1}; each has its own vector.",
            "output_dim": f"A vector is {say.with_count(size, 'number')} long: the size of `{made.name}`.",
            "mask_zero": "Id 0 is padding, which layers that support masks skip."
            if node.args["mask_zero"]
            else "Id 0 is an ordinary id.",
            "embeddings": f"a row for each of {say.with_count(count, 'id')}",
        }

    def infer(self, call: Call) -> Inferred:
        require_ids(call, "use `Dense` for values that are not ids")
        if call.args["input_dim"] == "auto":  # else it is a number by now
            call.fail(
                "NN619",
                "`input_dim: auto` is the number of ids that it reads, which are not known within another layer",
                "input_dim",
                fixes=[Fix("set `input_dim` to a number")],
            )
        masked = call.args["mask_zero"]
        if masked and not call.axes:
            call.require_rank(1, what="with `mask_zero`, the sequence of ids")
        ids, size, rank = call.args["input_dim"], call.args["output_dim"], call.args["lora_rank"]
        check_low_rank(call, "embeddings")
        update, counted = low_rank_weights("embeddings", (ids, size), rank)
        made = ax.fresh(call.axis_name or "embedding", size, call.name, is_learned=True)
        return Inferred(
            (call.require_unique((*call.axes, made)),),
            ("float32",),
            weights=(Weight("embeddings", (ids, size), not rank), *update),
            formula=f"{ids}·{size}{counted}",
            mask=call.axes[-1].name if masked else None,
            outer=(ax.names(call.axes[:-1]),) if masked else (),
        )

    def masked_value(self, node: Node) -> float | None:
        return 0.0 if node.args["mask_zero"] else None

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        table = merged_matrix(node, lowering, "embeddings")
        weight = lowering.graph.own_constant(table, f"{lowering.stem}/embeddings")
        made = lowering.factor(node.outputs[0].axes[-1].name, table.shape[1])
        return [look_up_rows(lowering, inputs[0], weight, made, masks_zero=node.args["mask_zero"])]


def look_up_rows(lowering: Lowering, ids: View, table: str, made: Group, *, masks_zero: bool) -> View:
    """A row of the table for each id; with `masks_zero`, id 0 is padding."""
    from nnspec.backends.onnx.builder import onnx_type
    from nnspec.backends.onnx.view import Mask, View

    mask = None
    if masks_zero:
        held = replace(lowering.elementwise("Cast", ids, to=onnx_type("bool")), dtype="bool", mask=None)
        mask = Mask(held)
    if ids.dtype not in ("int32", "int64"):
        ids = lowering.elementwise("Cast", ids, to=onnx_type("int32"))
    tensor = lowering.node("Gather", table, ids.tensor, axis=0)
    if mask is not None:
        lowering.harmless.add((tensor, mask.view.tensor))
    return View(tensor, (*ids.dims, made), (*ids.axes, made), str(lowering.graph.constants[table].dtype), mask)


LAYERS = (Embedding(),)
