"""ScaleShift: a layer with weights, with everything that one of nnspec's own has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class ScaleShift(Layer):
    """Multiplies each feature by a weight of its own and adds another one.

    Input axes:  `batch … feature`
    Output axes: the same
    Weights:     `scale (feature)`, `shift (feature)`
    """

    kind = "ScaleShift"
    is_positionwise = True
    keras_class = "tests.support.plugins.scaleshift.keras_layer.KerasScaleShift"
    args = {"factor": a.number("A number that everything is multiplied by as well.", 1.0, above=0.0)}

    def from_keras(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The Keras class calls its number `by`."""
        return {**{key: value for key, value in config.items() if key != "by"}, "factor": config["by"]}

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        size = call.require_size(call.axes[-1], "a weight for each")
        weights = (Weight("scale", (size,)), Weight("shift", (size,)))
        return Inferred((call.axes,), weights=weights, formula=f"{size} + {size}", mask=call.input.mask)

    def why(self, node: Node) -> dict[str, str]:
        last = node.outputs[0].axes[-1]
        return {
            "": f"Every one of {last.size} of `{last.name}` has a scale and a shift of its own.",
            "scale": f"one for each of {last.size}",
            "shift": f"one for each of {last.size}",
        }

    def to_keras(self, node: Node) -> Callable[..., Any]:
        from tests.support.plugins.scaleshift.keras_layer import KerasScaleShift

        return KerasScaleShift(by=node.args["factor"], name=keras_name(node.name))

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        last = len(inputs[0].axes) - 1
        view = lowering.separable(inputs[0], [last])
        scale = lowering.weights["scale"] * node.args["factor"]
        view = lowering.elementwise("Mul", view, lowering.along(view, scale.astype("float32"), [last], "scale"))
        return [lowering.elementwise("Add", view, lowering.along(view, lowering.weights["shift"], [last], "shift"))]


class Backwards(ScaleShift):
    """Fails as it infers."""

    kind = "Backwards"

    def infer(self, call: Call) -> Inferred:
        raise ValueError("who knows")


class Mislabelled(ScaleShift):
    """Says that it has one weight, and has two."""

    kind = "Mislabelled"
    keras_class = ""  # ScaleShift's is imported as that

    def infer(self, call: Call) -> Inferred:
        return Inferred((call.axes,), weights=(Weight("scale", (3,)),))


class Unfinished(Layer):
    """Has no rule for axes."""

    kind = "Unfinished"


class Dense(ScaleShift):
    """Has a name that nnspec has."""

    kind = "Dense"
