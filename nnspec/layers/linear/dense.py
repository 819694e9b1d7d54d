"""Dense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate
from nnspec.diagnostics import Fix, lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Weight
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


class Dense(Layer):
    """A linear map of the last axis, `units` weighted sums of all its positions, then an activation.

    The same kernel serves every position of the other axes.

    Input axes:  `batch … feature`
    Output axes: `batch … unit`
    Weights:     kernel (feature, units), bias (units)
    """

    kind = "Dense"
    has_one_kernel = True
    is_positionwise = True
    makes = "unit"
    args = {
        "units": a.integer_or_auto(
            "How many weighted sums: the size of the axis that it makes. `auto` in the head of an output: as many as "
            "it has classes."
        ),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether a bias is added.", True),
        **a.weight_arguments("kernel", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "bias"),
        "lora_rank": a.integer("Rank of a low-rank update that is trained instead of the kernel.", None),
        "lora_alpha": a.number("Scale of the low-rank update: its rank, or left out.", None),
        "quantization_config": a.Arg({"type": "null"}, "Not used: quantization is not part of a spec.", None),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        if not call.axes:
            call.require_rank(1)
        last = call.axes[-1]
        size = call.require_size(last, "its kernel has a row for each position")
        if call.args["units"] == "auto":  # else it is a number by now
            call.fail(
                "NN355",
                "`units: auto` is the number of classes of an output, but this layer is not its head",
                "units",
                fixes=[Fix("say how many `units` it has")],
            )
        units, rank = call.args["units"], call.args["lora_rank"]
        name = call.axis_name or "unit"
        made = ax.fresh(name, units, call.name, is_learned=True, is_laid_out=ax.names_places(call.axis_name))
        axes = (*call.axes[:-1], made)
        weights = [Weight("kernel", (size, units))]
        formula = f"{size}·{units}"
        if rank:
            self.check_low_rank(call, rank)
            weights[0] = replace(weights[0], is_trainable=False)
        if call.args["use_bias"]:
            weights.append(Weight("bias", (units,)))
            formula += f" + {units}"
        if rank:
            weights += [Weight("lora_kernel_a", (size, rank)), Weight("lora_kernel_b", (rank, units))]
            formula += f" + {size}·{rank} + {rank}·{units}"
        return Inferred(
            (call.require_unique(axes),),
            weights=tuple(weights),
            formula=formula,
            windows={len(call.axes) - 1: WHOLE},
            mask=call.input.mask,
        )

    def why(self, node: Node) -> dict[str, str]:
        read, made = node.inputs[0].axes[-1], node.outputs[0].axes[-1]
        others = node.inputs[0].axes[:-1]
        each = f", the same for every position of {lists.quoted(ax.names(others))}" if others else ""
        return {
            "": f"Reads all {read.size} of `{read.name}` at once and makes {made.size} of `{made.name}`{each}.",
            "units": f"{say.counted(made.size, 'weighted sum')}, each over all {read.size} of `{read.name}`.",
            "kernel": f"a row for each of {read.size}, a column for each of {made.size}",
            "bias": f"one for each of {made.size}",
        }

    def check_low_rank(self, call: Call, rank: int) -> None:
        if call.args["kernel_constraint"] is not None:
            call.fail("NN208", "`Dense` takes either `lora_rank` or `kernel_constraint`", "lora_rank")
        if call.args["lora_alpha"] not in (None, rank):
            call.fail(
                "NN208",
                "Keras' `Dense` scales its low-rank update by 1, whatever `lora_alpha` says",
                "lora_alpha",
                fixes=[Fix(f"leave `lora_alpha` out, or give it the rank, {rank}")],
            )

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.lowering import Affine

        view = inputs[0]
        kernel = lowering.weights["kernel"]
        if node.args["lora_rank"]:
            kernel = kernel + lowering.weights["lora_kernel_a"] @ lowering.weights["lora_kernel_b"]
        last = len(view.axes) - 1
        features = view.in_memory_order(last)
        if features != view.axes[last]:  # the rows of the kernel move, the data stay
            order = [view.axes[last].index(f) for f in features]
            spread = kernel.reshape([*(f.size or 1 for f in view.axes[last]), -1])
            kernel = spread.transpose([*order, len(order)]).reshape(kernel.shape)
        made = lowering.factor(node.outputs[0].axes[-1].name, kernel.shape[1])
        weight = lowering.graph.own_constant(kernel, f"{lowering.stem}/kernel")
        bias = None
        if node.args["use_bias"]:
            bias = lowering.graph.own_constant(lowering.weights["bias"], f"{lowering.stem}/bias")
        if len(view.axes) == 2:
            ready = lowering.arrange(view, (view.axes[0], features))
            tensor = lowering.node("Gemm", ready.tensor, weight, *([bias] if bias else []))
            dims: tuple[Group, ...] = (view.axes[0], made)
        else:
            inside = set(features)
            lead = [tuple(f for f in dim if f not in inside) for dim in view.dims]
            lead = [dim for dim, old in zip(lead, view.dims, strict=True) if dim or not old]
            ready = lowering.arrange(view, (*lead, features))
            tensor = lowering.node("MatMul", ready.tensor, weight)
            if bias:
                tensor = lowering.node("Add", tensor, bias)
            dims = (*lead, made)
        result = replace(view, tensor=tensor, dims=dims, axes=(*view.axes[:-1], made))
        producer = lowering.graph.nodes[-1]
        lowering.affine[tensor] = Affine(weight, bias, producer, lambda w, f: w * f, np.asarray)
        return [activate(lowering, result, node.args["activation"])]


LAYERS = (Dense(),)
