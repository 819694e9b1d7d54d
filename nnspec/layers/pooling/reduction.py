"""`reduce`: reduces axes to their mean, sum, extreme, spread or norm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import dims_over_axes
from nnspec.backends.onnx.ops.reductions import reduce_over
from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Args, Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.axis_lists import positions
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable

# What each is called in ONNX; the others are made of several nodes.
_OPS = {
    "mean": "ReduceMean",
    "sum": "ReduceSum",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
}
_SAID = {
    "mean": "mean",
    "sum": "sum",
    "max": "largest value",
    "min": "smallest value",
    "prod": "product",
    "std": "standard deviation",
    "var": "variance",
    "logsumexp": "logarithm of the sum of exponentials",
    "l1": "sum of absolute values",
    "l2": "Euclidean length",
}


class Reduce(Layer):
    """Reduces all positions along axes to one number: `reduce: {axis: time, by: mean}`.

    The other axes keep their order. Masked steps count, and the mask is dropped; `GlobalAveragePooling1D` leaves out
    padding. `std` and `var` divide by the number of positions.

    Input axes:  `batch time feature`
    Output axes: `batch feature`, or `batch time feature` with time 1 where `keepdims`
    """

    kind = "reduce"
    is_axis_operation = True
    args = {
        "axis": a.axis_list("The axis or axes to reduce."),
        "by": a.choice("The reduction to apply.", list(_SAID)),
        "keepdims": a.boolean("Whether to keep the reduced axes with size 1.", False),
    }

    def combination(self, args: Args) -> str:
        return {"mean": "mean", "max": "extreme", "min": "extreme", "prod": "extreme", "sum": "sum"}.get(args["by"], "")

    def adds_up(self, args: Args) -> bool:
        return args["by"] in ("sum", "l1", "l2")

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        said = call.args["axis"]
        places = sorted(set(positions(call, said if isinstance(said, list) else [said], "axis")))
        axes: Axes = tuple(axis for i, axis in enumerate(call.axes) if i not in places)
        if call.args["keepdims"]:
            axes = tuple(ax.resized(axis, 1, call.name) if i in places else axis for i, axis in enumerate(call.axes))
        return Inferred((axes,), windows=dict.fromkeys(places, WHOLE), keras={"axis": [1 + place for place in places]})

    def why(self, node: Node) -> dict[str, str]:
        axes = node.inputs[0].axes
        reduced = lists.joined(say.with_size(axes[place - 1]) for place in node.args["axis"])
        stays = "the reduced axes stay with size 1" if node.args["keepdims"] else "the reduced axes are removed"
        return {"": f"All positions of {reduced} are reduced to one number, the {_SAID[node.args['by']]}; {stays}."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        axis, keepdims, by = tuple(node.args["axis"]), bool(node.args["keepdims"]), node.args["by"]
        if by == "l1":
            return lambda tensor: ops.sum(ops.absolute(tensor), axis=axis, keepdims=keepdims)
        if by == "l2":
            return lambda tensor: ops.sqrt(ops.sum(ops.square(tensor), axis=axis, keepdims=keepdims))
        return lambda tensor: getattr(ops, by)(tensor, axis=axis, keepdims=keepdims)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view, axes, by = inputs[0], node.args["axis"], node.args["by"]
        ready, dims = dims_over_axes(lowering, view, axes)
        if not dims:  # axes of size 1, which may have no dimension at all
            ready = lowering.arrange(ready, (*ready.dims, ()))
            dims = [len(ready.dims) - 1]
        where = lowering.constant(np.asarray(dims, np.int64), "axes")
        if by in ("std", "var"):
            mean = reduce_over(lowering, "ReduceMean", ready.tensor, dims, ready.dims, keepdims=1)
            apart = lowering.node("Sub", ready.tensor, mean)
            squares = lowering.node("Mul", apart, apart)
            tensor = reduce_over(lowering, "ReduceMean", squares, dims, ready.dims, keepdims=0)
            if by == "std":
                tensor = lowering.node("Sqrt", tensor)
        elif by in ("l1", "l2"):  # fewer runtimes know ReduceL1 and ReduceL2, or read their axes
            tensor = ready.tensor
            each = lowering.node("Abs", tensor) if by == "l1" else lowering.node("Mul", tensor, tensor)
            tensor = reduce_over(lowering, "ReduceSum", each, dims, ready.dims, keepdims=0)
            if by == "l2":
                tensor = lowering.node("Sqrt", tensor)
        elif by in ("mean", "sum"):
            tensor = reduce_over(lowering, _OPS[by], ready.tensor, dims, ready.dims, keepdims=0)
        elif by == "logsumexp":
            tensor = _log_sum_exp(lowering, ready.tensor, where)
        else:
            tensor = lowering.node(_OPS[by], ready.tensor, where, keepdims=0)
        left = tuple(dim for i, dim in enumerate(ready.dims) if i not in dims)
        groups = tuple(() if i in axes else group for i, group in enumerate(view.axes))
        if not node.args["keepdims"]:
            groups = tuple(group for i, group in enumerate(view.axes) if i not in axes)
        return [replace(ready, tensor=tensor, dims=left, axes=groups, mask=None)]


def _log_sum_exp(lowering: Lowering, tensor: str, axes: str) -> str:
    """max + log Σ exp(x - max), on many values several times as fast in ONNX Runtime as ReduceLogSumExp.

    OpenVINO takes all axes for those of that op before opset 18. An infinite maximum is cut, so that nothing is
    subtracted from an equal infinity.
    """
    largest = float(np.finfo(np.float32).max)
    most = lowering.node("ReduceMax", tensor, axes, keepdims=1)
    most = lowering.node("Clip", most, lowering.scalar(-largest), lowering.scalar(largest))
    powers = lowering.node("Exp", lowering.node("Sub", tensor, most))
    total = lowering.node("Log", lowering.node("ReduceSum", powers, axes, keepdims=1))
    return lowering.node("Squeeze", lowering.node("Add", total, most), axes)


LAYERS = (Reduce(),)
