"""Encodes indices as one-hot, multi-hot and count vectors: shared by lookups, bins and hashes, and CategoryEncoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Reason
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node, Value
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor

MOST_ONE_HOT = 1000  # a longer vector is not made for each element of a sample: 64 texts of 200 words would take 2.5 GB

SPARSE = a.choice("Always false: specs only support dense tensors.", [False], False)


def output_mode(modes: Sequence[str], default: str) -> a.Arg:
    meanings = {
        "int": "the index itself",
        "one_hot": "a vector for each element, 1 at its index",
        "multi_hot": "a vector for each sample, 1 at every index that it contains",
        "count": "a vector for each sample, how often it contains each index",
        "tf_idf": "counts times `idf_weights`",
    }
    return a.choice("; ".join(f"{mode}: {meanings[mode]}" for mode in modes) + ".", list(modes), default)


def encoded_axes(call: Call, mode: str, depth: int) -> tuple[Axes, dict[int, Window]]:
    """The axes of encoded indices, and what each position sees of the axis that was summed over."""
    if mode == "int":
        if "as" in call.given:
            call.fail("NN208", f"`as` names the axis that `{call.kind}` makes, but `output_mode: int` makes none", "as")
        return call.axes, {}
    made = ax.fresh(call.axis_name or "category", depth, call.name, is_learned=True)
    if mode == "one_hot":
        kept = call.axes[:-1] if call.axes and call.axes[-1].size == 1 else call.axes
        return call.require_unique((*kept, made)), {}
    call.require_rank(1, what=f"with `output_mode: {mode}`, that of each sample's elements")
    return (made,), {0: WHOLE}


def encode(lowering: Lowering, indices: View, node: Node, mode: str, depth: int) -> View:
    """Int64 indices as the node's `output_mode` wants them; an index of `depth` or more leaves no mark."""
    if mode == "int":
        return indices
    made = lowering.factor(node.outputs[0].axes[-1].name, depth)
    count = lowering.constant(np.asarray(depth, np.int64), "depth")
    values = lowering.constant(np.asarray([0, 1], np.float32), "off_on")
    if mode == "one_hot":
        is_shrunk = len(node.outputs[0].axes) == len(node.inputs[0].axes)
        kept = indices.axes[:-1] if is_shrunk else indices.axes
        tensor = lowering.node("OneHot", indices.tensor, count, values)
        return replace(
            indices, tensor=tensor, dims=(*indices.dims, made), axes=(*kept, made), dtype="float32", mask=None
        )
    alone, place = lowering.with_axis_alone(indices, 1)
    if depth > MOST_ONE_HOT and lowering.graph.opset >= 18 and len(alone.dims) == 2:
        tensor = _count_in_place(lowering, alone.tensor, place, depth)
    else:
        one_hot = lowering.node("OneHot", alone.tensor, count, values)
        axes = lowering.constant(np.asarray([place], np.int64), "axes")
        tensor = lowering.node("ReduceSum", one_hot, axes, keepdims=0)
    if mode == "multi_hot":
        tensor = lowering.node("Min", tensor, lowering.scalar(1.0))
    dims = (*(dim for i, dim in enumerate(alone.dims) if i != place), made)
    return replace(alone, tensor=tensor, dims=dims, axes=(alone.axes[0], made), dtype="float32", mask=None)


def _count_in_place(lowering: Lowering, indices: str, axis: int, depth: int) -> str:
    """How often each index from 0 to `depth` - 1 occurs along an axis of two: each adds 1 to its place among zeros."""

    def ints(values: list[int], hint: str) -> str:
        return lowering.constant(np.asarray(values, np.int64), hint)

    zero, beyond = (lowering.constant(np.asarray(n, np.int64), hint) for n, hint in ((0, "zero"), (depth, "depth")))
    is_low, is_high = lowering.node("Less", indices, beyond), lowering.node("GreaterOrEqual", indices, zero)
    places = lowering.node("Where", lowering.node("And", is_low, is_high), indices, beyond)
    rows = lowering.node("Shape", indices, start=1 - axis, end=2 - axis)
    columns = ints([depth + 1], "columns")  # the last takes what is none of the indices
    shape = lowering.node("Concat", *((columns, rows) if axis == 0 else (rows, columns)), axis=0)
    zeros = lowering.node("Expand", lowering.scalar(0.0), shape)
    ones = lowering.node("Expand", lowering.scalar(1.0), lowering.node("Shape", indices))
    counted = lowering.node("ScatterElements", zeros, places, ones, axis=axis, reduction="add")
    return lowering.node("Slice", counted, ints([0], "from"), ints([depth], "to"), ints([axis], "axis"))


