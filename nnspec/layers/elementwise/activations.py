"""Activation functions as layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.activations import activate, activation_windows, clip, softmax
from nnspec.backends.onnx.ops.placement import broadcast_mask
from nnspec.diagnostics import lists
from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, is_deep
from nnspec.layers.kit.habits import keras_word

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor

LEAST = -1e9  # what Keras' Softmax takes for a score that is masked; backends/keras/layers/masked_softmax.py too


class Elementwise(Layer):
    """An elementwise function: keeps axes and mask."""

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        return Inferred((call.axes,), mask=call.input.mask)


class Activation(Elementwise):
    """Applies an activation function by name. `softmax` and `log_softmax` run along the last axis.

    Input axes:  `batch …`
    Output axes: the same
    """

    kind = "Activation"
    is_positionwise = True
    args = {
        "activation": a.Arg(
            {"allOf": [{"$ref": "#/definitions/activation"}]}, "The activation function.", a.REQUIRED, "activations"
        )
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        windows = activation_windows(call.axes, call.args["activation"])
        return Inferred((call.axes,), windows=windows, mask=call.input.mask)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [activate(lowering, inputs[0], node.args["activation"])]


class ReLU(Elementwise):
    """Rectified linear unit: x above `threshold`, limited to `max_value`; below it `negative_slope`·(x - threshold).

    Input axes:  `batch …`
    Output axes: the same
    """

    short = "max_value"
    kind = "ReLU"
    own_activation = "relu"
    is_positionwise = True
    args = {
        "max_value": a.number("The largest output; default: no limit.", None, minimum=0),
        "negative_slope": a.number("Slope below the threshold.", 0.0, minimum=0),
        "threshold": a.number("Values up to the threshold are treated as negative.", 0.0, minimum=0),
    }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        most, slope, threshold = (node.args[name] for name in ("max_value", "negative_slope", "threshold"))
        if not threshold and slope:
            return [clip(lowering, lowering.elementwise("LeakyRelu", view, alpha=float(slope)), None, most)]
        if not threshold:
            return [lowering.elementwise("Relu", view) if most is None else clip(lowering, view, 0.0, most)]
        above = clip(lowering, lowering.elementwise("ThresholdedRelu", view, alpha=float(threshold)), None, most)
        if not slope:
            return [above]
        distance = lowering.node("Sub", lowering.scalar(threshold, view.dtype), view.tensor)
        below = lowering.node("Mul", lowering.node("Relu", distance), lowering.scalar(slope, view.dtype))
        return [lowering.elementwise("Sub", above, below)]


class LeakyReLU(Elementwise):
    """Leaky rectified linear unit: x above 0, `negative_slope`·x below.

    Input axes:  `batch …`
    Output axes: the same
    """

    short = "negative_slope"
    kind = "LeakyReLU"
    habits = {"alpha": keras_word("negative_slope")}
    own_activation = "leakyrelu"
    is_positionwise = True
    args = {"negative_slope": a.number("Slope below 0.", 0.3, minimum=0)}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [lowering.elementwise("LeakyRelu", inputs[0], alpha=float(node.args["negative_slope"]))]


class ELU(Elementwise):
    """Exponential linear unit: x above 0, `alpha`·(exp(x) - 1) below.

    Input axes:  `batch …`
    Output axes: the same
    """

    short = "alpha"
    kind = "ELU"
    own_activation = "elu"
    is_positionwise = True
    args = {"alpha": a.number("The negated limit for large negative inputs.", 1.0)}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [lowering.elementwise("Elu", inputs[0], alpha=float(node.args["alpha"]))]


class PReLU(Elementwise):
    """Parametric rectified linear unit: x above 0, alpha·x below; one trained alpha per position of the unshared axes.

    Input axes:  `batch height width channel`
    Output axes: the same
    Weights:     alpha (height, width, channel), with 1 for each of `shared_axes`
    """

    kind = "PReLU"
    args = {
        "alpha_initializer": a.initializer("slope", "zeros"),
        "alpha_regularizer": a.regularizer("slope"),
        "alpha_constraint": a.constraint("slope"),
        "shared_axes": a.Arg(
            {"type": ["string", "integer", "array", "null"], "items": {"type": ["string", "integer"]}, "minItems": 1},
            "Axes along which slopes are shared, by name or by Keras' index.",
            None,
        ),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        given = call.args["shared_axes"]
        listed = [] if given is None else given if isinstance(given, list) else [given]
        shared = sorted({call.axis_index(value, "shared_axes") for value in listed})
        shape = tuple(
            1
            if i in shared
            else call.require_size(axis, "it has one slope per position; or list the axis in `shared_axes`")
            for i, axis in enumerate(call.axes)
        )
        return Inferred(
            (call.axes,),
            weights=(Weight("alpha", shape),),
            formula="·".join(str(size) for size in shape),
            mask=call.input.mask,
            keras={"shared_axes": [i + 1 for i in shared] or None},
        )

    def why(self, node: Node) -> dict[str, str]:
        axes, shared = node.inputs[0].axes, node.args["shared_axes"] or []
        own = [axis.name for i, axis in enumerate(axes, 1) if i not in shared]
        told = {"alpha": f"one slope for each position of {lists.quoted(own)}" if own else "one slope for all"}
        if shared:
            told["shared_axes"] = (
                f"All positions of {lists.joined(say.with_size(axes[i - 1]) for i in shared)} share one."
            )
        return told

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        shared = node.args["shared_axes"] or []
        axes = [i for i in range(1, len(inputs[0].axes)) if i not in shared]
        ready = lowering.separable(inputs[0], axes)
        slopes = lowering.broadcastable(ready, lowering.weights["alpha"], axes)
        if slopes.size == 1:
            return [lowering.elementwise("LeakyRelu", ready, alpha=float(slopes.reshape(-1)[0]))]
        # PRelu takes ONNX Runtime up to 25 times as long, and many others know but a slope a channel. One part is 0.
        below = lowering.node("Min", ready.tensor, lowering.scalar(0.0, ready.dtype))
        below = lowering.node("Mul", below, lowering.constant(slopes, "alpha"))
        above = lowering.node("Relu", ready.tensor)
        return [replace(ready, tensor=lowering.node("Add", above, below))]


class Softmax(Layer):
    """Softmax along an axis: exp(x) / Σ exp(x), positive values that sum to 1.

    Along a masked axis, padding gets 0 and the rest sums to 1. Attention pooling leaves padding out that way: a score
    for each step, `Softmax: {axis: time}`, and the sum of the steps weighted by it.

    Input axes:  `batch … class`
    Output axes: the same
    """

    short = "axis"
    kind = "Softmax"
    habits = {"dim": keras_word("axis")}
    own_activation = "softmax"
    args = {"axis": a.axis_list("The axis or axes to normalize over; values along them sum to 1.", -1)}

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        given = call.args["axis"]
        places = sorted({call.axis_index(v, "axis") for v in (given if isinstance(given, list) else [given])})
        mask = call.input.mask
        return Inferred(
            (call.axes,),
            windows=dict.fromkeys(places, WHOLE),
            mask=mask,
            is_zero_at_padding=mask is not None and mask in [call.axes[place].name for place in places],
            keras={"axis": [place + 1 for place in places] if len(places) > 1 else places[0] + 1},
        )

    def why(self, node: Node) -> dict[str, str]:
        given = node.args["axis"]
        places = [place - 1 for place in (given if isinstance(given, list) else [given])]
        axes = node.inputs[0].axes
        rest = [axis.name for i, axis in enumerate(axes) if i not in places]
        own = f", for each position of {lists.quoted(rest)} separately" if rest else ""
        return {
            "axis": f"Over {lists.joined(say.with_size(axes[place]) for place in places)} the values sum to 1{own}."
        }

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        if isinstance(node.args["axis"], int) and is_deep(node.inputs[0].axes):
            from nnspec.backends.keras.layers.axes import DeepSoftmax

            return DeepSoftmax(name=keras_name(node.name), **self.keras_arguments(node))
        is_beside = node.inputs[0].mask is not None and not node.outputs[0].is_zero_at_padding
        if is_beside and node.args["axis"] == len(node.inputs[0].axes):  # a mask that Keras' Softmax would apply
            return keras.layers.Activation("softmax", name=keras_name(node.name))  # type: ignore[no-any-return]
        return super().to_keras(node)

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        import keras

        (scores,) = tensors
        if node.inputs[0].mask is None or isinstance(layer, keras.layers.Activation):
            return layer(scores)
        from keras.src.backend import get_keras_mask

        from nnspec.backends.keras.layers.masked_softmax import softmax_beside_mask, softmax_with_mask

        call = softmax_with_mask if node.outputs[0].is_zero_at_padding else softmax_beside_mask
        return call(layer, scores, get_keras_mask(scores))

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view, axis = inputs[0], node.args["axis"]
        if view.mask is None or not node.outputs[0].is_zero_at_padding:
            return [softmax(lowering, view, axis)]
        step = 1 + len(node.inputs[0].outer)
        ready = lowering.separable(view, range(step + 1))
        shown = broadcast_mask(lowering, ready, step, view.mask)
        least = lowering.scalar(LEAST, view.dtype)
        scores = replace(ready, tensor=lowering.node("Where", shown, ready.tensor, least))
        made = lowering.separable(softmax(lowering, scores, axis), range(step + 1))
        shown = broadcast_mask(lowering, made, step, view.mask)
        return [replace(made, tensor=lowering.node("Where", shown, made.tensor, lowering.scalar(0.0, view.dtype)))]


LAYERS = (Activation(), ReLU(), LeakyReLU(), ELU(), PReLU(), Softmax())
