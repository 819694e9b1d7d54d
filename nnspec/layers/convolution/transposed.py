"""Transposed convolutions over one to three axes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate
from nnspec.diagnostics import Fix, lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size
from nnspec.ir.graph import Args, Node, Weight
from nnspec.layers.convolution.base import Convolution, product_formula
from nnspec.layers.convolution.onnx_kernel import Kernel, write_kernel
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Window
from nnspec.layers.kit.sliding_windows import spatial_positions
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


def cut_ends(span: int, stride: int, padding: str, output_padding: int | None) -> tuple[int, int]:
    """Positions cut off before and after what the kernels wrote; negative where there are more than that.

    `n` kernels of `span` positions, `stride` apart, write (n - 1)·stride + span. Keras keeps of them, with
    `padding: valid`, all, and at least n·stride; with `same`, n·stride from the middle, or, where `output_padding` is
    given, (n - 1)·stride + span % 2 + output_padding (TensorFlow cuts off the smaller half before).
    """
    if padding == "valid":
        return 0, -(max(span, stride) - span if output_padding is None else output_padding)
    surplus = span - stride if output_padding is None else span - span % 2 - output_padding
    before = max(surplus, 0) // 2
    return before, surplus - before


class TransposedConvolution(Convolution):
    """A transposed convolution: the gradient of a convolution; each position becomes `strides` positions."""

    def output_padding(self, args: Args) -> tuple[int | None, ...]:
        given = args["output_padding"]
        return (None,) * self.rank if given is None else a.as_tuple(given, self.rank)

    def cuts(self, args: Args, i: int) -> tuple[int, int, int]:
        """Span of the kernel along the i-th spatial axis, and what is cut off before and after."""
        kernel, strides, dilation = self.geometry(args)
        span = 1 + (kernel[i] - 1) * dilation[i]
        return span, *cut_ends(span, strides[i], args["padding"], self.output_padding(args)[i])

    def slide_axis(self, call: Call, i: int, axis: Axis) -> tuple[Size, Window]:
        stride = self.geometry(call.args)[1][i]
        span, before, after = self.cuts(call.args, i)
        self.check_output_padding(call, axis, span, stride, self.output_padding(call.args)[i])
        more = span - stride - before - after
        seen = 1 + Fraction(span - 1, stride)
        return _grown(axis.size, stride, more), Window(seen, Fraction(1, stride), Fraction(before, stride))

    def why(self, node: Node) -> dict[str, str]:
        places, _ = spatial_positions(self.rank, node.args["data_format"])
        kernel, strides, _ = self.geometry(node.args)
        before, after = node.inputs[0].axes, node.outputs[0].axes
        lengths = lists.joined(say.size_change(before[place], after[place]) for place in places)
        size = "×".join(str(k) for k in kernel)
        *_, made, channels = node.weights[0].shape
        return {
            "filters": f"{say.with_count(made, 'kernel')} are added for every position of the input.",
            "kernel_size": f"Every position of the input adds to {say.kernel_extent(kernel)} of the output, "
            f"from all {channels} of its channels; overlapping contributions are summed.",
            "strides": f"One position in the input is {lists.joined(map(str, strides))} in the output: {lengths}.",
            "padding": "No output position is removed."
            if node.args["padding"] == "valid"
            else f"Positions beyond the ends are cropped: {lengths}.",
            "dilation_rate": say.dilation_sentence(node, places, kernel, self.geometry(node.args)[2]).replace(
                "of the input", "of the output"
            ),
            "kernel": f"{say.with_count(made, 'kernel')} of {size}×{channels}",
            "bias": "one for each filter",
        }

    def check_output_padding(self, call: Call, axis: Axis, span: int, stride: int, padding: int | None) -> None:
        if padding is None:
            return
        if padding >= stride:
            call.fail(
                "NN208",
                f"`output_padding` of `{self.kind}` must be below `strides` along `{axis.name}`, "
                f"but it is {padding} and `strides` is {stride}",
                "output_padding",
                fixes=[Fix("remove it: Keras then makes `strides` output positions per input position")],
            )
        if call.args["padding"] == "same" and span % 2 == padding == 0:
            call.fail(
                "NN208",
                f"`{self.kind}` cannot make the output so short along `{axis.name}`: with `padding: same` and "
                f"a kernel that "
                f"spans {span} positions, an even number, `output_padding` must be at least 1",
                "output_padding",
                notes=["TensorFlow refuses a length that fewer input positions would also produce"],
                fixes=[Fix("remove it, or use a kernel that spans an odd number of positions")],
            )

    def axis_notes(self, call: Call, i: int, axis: Axis) -> list[str]:
        return []

    def weights_rule(self, call: Call, channels: int, kernel: tuple[int, ...]) -> tuple[int, tuple[Weight, ...], str]:
        filters = call.args["filters"]
        weights = [Weight("kernel", (*kernel, filters, channels))]
        formula = product_formula(*kernel, filters, channels)
        if call.args["use_bias"]:
            weights.append(Weight("bias", (filters,)))
            formula += f" + {filters}"
        return filters, tuple(weights), formula

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        _, strides, dilation = self.geometry(node.args)
        kernel = Kernel(
            weights=np.moveaxis(lowering.weights["kernel"], (-1, -2), (0, 1)),
            bias=lowering.weights.get("bias"),
            strides=strides,
            dilation=dilation,
            outputs=1,
        )
        ends = [self.cuts(node.args, i)[1:] for i in range(self.rank)]
        lead = [0] if self.rank == 1 else []
        more = [*lead, *(max(-after, 0) for _, after in ends)]
        even = [min(before, max(after, 0)) for before, after in ends]
        view = write_kernel(
            lowering,
            node,
            inputs[0],
            "ConvTranspose",
            kernel,
            pads=[*lead, *even, *lead, *even],
            output_padding=more if any(more) else None,
        )
        rest = [max(after, 0) - before for before, after in ends]
        return [activate(lowering, _without_ends(lowering, view, rest), node.args["activation"])]


def _without_ends(lowering: Lowering, view: View, counts: list[int]) -> View:
    """Without so many of the last positions of each spatial axis.

    Some runtimes (ncnn) have no `pads` that differ between the ends of an axis.
    """
    cut = {len(view.dims) - len(counts) + i: count for i, count in enumerate(counts) if count}
    if not cut:
        return view
    bounds = {"starts": [0] * len(cut), "ends": [-count for count in cut.values()], "axes": list(cut)}
    operands = [lowering.constant(np.asarray(values, np.int64), name) for name, values in bounds.items()]
    tensor = lowering.node("Slice", view.tensor, *operands)
    lowering.affine[tensor] = lowering.affine[view.tensor]
    return replace(view, tensor=tensor)


def _grown(size: Size, stride: int, more: int) -> Size:
    """size · stride + more."""
    longer = ax.multiply((size, stride))
    if isinstance(longer, int):
        return longer + more
    if not more:
        return longer
    return ax.derived(f"({longer} {'+' if more > 0 else '-'} {abs(more)})")


def _transposed_arguments(rank: int) -> dict[str, a.Arg]:
    ones = 1 if rank == 1 else [1] * rank
    return {
        "filters": a.integer("Number of kernels: the size of the new axis."),
        "kernel_size": a.sizes("Kernel size along each spatial axis.", rank),
        "strides": a.sizes("Stride between neighbouring kernels in the output, in positions.", rank, ones),
        "padding": a.choice(
            "valid: all positions that a kernel reaches; same: `strides` output positions per input position.",
            ["valid", "same"],
            "valid",
        ),
        "output_padding": a.sizes(
            "Extra output positions at the end; must be below `strides`.",
            rank,
            None,
            minimum=0,
        ),
        "data_format": a.data_format(),
        "dilation_rate": a.sizes("Distance between neighbouring kernel taps, in positions.", rank, ones),
        "activation": a.activation(),
        "use_bias": a.boolean("Whether to add a bias.", True),
        **a.weight_arguments("kernel", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "bias"),
    }


class Conv1DTranspose(TransposedConvolution):
    """Transposed convolution of a sequence: every input step adds to `kernel_size` output steps, `strides` apart.

    With `padding: same` the sequence becomes `strides` times as long.

    Input axes:  `batch time channel`
    Output axes: `batch time filter`, time = (time - 1)·strides + max(kernel_size, strides), or time·strides
    Weights:     kernel (kernel_size, filters, channel), bias (filters)

    Not this: an input of (feature, time), which would make more features (NN308).
    """

    kind = "Conv1DTranspose"
    has_one_kernel = True
    rank = 1
    args = _transposed_arguments(1)


class Conv2DTranspose(TransposedConvolution):
    """Transposed convolution along two axes: every input position adds a kernel to the output, `strides` apart.

    Input axes:  `batch height width channel`
    Output axes: `batch height width filter`, each length·strides with `padding: same`
    Weights:     kernel (kernel height, kernel width, filters, channel), bias (filters)
    """

    kind = "Conv2DTranspose"
    has_one_kernel = True
    rank = 2
    args = _transposed_arguments(2)


class Conv3DTranspose(TransposedConvolution):
    """Transposed convolution along three axes: every input position adds a kernel to the output, `strides` apart.

    Input axes:  `batch depth height width channel`
    Output axes: `batch depth height width filter`, each length·strides with `padding: same`
    Weights:     kernel (kernel depth, height, width, filters, channel), bias (filters)
    """

    kind = "Conv3DTranspose"
    has_one_kernel = True
    rank = 3
    args = _transposed_arguments(3)


LAYERS = (Conv1DTranspose(), Conv2DTranspose(), Conv3DTranspose())
