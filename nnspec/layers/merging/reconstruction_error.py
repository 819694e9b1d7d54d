"""How far a reconstruction is from what it reconstructs: the anomaly score of an autoencoder.

No kind that a spec names: `nnspec.inference.anomalies` puts it behind an output with `task: anomaly`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.reductions import reduce_over
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor

SQUARED, ABSOLUTE = "squared", "absolute"


class ReconstructionError(Layer):
    """The mean squared or absolute error along axes, over the steps that are not padding.

    Input axes:  `batch time feature` of the reconstruction, and those of the input in any order
    Output axes: those that are left, or `score` of 1
    """

    kind = "reconstruction_error"
    arity = (2, 2)

    def __init__(
        self, order: Sequence[int], reduced: Sequence[int], error: str, step: int | None, pad_value: float
    ) -> None:
        """
        Args:
            order: for each axis of the reconstruction the input's, batch left out.
            reduced: the axes of the reconstruction that the mean is taken along.
            step: the axis of it that padding runs along; None where nothing is padded.
            pad_value: steps of the input that hold nothing else are padding.
        """
        self.order, self.reduced, self.error = tuple(order), tuple(reduced), error
        self.step, self.pad_value = step, pad_value

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        left = tuple(axis for i, axis in enumerate(call.axes) if i not in self.reduced)
        made = left or (ax.fresh("score", 1, call.name),)
        return Inferred((made,), windows=dict.fromkeys(self.reduced, WHOLE))

    def beside(self, node: Node) -> int:
        """How many values of one step the mean is taken over."""
        sizes = [node.inputs[0].axes[i].size for i in self.reduced if i != self.step]
        return math.prod(size for size in sizes if isinstance(size, int))

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        rank = len(node.inputs[0].axes)
        axes = tuple(1 + i for i in self.reduced)
        others = tuple(1 + i for i in range(rank) if i != self.step)

        def measure(tensors: Sequence[KerasTensor]) -> KerasTensor:
            said, read = tensors[0], ops.transpose(tensors[1], (0, *(1 + i for i in self.order)))
            apart = said - read
            wrong = ops.square(apart) if self.error == SQUARED else ops.absolute(apart)
            if self.step is None:
                found = ops.mean(wrong, axis=axes)
            else:
                is_data = ops.any(ops.not_equal(read, self.pad_value), axis=others, keepdims=True)
                counted = ops.cast(is_data, wrong.dtype)
                count = ops.sum(counted, axis=axes) * float(self.beside(node))
                found = ops.sum(wrong * counted, axis=axes) / ops.maximum(count, 1.0)
            return ops.expand_dims(found, -1) if len(axes) == rank else found

        made: KerasCallable = measure
        return made

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        said, given = lowering.canonical(inputs[0]), inputs[1]
        moved = (given.axes[0], *(given.axes[1 + i] for i in self.order))
        read = lowering.canonical(replace(given, axes=moved)).tensor
        apart = lowering.node("Sub", said.tensor, read)
        squared = self.error == SQUARED
        wrong = lowering.node("Mul", apart, apart) if squared else lowering.node("Abs", apart)
        if self.step is None:
            dims = [1 + i for i in self.reduced]
            tensor = reduce_over(lowering, "ReduceMean", wrong, dims, said.dims, keepdims=0)
        else:
            tensor = self.counted_mean(node, lowering, read, replace(said, tensor=wrong))
        left = [group for i, group in enumerate(said.axes) if i == 0 or i - 1 not in self.reduced]
        view = replace(said, tensor=tensor, dims=tuple(left), axes=tuple(left), mask=None)
        if len(left) > 1:
            return [view]
        return [replace(lowering.arrange(view, (*view.dims, ())), axes=(*view.axes, ()))]

    def counted_mean(self, node: Node, lowering: Lowering, read: str, wrong: View) -> str:
        rank = len(node.inputs[0].axes)
        others = [1 + i for i in range(rank) if i != self.step]
        is_pad = lowering.node("Cast", lowering.node("Equal", read, lowering.scalar(self.pad_value)), to=1)
        whole = is_pad
        if others:
            places = lowering.constant(np.asarray(others, np.int64), "axes")
            whole = lowering.node("ReduceMin", is_pad, places, keepdims=1)
        counted = lowering.node("Sub", lowering.scalar(1.0), whole)
        dims = [1 + i for i in self.reduced]
        kept = lowering.node("Mul", wrong.tensor, counted)
        total = reduce_over(lowering, "ReduceSum", kept, dims, wrong.dims, keepdims=0)
        count = lowering.node("ReduceSum", counted, lowering.constant(np.asarray(dims, np.int64), "axes"), keepdims=0)
        count = lowering.node("Mul", count, lowering.scalar(float(self.beside(node))))
        return lowering.node("Div", total, lowering.node("Max", count, lowering.scalar(1.0)))