def require_integers(call: Call, what: str, values: Sequence[Value] | None = None) -> None:
    """Indices and ids are whole numbers."""
    for value in call.inputs if values is None else values:
        if not value.dtype.startswith(("int", "uint")):
            call.fail(
                "NN407",
                f"`{call.kind}` {what}, but `{value.node}` holds {value.dtype}",
                notes=["Keras would silently truncate floats to integers"] if value.dtype.startswith("float") else (),
                about=[value.node],
            )


def as_int64(lowering: Lowering, view: View) -> View:
    from nnspec.backends.onnx.builder import onnx_type

    if view.dtype == "int64":
        return view
    return replace(lowering.elementwise("Cast", view, to=onnx_type("int64")), dtype="int64")


class CategoryEncoding(Layer):
    """Encodes indices from 0 to `num_tokens` - 1 as vectors of length `num_tokens`.

    An index out of range is ignored. With `count_weights` each index counts with its weight.

    Input axes:  `batch element`, integers; with one_hot any axes
    Output axes: `batch category`; with one_hot `batch … category`, a last axis of size 1 left out
    """

    kind = "CategoryEncoding"
    reads_ids = True
    makes = "category"
    call_arguments = ("count_weights",)
    references = ("count_weights",)
    args = {
        "num_tokens": a.integer("Number of indices: the size of the new axis."),
        "output_mode": output_mode(["one_hot", "multi_hot", "count"], "multi_hot"),
        "sparse": SPARSE,
        "count_weights": a.Arg(
            {"type": "string"}, "With count, the name of a value with the same axes: the weight of each index.", None
        ),
    }

    def infer(self, call: Call) -> Inferred:
        require_integers(call, "reads indices", call.inputs[:1])
        if len(call.inputs) > 1:
            self.check_weights(call)
        axes, windows = encoded_axes(call, call.args["output_mode"], call.args["num_tokens"])
        return Inferred((axes,), ("float32",), windows=windows)

    def check_weights(self, call: Call) -> None:
        weights = call.inputs[1]
        if call.args["output_mode"] != "count":
            call.fail("NN208", "`count_weights` requires `output_mode: count`", "count_weights")
        if weights.dtype.startswith("bool"):
            call.fail(
                "NN407",
                f"`count_weights` must be numbers, but `{weights.node}` has dtype {weights.dtype}",
                "count_weights",
                about=[weights.node],
            )
        mine, theirs = ([(axis.name, axis.size) for axis in value.axes] for value in call.inputs)
        if mine != theirs:
            call.fail(
                "NN311",
                f"`count_weights` has a number for each of {ax.describe(call.axes)}, "
                f"but `{weights.node}` has {ax.describe(weights.axes)}",
                "count_weights",
                about=[*call.axes, weights.node, *weights.axes],
                reason=Reason.AXES_CALLED_DIFFERENTLY,
            )

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        from keras import ops

        return layer(tensors[0], **({"count_weights": ops.cast(tensors[1], "float32")} if len(tensors) > 1 else {}))

    def examples(self, node: Node) -> Sequence[str | int]:
        return list(range(min(node.args["num_tokens"], 100)))

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        indices = as_int64(lowering, inputs[0])
        if len(inputs) > 1:
            return [weighted(lowering, indices, inputs[1], node)]
        return [encode(lowering, indices, node, node.args["output_mode"], node.args["num_tokens"])]


def weighted(lowering: Lowering, indices: View, weights: View, node: Node) -> View:
    """The sum of the weights at each index: (1, element) times (element, category), for each sample."""
    from nnspec.backends.onnx.builder import onnx_type

    depth = node.args["num_tokens"]
    places, shares = (lowering.arrange(view, view.axes) for view in (indices, weights))
    if shares.dtype != "float32":
        shares = lowering.elementwise("Cast", shares, to=onnx_type("float32"))
    count = lowering.constant(np.asarray(depth, np.int64), "depth")
    one_hot = lowering.node("OneHot", places.tensor, count, lowering.constant(np.asarray([0, 1], np.float32), "off_on"))
    middle = lowering.constant(np.asarray([1], np.int64), "middle")
    summed = lowering.node("MatMul", lowering.node("Unsqueeze", shares.tensor, middle), one_hot)
    axes = (places.axes[0], lowering.factor(node.outputs[0].axes[0].name, depth))
    tensor = lowering.node("Squeeze", summed, middle)
    return replace(places, tensor=tensor, dims=axes, axes=axes, dtype="float32", mask=None)


LAYERS = (CategoryEncoding(),)
