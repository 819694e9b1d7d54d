"""A weight as a value: the same for every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir.graph import Node
from nnspec.layers.formulas.own_weights import PROPERTIES, declared, own_weight
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor, KerasVariable

NAME = "value"


class WeightVerb(Layer):
    """A weight as a value: `weight: {axes: {time: 10, feature: 8}}`, trained or constant, the same for every sample.

    Its input only sets the number of samples, and the size of axes that are null. Layers such as `Add`, `Concatenate`
    and `Dot` read it like any other value: position embeddings, a class token.

    Input axes:  `batch …`
    Output axes: `batch`, then those under `axes`
    Weights:     value, a table of rows along its first axis
    """

    kind = "weight"
    is_axis_operation = True
    reads_text = True
    uses_mask = True
    pairs_positions = False
    args = {
        name: a.Arg(
            {key: value for key, value in schema.items() if key != "description"},
            schema["description"],
            *([] if name == "axes" else [None]),
            **({"family": f"{name}s"} if "allOf" in schema else {}),
        )
        for name, schema in PROPERTIES.items()
    }

    def infer(self, call: Call) -> Inferred:
        body = {name: call.args[name] for name in PROPERTIES}
        known = {axis.name: axis for axis in call.axes}
        own = own_weight(call, NAME, body, known)
        return Inferred(
            (own.axes,),
            ("float32",),
            weights=(own.weight,),
            formula=own.formula,
            keras={"own": (own,)},
            is_constant=True,
        )

    def padding_behind(self, node: Node, value: float) -> float | None:
        return None

    def why(self, node: Node) -> dict[str, str]:
        (own,) = declared(node)
        what = "trained" if own.is_trainable else "constant"
        return {"": f"Gives {own.formula} {what} number{'s' if own.formula != '1' else ''}, the same for every sample."}

    def to_keras(self, node: Node) -> KerasCallable:
        from nnspec.backends.keras.layers.formulas import KerasFormula

        made: KerasLayer = KerasFormula(node)  # no layer but what holds one: `call_keras` knows it
        return made  # type: ignore[no-any-return]

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        return layer.for_every_sample(tensors[0])

    def keras_weights(self, layer: KerasLayer) -> list[KerasVariable]:
        return list(layer.variables)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.formulas.onnx_formula import lower_weight

        return [lower_weight(node, inputs[0], lowering)]


LAYERS = (WeightVerb(),)
