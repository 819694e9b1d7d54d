"""Hashing: maps words and integers to bins by a hash, without a vocabulary. Trains, but cannot be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir import axes as ax
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.export_limits import HASHES, refuse_export, warn_unexportable
from nnspec.layers.preprocessing.encoding import SPARSE, encoded_axes, output_mode

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor

_INSTEAD = "use `StringLookup` or `IntegerLookup` with a vocabulary"


class HashLayer(Layer):
    """Bins by a hash, then encoded."""

    makes = "category"
    reads_text = True
    needs_tensorflow = True

    def check(self, call: Call) -> None:
        for value in call.inputs:
            if not value.dtype.startswith(("int", "uint", "string")):
                call.fail(
                    "NN407",
                    f"`{self.kind}` needs words or integers, but `{value.node}` has dtype {value.dtype}",
                    about=[value.node],
                )

    def infer(self, call: Call) -> Inferred:
        self.check(call)
        warn_unexportable(call, HASHES, _INSTEAD)
        axes, windows = encoded_axes(call, call.args["output_mode"], call.args["num_bins"])
        return Inferred((axes,), ("int64" if call.args["output_mode"] == "int" else "float32",), windows=windows)

    def index_count(self, node: Node) -> int | None:
        return node.args["num_bins"] if node.args["output_mode"] == "int" else None

    def to_keras(self, node: Node) -> KerasCallable:
        """The bins alone: what Keras' own says of the shape of their vectors is not what it makes."""
        import keras

        given = {**self.keras_arguments(node), "output_mode": "int"}
        return getattr(keras.layers, self.kind)(name=keras_name(node.name), **given)  # type: ignore[no-any-return]

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        import keras

        bins = layer(tensors[0] if self.arity == (1, 1) else tensors)
        mode = node.args["output_mode"]
        if mode == "int":
            return bins
        return keras.layers.CategoryEncoding(node.args["num_bins"], output_mode=mode)(bins)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        refuse_export(node, HASHES, _INSTEAD)


class Hashing(HashLayer):
    """Maps words or integers to `num_bins` bins by a hash; different ones can share a bin.

    Trains, but cannot be exported to ONNX, which has no such hash (NN349).

    Input axes:  `batch …`, strings or integers; with multi_hot and count `batch element`
    Output axes: the same, int64; with one_hot `batch … category`, with multi_hot and count `batch category`, float32
    """

    kind = "Hashing"
    args = {
        "num_bins": a.integer("Number of bins, including the one for `mask_value`."),
        "mask_value": a.Arg(
            {"type": ["string", "integer", "null"]}, "The value assigned to bin 0, which is reserved for it.", None
        ),
        "salt": a.Arg(
            {"type": ["integer", "array", "null"], "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            "Key for SipHash; null: FarmHash.",
            None,
        ),
        "output_mode": output_mode(["int", "one_hot", "multi_hot", "count"], "int"),
        "sparse": SPARSE,
    }

    def check(self, call: Call) -> None:
        super().check(call)
        mask = call.args["mask_value"]
        if mask is not None and isinstance(mask, str) != (call.input.dtype == "string"):
            call.fail(
                "NN208", f"`mask_value` is `{mask}`, but `{call.input.node}` has dtype {call.input.dtype}", "mask_value"
            )


class HashedCrossing(HashLayer):
    """Maps each combination of two or more words or integers to one of `num_bins` bins by a hash.

    Trains, but cannot be exported to ONNX, which has no such hash (NN349).

    Input axes:  `batch one` each, of size 1, strings or integers
    Output axes: `batch one`, int64; with one_hot `batch category`, float32
    """

    kind = "HashedCrossing"
    arity = (2, None)
    args = {
        "num_bins": a.integer("Number of bins."),
        "output_mode": output_mode(["int", "one_hot"], "int"),
        "sparse": SPARSE,
    }

    def check(self, call: Call) -> None:
        super().check(call)
        for value in call.inputs:
            if len(value.axes) > 1 or any(axis.size != 1 for axis in value.axes):
                call.fail(
                    "NN310",
                    f"`HashedCrossing` crosses single values, but `{value.node}` has {ax.describe(value.axes)}",
                    notes=["each input has one axis, of size 1"],
                    about=[value.node, *value.axes],
                )
            if len(value.axes) != len(call.axes):
                call.fail("NN311", "`HashedCrossing` reads inputs of different axes")


LAYERS = (Hashing(), HashedCrossing())
