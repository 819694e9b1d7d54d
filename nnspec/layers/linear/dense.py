"""Dense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate
from nnspec.backends.onnx.ops.projection import move_axis_last, rows_in_memory_order, write_product
from nnspec.diagnostics import Fix, lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Weight
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.habits import SEPARATE_LAYERS, Hint
from nnspec.layers.linear.low_rank import check_low_rank, low_rank_weights, merged_matrix
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Dense(Layer):
    """A fully connected layer: `units` weighted sums over the last axis, then an activation.

    The same kernel is applied at every position of the other axes.

    Input axes:  `batch … feature`
    Output axes: `batch … unit`
    Weights:     kernel (feature, units), bias (units)
    """

    kind = "Dense"
    habits = {**SEPARATE_LAYERS, "filters": Hint("a Dense layer has `units`", "units")}
    has_one_kernel = True
    is_positionwise = True
    makes = "unit"
    args = {
        "units": a.integer_or_auto(
            "Number of units: the size of the new axis. `auto` in an output's head: as many as its classes or values."
        ),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether to add a bias.", True),
        **a.weight_arguments("kernel", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "bias"),
        "lora_rank": a.integer("Rank of a low-rank update (LoRA) that is trained instead of the kernel.", None),
        "lora_alpha": a.number("Scale of the low-rank update: must equal its rank, or be omitted.", None),
        "quantization_config": a.Arg({"type": "null"}, "Not used: specs do not support quantization.", None),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        if not call.axes:
            call.require_rank(1)
        last = call.axes[-1]
        size = call.require_size(last, "its kernel has one row per position")
        if call.args["units"] == "auto":  # else it is a number by now
            call.fail(
                "NN355",
                "`units: auto` is the number of classes or values of an output, but this layer is not its head",
                "units",
                fixes=[Fix("set `units` to a number")],
            )
        units, rank = call.args["units"], call.args["lora_rank"]
        name = call.axis_name or "unit"
        made = ax.fresh(name, units, call.name, is_learned=True, is_laid_out=ax.names_places(call.axis_name))
        axes = (*call.axes[:-1], made)
        check_low_rank(call, "kernel")
        weights = [Weight("kernel", (size, units), not rank)]
        formula = f"{size}·{units}"
        if call.args["use_bias"]:
            weights.append(Weight("bias", (units,)))
            formula += f" + {units}"
        update, counted = low_rank_weights("kernel", (size, units), rank)
        return Inferred(
            (call.require_unique(axes),),
            weights=(*weights, *update),
            formula=formula + counted,
            windows={len(call.axes) - 1: WHOLE},
            mask=call.input.mask,
        )

    def why(self, node: Node) -> dict[str, str]:
        read, made = node.inputs[0].axes[-1], node.outputs[0].axes[-1]
        others = node.inputs[0].axes[:-1]
        each = f", with the same weights at every position of {lists.quoted(ax.names(others))}" if others else ""
        return {
            "": f"Reads all {read.size} of `{read.name}` at once and computes {made.size} of `{made.name}`{each}.",
            "units": f"{say.with_count(made.size, 'weighted sum')}, each over all {read.size} of `{read.name}`.",
            "kernel": f"a row for each of {read.size}, a column for each of {made.size}",
            "bias": f"one for each of {made.size}",
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.lowering import Affine

        view = inputs[0]
        last = len(view.axes) - 1
        kernel = rows_in_memory_order(view, last, merged_matrix(node, lowering, "kernel"))
        made = lowering.factor(node.outputs[0].axes[-1].name, kernel.shape[1])
        weight = lowering.graph.own_constant(kernel, f"{lowering.stem}/kernel")
        bias = None
        if node.args["use_bias"]:
            bias = lowering.graph.own_constant(lowering.weights["bias"], f"{lowering.stem}/bias")
        if len(view.axes) == 2:
            ready = lowering.arrange(view, (view.axes[0], view.in_memory_order(last)))
        else:
            ready = move_axis_last(lowering, view, last)
        product = write_product(lowering, ready, weight, bias, made, is_gemm=len(view.axes) == 2)
        result = replace(product, axes=(*view.axes[:-1], made), mask=view.mask)
        producer = lowering.graph.nodes[-1]
        lowering.affine[result.tensor] = Affine(weight, bias, producer, lambda w, f: w * f, np.asarray)
        return [activate(lowering, result, node.args["activation"])]


LAYERS = (Dense(),)
