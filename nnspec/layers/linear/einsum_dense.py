"""EinsumDense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate, activation_windows
from nnspec.backends.onnx.ops.placement import dims_over_axes, without_factors
from nnspec.backends.onnx.ops.projection import reorder_rows, write_product
from nnspec.backends.onnx.ops.reductions import reduce_over
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import Node, Weight, Window
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.linear.einsum_equation import BadEquation, Equation
from nnspec.layers.linear.low_rank import check_low_rank, low_rank_weights, merged_matrix
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering
    from nnspec.backends.onnx.view import Group, View
    from nnspec.backends.types import KerasCallable


class EinsumDense(Layer):
    """A linear map between any axes, given by an einsum equation, then an activation.

    In `abc,cd->abd` the input's axes are `a` (batch), `b` and `c`; the kernel has a row for each position of `c` and
    creates `d`. Letters of both input and output keep their axes; a letter of input, kernel and output has a separate
    kernel at each position. `as` names the new axes, in the output's order.

    Input axes:  `batch time feature`
    Output axes: `batch time unit`, with `equation: abc,cd->abd`
    Weights:     kernel (feature, unit), bias over `bias_axes`
    """

    kind = "EinsumDense"
    has_one_kernel = True
    makes = "unit"
    makes_several = True
    args = {
        "equation": a.text("Letters of input, kernel and output: `abc,cd->abd`; `...` stands for the other axes."),
        "output_shape": a.Arg(
            {
                "type": ["integer", "array"],
                "minimum": 1,
                "items": {"type": ["integer", "null"], "minimum": 1},
                "minItems": 1,
            },
            "Sizes of the output, without the batch and the axes of `...`; null to keep the input's size.",
        ),
        "activation": a.activation(),
        "bias_axes": a.text("Letters of the output along which a bias is added; default: no bias.", None),
        **a.weight_arguments("kernel", "bias"),
        **a.weight_constraints("kernel", "bias"),
        "lora_rank": a.integer("Rank of a low-rank update (LoRA) that is trained instead of the kernel.", None),
        "lora_alpha": a.number("Scale of the low-rank update, divided by its rank; default: the rank.", None),
        "gptq_unpacked_column_size": a.Arg({"type": "null"}, "Not used: specs do not support quantization.", None),
        "quantization_config": a.Arg({"type": "null"}, "Not used: specs do not support quantization.", None),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        try:
            equation = Equation.parse(call.args["equation"], len(call.axes) + 1)
        except BadEquation as error:
            call.fail(
                "NN344",
                f"`{call.args['equation']}` {error}",
                "equation",
                notes=[f"`{call.kind}` has axes {ax.describe(call.axes)} after the batch"],
                about=[call.args["equation"]],
            )
        axes = dict(zip(equation.input[1:], call.axes, strict=True))
        made = self.made_axes(call, equation, axes)
        whole = {**axes, **made}
        output = call.require_unique(tuple(whole[letter] for letter in equation.output[1:]))
        weights, formula = self.weights_rule(call, equation, whole)
        places = [equation.input.index(letter) - 1 for letter in equation.contracted + equation.summed]
        return Inferred(
            (output,),
            weights=weights,
            formula=formula,
            windows={
                **dict.fromkeys(places, WHOLE),
                **self.softmax_windows(call, equation, output),
            },
            mask=None,
            keras={
                "equation": str(equation),
                "output_shape": [size if isinstance(size, int) else None for size in ax.sizes(output)],
            },
        )

    def softmax_windows(self, call: Call, equation: Equation, output: Axes) -> dict[int, Window]:
        """A softmax reads the whole last axis of the output, which may be one of the input."""
        last = equation.output[-1]
        if not output or last not in equation.input or not activation_windows(output, call.args["activation"]):
            return {}
        return {equation.input.index(last) - 1: WHOLE}

    def made_axes(self, call: Call, equation: Equation, axes: dict[str, Axis]) -> dict[str, Axis]:
        """The new axes by letter, with their sizes from `output_shape`, which agrees with the input elsewhere."""
        given = call.args["output_shape"]
        sizes = given if isinstance(given, list) else [given]
        first, count = equation.covered
        if len(sizes) != count:
            call.fail(
                "NN344",
                f"`output_shape` has {len(sizes)} sizes, but `{call.args['equation']}` makes {count} axes",
                "output_shape",
                about=[call.args["equation"]],
            )
        said = dict(zip(equation.output[first : first + count], sizes, strict=True))
        for letter, size in said.items():
            if letter in axes and size is not None and size != axes[letter].size:
                call.fail(
                    "NN344",
                    f"`output_shape` gives `{letter}` {size} positions, but it is `{axes[letter].name}` of "
                    f"{axes[letter].size}",
                    "output_shape",
                    about=[letter, axes[letter].name],
                )
            if letter not in axes and size is None:
                call.fail(
                    "NN344",
                    f"`output_shape` does not give the size of the new axis `{letter}` is",
                    "output_shape",
                    about=[letter],
                )
        names = call.made_names("unit", len(equation.new))
        return {
            letter: ax.fresh(name, said[letter], call.name, is_learned=True)
            for letter, name in zip(equation.new, names, strict=True)
        }

    def weights_rule(self, call: Call, equation: Equation, axes: dict[str, Axis]) -> tuple[tuple[Weight, ...], str]:
        why = "its kernel has one weight per position"
        kernel = tuple(call.require_size(axes[letter], why) for letter in equation.kernel)
        rank = call.args["lora_rank"]
        weights = [Weight("kernel", kernel, not rank)]
        formula = "·".join(str(n) for n in kernel)
        letters = call.args["bias_axes"]
        if letters is not None:
            bias = self.bias_shape(call, equation, letters, axes)
            weights.append(Weight("bias", bias))
            formula += f" + {'·'.join(str(n) for n in bias if n != 1) or 1}"
        check_low_rank(call, "kernel", takes_alpha=True)
        update, counted = low_rank_weights("kernel", kernel, rank)
        return (*weights, *update), formula + counted

    def bias_shape(self, call: Call, equation: Equation, letters: str, axes: dict[str, Axis]) -> tuple[int, ...]:
        """From the first of the letters on: a size where one stands, 1 between."""
        written = equation.output[equation.covered[0] : sum(equation.covered)]
        strange = next((letter for letter in letters if letter not in written), None)
        if strange is not None or not letters or len(set(letters)) < len(letters):
            what = f"names `{strange}`, which the output does not" if strange else "names no letter, or one twice"
            call.fail(
                "NN344", f"`bias_axes` {what}: `{call.args['equation']}`", "bias_axes", about=[call.args["equation"]]
            )
        after = equation.output[min(equation.output.index(letter) for letter in letters) :]
        why = "its bias has one weight per position"
        return tuple(call.require_size(axes[letter], why) if letter in letters else 1 for letter in after)

    def to_keras(self, node: Node) -> KerasCallable:
        shapes = [weight.shape for weight in node.weights if weight.name == "bias"]
        if all(len(shape) < 2 or sum(size > 1 for size in shape) > 1 for shape in shapes):
            return super().to_keras(node)
        from nnspec.backends.keras.layers.axes import PlacedEinsumDense

        layer: KerasCallable = PlacedEinsumDense(name=keras_name(node.name), **self.keras_arguments(node))
        return layer

    # -------------------------------------------------------------------------------------------- ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        equation = Equation.parse(node.args["equation"], len(inputs[0].axes))
        view = _sum_out(lowering, inputs[0], equation)
        groups = dict(zip((c for c in equation.input if c not in equation.summed), view.axes, strict=True))
        for letter, axis in zip(equation.output[1:], node.outputs[0].axes, strict=True):
            if letter in equation.new:
                groups[letter] = lowering.factor(axis.name, axis.size)
        letters = node.args["bias_axes"]
        is_whole = letters is not None and sorted(letters) == sorted(equation.new)  # a bias for each column
        bias = lowering.weights["bias"].reshape(-1) if is_whole else None
        result = _product(lowering, view, equation, groups, merged_matrix(node, lowering, "kernel"), bias)
        result = result.with_axes([groups[letter] for letter in equation.output])
        if letters is not None and not is_whole:
            places = [i for i, letter in enumerate(equation.output) if letter in letters]
            result = lowering.separable(result, places)
            sizes = [ax.known_size(node.outputs[0].axes[i - 1].size) or 1 for i in places]
            added = lowering.along(result, lowering.weights["bias"].reshape(sizes), places, "bias")
            result = lowering.elementwise("Add", result, added)
        return [activate(lowering, result, node.args["activation"])]


def _sum_out(lowering: Lowering, view: View, equation: Equation) -> View:
    """The view without the axes that the equation sums over and the kernel does not know."""
    places = [equation.input.index(letter) for letter in equation.summed]
    if not places:
        return replace(view, mask=None)
    ready, dims = dims_over_axes(lowering, view, places)
    gone = {factor for place in places for factor in view.axes[place]}
    axes = tuple(group for i, group in enumerate(ready.axes) if i not in places)
    if not dims:
        return replace(ready, axes=axes, mask=None)
    tensor = reduce_over(lowering, "ReduceSum", ready.tensor, dims, ready.dims, keepdims=0)
    kept = tuple(dim for dim in ready.dims if not gone.intersection(dim))
    return replace(ready, tensor=tensor, dims=kept, axes=axes, mask=None)


def _product(
    lowering: Lowering,
    view: View,
    equation: Equation,
    groups: dict[str, Group],
    kernel: Array,
    bias: Array | None,
) -> View:
    """MatMul of what is contracted; where positions have kernels of their own, these are a dimension before it."""
    if equation.shared and not equation.contracted and not equation.new:  # a number for each position
        letters = [letter for letter in equation.input if letter not in equation.summed]
        places = [letters.index(letter) for letter in equation.shared]
        ready = lowering.separable(view, places)
        ordered = kernel.transpose([equation.kernel.index(letter) for letter in equation.shared])
        return lowering.elementwise("Mul", ready, lowering.along(ready, ordered, places, "kernel"))

    def joined(letters: str) -> Group:
        return tuple(factor for letter in letters for factor in groups[letter])

    contracted = {factor for letter in equation.contracted for factor in groups[letter]}
    rows = tuple(factor for factor in view.order if factor in contracted)
    new = equation.new
    if equation.shared:
        batch = groups[equation.input[0]]
        others = [factor for letter in equation.passed_through[1:] for factor in groups[letter]]
        kept = tuple(factor for factor in view.order if factor in set(others))
        dims: tuple[Group, ...] = (batch, joined(equation.shared), kept, rows)
    else:
        dims = (*without_factors(view.dims, contracted), rows)
    ready = lowering.arrange(view, dims)
    spread = kernel.transpose([equation.kernel.index(c) for c in equation.shared + equation.contracted + new])
    shared, made = spread.shape[: len(equation.shared)], spread.shape[len(equation.shared) + len(equation.contracted) :]
    count = int(np.prod(made, dtype=int))
    flat = spread.reshape([*([int(np.prod(shared, dtype=int))] if shared else []), -1, count])
    ordered = reorder_rows(flat, flat.ndim - 2, joined(equation.contracted), rows)
    weight = lowering.constant(np.ascontiguousarray(ordered), "kernel")
    added = None if bias is None else lowering.constant(bias, "bias")
    is_gemm = added is not None and len(dims) == 2
    return write_product(lowering, ready, weight, added, joined(new), is_gemm=is_gemm)


LAYERS = (EinsumDense(),)
