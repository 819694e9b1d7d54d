"""`sort` and `top_k`: values in order of size, and the positions that they had."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.document.types import JsonSchema
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size
from nnspec.ir.graph import Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor

_ORDERED = ("float32", "int32", "int64")  # which ONNX Runtime puts in order


class Ordering(Layer):
    """Base of `sort` and `top_k`: orders the positions of an axis by their values; equal ones keep their order."""

    is_axis_operation = True

    @abstractmethod
    def kept(self, call: Call, axis: Axis) -> Size:
        """How many positions are left."""

    @abstractmethod
    def is_descending(self, node: Node) -> bool:
        """Whether the largest value comes first."""

    def infer(self, call: Call) -> Inferred:
        value = call.input
        if value.dtype not in _ORDERED:
            call.fail(
                "NN407",
                f"`{self.kind}` orders numbers, but `{value.node}` has dtype {value.dtype}",
                about=[value.node],
            )
        place = call.axis_index(call.args["axis"], "axis")
        axis = call.axes[place]
        made = list(call.axes)
        made[place] = ax.resized(axis, self.kept(call, axis), call.name)
        axes = tuple(made)
        return Inferred(
            (axes, axes),
            (value.dtype, "int32"),
            ports=("values", "positions"),
            windows={place: WHOLE},
            keras={"axis": 1 + place},
        )

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        place, rank = node.args["axis"], len(node.inputs[0].axes)
        size = node.outputs[0].axes[place - 1].size
        count = node.args.get("k")

        def order(tensor: KerasTensor) -> list[KerasTensor]:
            if count is not None:
                assert isinstance(size, int), "as many as `k` says"
                found = ops.top_k(tensor if place == rank else ops.moveaxis(tensor, place, -1), size)
                return [one if place == rank else ops.moveaxis(one, -1, place) for one in found]
            turned = -tensor if self.is_descending(node) else tensor
            values = ops.sort(turned, axis=place)
            positions = ops.cast(ops.argsort(turned, axis=place), "int32")
            return [-values if self.is_descending(node) else values, positions]

        return order

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.builder import onnx_type

        place = node.args["axis"]
        axis = node.outputs[0].axes[place - 1]
        ready, (dim,) = separate_dims(lowering, inputs[0], [place])
        if isinstance(axis.size, int):
            count = lowering.constant(np.asarray([axis.size], np.int64), "count")
        else:
            count = lowering.node("Shape", ready.tensor, start=dim, end=dim + 1)
        largest = int(self.is_descending(node))
        values, found = lowering.nodes("TopK", ready.tensor, count, outputs=2, axis=dim, largest=largest)
        positions = lowering.node("Cast", found, to=onnx_type("int32"))
        group = lowering.factor(axis.name, axis.size)
        made = replace_dims(ready, values, [dim], [place], [group])
        return [made, replace(made, tensor=positions, dtype="int32")]


class Sort(Ordering):
    """Sorts the values along an axis: `sort: {axis: time}`. Equal values keep their order.

    Two outputs: `NAME.values` (also as NAME), and `NAME.positions`, the positions that they had. Other axes are sorted
    position by position. The mask is dropped.

    Input axes:  `batch time feature`
    Output axes: the same, twice; positions are int32
    """

    kind = "sort"
    args = {
        "axis": a.axis("The axis to sort.", -1),
        "descending": a.boolean("Whether the largest value comes first.", False),
    }

    def kept(self, call: Call, axis: Axis) -> Size:
        return axis.size

    def is_descending(self, node: Node) -> bool:
        return bool(node.args["descending"])

    def why(self, node: Node) -> dict[str, str]:
        axis = node.inputs[0].axes[node.args["axis"] - 1]
        first = "largest" if self.is_descending(node) else "smallest"
        return {"axis": f"The values along {say.with_size(axis)} are sorted, the {first} first."}


class TopK(Ordering):
    """Selects the `k` largest values along an axis: `top_k: {k: 3, axis: class}`, the largest first.

    Two outputs: `NAME.values` (also as NAME), and `NAME.positions`, where they were: with `take_along`, these select
    from other values. Of equal values, the first is taken first. The mask is dropped.

    Input axes:  `batch time class`
    Output axes: `batch time class` with class `k`, twice; positions are int32
    """

    kind = "top_k"
    short = "k"
    args = {
        "k": a.integer("How many values to keep."),
        "axis": a.axis("The axis to select from.", -1),
    }

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        return {**schema, "type": ["object", "integer"], "minimum": 1}

    def kept(self, call: Call, axis: Axis) -> Size:
        count = int(call.args["k"])
        if isinstance(axis.size, int) and axis.size < count:
            call.fail(
                "NN370",
                f"`top_k` keeps {count} positions of `{axis.name}`, which has {say.with_count(axis.size, 'position')}",
                "k",
                about=[axis.name],
            )
        if not isinstance(axis.size, int) and count > 1:
            call.constraints.append(f"{axis.size} > {count - 1}")
        return count

    def is_descending(self, node: Node) -> bool:
        return True

    def why(self, node: Node) -> dict[str, str]:
        axis = node.inputs[0].axes[node.args["axis"] - 1]
        return {"k": f"The {node.args['k']} largest values along {say.with_size(axis)} are kept, the largest first."}


LAYERS = (Sort(), TopK())
