"""Discretization: maps numbers to bins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.normalization.rescaling import cast_to_float32
from nnspec.layers.preprocessing.encoding import SPARSE, encode, encoded_axes, output_mode
from nnspec.lazy import np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor


class Discretization(Layer):
    """Maps each value to the index of its bin: 0 below the first boundary; a boundary belongs to the bin above it.

    With `num_bins` the boundaries are quantiles of the training data, computed before training starts (Keras' `adapt`)
    and stored as weights.

    Input axes:  `batch …`, numbers; with multi_hot and count `batch element`
    Output axes: the same, int32; with one_hot `batch … category`, with multi_hot and count `batch category`, float32
    Weights:     with `num_bins`, not trained: boundaries (num_bins - 1)
    """

    kind = "Discretization"
    makes = "category"
    only_compares = True
    args = {
        "bin_boundaries": a.Arg(
            {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 1},
            "Boundaries between bins, ascending: n boundaries make n + 1 bins.",
            None,
        ),
        "num_bins": a.integer("Number of quantile bins to learn from the training data.", None, minimum=2),
        "epsilon": a.number("With `num_bins`, the error of the quantiles; smaller takes longer.", 0.01, above=0),
        "output_mode": output_mode(["int", "one_hot", "multi_hot", "count"], "int"),
        "sparse": SPARSE,
    }

    def infer(self, call: Call) -> Inferred:
        boundaries, bins = call.args["bin_boundaries"], call.args["num_bins"]
        if (boundaries is None) == (bins is None):
            which = "either `bin_boundaries` or `num_bins`"
            call.fail("NN208", f"`Discretization` takes {which}", "num_bins" if bins is not None else None)
        weights: tuple[Weight, ...] = ()
        if boundaries is None:
            weights = (Weight("boundaries", (bins - 1,), False),)
        elif list(boundaries) != sorted(boundaries):
            call.fail("NN206", f"`bin_boundaries` must ascend, but they are {list(boundaries)}", "bin_boundaries")
        axes, windows = encoded_axes(call, call.args["output_mode"], bins or len(boundaries) + 1)
        dtype = "int32" if call.args["output_mode"] == "int" else "float32"
        formula = f"{bins} - 1" if weights else ""
        return Inferred((axes,), (dtype,), weights=weights, formula=formula, windows=windows)

    def adapts(self, node: Node) -> bool:
        return bool(node.weights)

    def index_count(self, node: Node) -> int | None:
        if node.args["output_mode"] != "int":
            return None
        return node.args["num_bins"] or len(node.args["bin_boundaries"]) + 1

    def to_keras(self, node: Node) -> KerasCallable:
        from nnspec.backends.keras.layers.preprocessing import AdaptedBins

        if not node.weights:
            return super().to_keras(node)
        return AdaptedBins(node.args["num_bins"], node.args["epsilon"], name=keras_name(node.name))

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        import keras

        value = keras.ops.cast(tensors[0], "float32") if node.inputs[0].dtype != "float32" else tensors[0]
        made = layer(value)
        if not node.weights or node.args["output_mode"] == "int":
            return made
        return keras.layers.CategoryEncoding(node.args["num_bins"], output_mode=node.args["output_mode"])(made)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.builder import onnx_type

        view, mode = cast_to_float32(lowering, inputs[0]), node.args["output_mode"]
        given: np.ndarray | Sequence[float] = (
            lowering.weights["boundaries"] if node.weights else node.args["bin_boundaries"]
        )
        boundaries = np.asarray(given, np.float32)
        last = lowering.constant(np.asarray([-1], np.int64), "last")
        each = lowering.node("Unsqueeze", view.tensor, last)
        is_passed = lowering.node("GreaterOrEqual", each, lowering.constant(boundaries, "boundaries"))
        dtype = "int32" if mode == "int" else "int64"
        passed = lowering.node("Cast", is_passed, to=onnx_type(dtype))
        bins = replace(view, tensor=lowering.node("ReduceSum", passed, last, keepdims=0), dtype=dtype, mask=None)
        return [encode(lowering, bins, node, mode, len(boundaries) + 1)]


LAYERS = (Discretization(),)
