"""Normalizations by the statistics of each sample: layer, root mean square, unit length, group."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from nnspec.backends.onnx.ops.placement import dims_over_axes, move_together_last
from nnspec.backends.onnx.ops.reductions import has_many, reduce_over
from nnspec.diagnostics import Fix, lists
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, Window
from nnspec.layers.kit.contracts import check_channels
from nnspec.layers.kit.habits import SEPARATE_ACTIVATION, Hint
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


class AxisNormalization(Layer):
    """Base of normalization by sample statistics, over one axis or several."""

    weight_names: ClassVar[tuple[str, ...]] = ()
    passes_mask: ClassVar[bool] = True

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        given = call.args["axis"]
        places = sorted({call.axis_index(v, "axis") for v in (given if isinstance(given, list) else [given])})
        names = self.weights_of(call)
        shape = (
            tuple(call.require_size(call.axes[i], "it has a weight for each position") for i in places) if names else ()
        )
        return Inferred(
            (call.axes,),
            weights=tuple(Weight(name, shape) for name in names),
            formula=f"{len(names)}·{'·'.join(str(size) for size in shape)}" if names else "",
            windows=dict.fromkeys(places, WHOLE),
            mask=call.input.mask if self.passes_mask else None,
            keras={"axis": [place + 1 for place in places]},
        )

    def why(self, node: Node) -> dict[str, str]:
        given = node.args["axis"]
        places = [place - 1 for place in (given if isinstance(given, list) else [given])]
        axes = node.inputs[0].axes
        over = lists.joined(say.with_size(axes[place]) for place in places)
        rest = [axis.name for i, axis in enumerate(axes) if i not in places]
        own = f", for each position of {lists.quoted(rest)} separately" if rest else ""
        each = lists.quoted(axes[place].name for place in places)
        weight = f"one for each position of {each}"
        return {"axis": f"Statistics are computed over {over}, for each sample{own}.", "gamma": weight, "beta": weight}

    def weights_of(self, call: Call) -> list[str]:
        return list(self.weight_names)


def _shift_and_scale() -> dict[str, a.Arg]:
    return {
        "center": a.boolean("Whether to add beta, a trained offset.", True),
        "scale": a.boolean("Whether to multiply by gamma, a trained scale.", True),
        "beta_initializer": a.initializer("shift", "zeros"),
        "gamma_initializer": a.initializer("scale", "ones"),
        "beta_regularizer": a.regularizer("shift"),
        "gamma_regularizer": a.regularizer("scale"),
        "beta_constraint": a.constraint("shift"),
        "gamma_constraint": a.constraint("scale"),
    }


def _in_memory_order(view: View, axes: list[int], array: np.ndarray) -> np.ndarray:
    """An array over these axes as a vector over their factors in memory order."""
    factors = [factor for axis in axes for factor in view.axes[axis]]
    wanted = set(factors)
    order = [factors.index(factor) for factor in view.order if factor in wanted]
    return array.reshape([factor.size or 1 for factor in factors]).transpose(order).reshape(-1)


class LayerNormalization(AxisNormalization):
    """Normalizes every sample along `axis` to mean 0 and variance 1, then scales it by gamma and shifts it by beta.

    Each position of the other axes has separate statistics.

    Input axes:  `batch … feature`
    Output axes: the same
    Weights:     gamma (feature), beta (feature); of all of `axis` where it names several
    """

    kind = "LayerNormalization"
    normalizes = True
    habits = {
        **SEPARATE_ACTIVATION,
        "rms_scaling": Hint("for RMS scaling, use the layer `RMSNormalization`"),
    }
    args = {
        "axis": a.axis_list("The axis or axes to normalize over.", -1),
        "epsilon": a.number("Added to the variance to avoid division by zero.", 1e-3, minimum=0),
        **_shift_and_scale(),
    }

    def weights_of(self, call: Call) -> list[str]:
        return [name for name, flag in (("gamma", "scale"), ("beta", "center")) if call.args[flag]]

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        axes = node.args["axis"]
        ready, group = move_together_last(lowering, inputs[0], axes)
        if any(factor.size is None for factor in group):
            return [self.by_steps(node, inputs[0], lowering)]
        count = math.prod(factor.size or 1 for factor in group)
        weights = {name: _in_memory_order(ready, axes, value) for name, value in lowering.weights.items()}
        gamma = lowering.constant(weights.get("gamma", np.ones(count, ready.dtype)), "gamma")
        beta = [lowering.constant(weights["beta"], "beta")] if "beta" in weights else []
        epsilon = float(node.args["epsilon"])
        return [lowering.elementwise("LayerNormalization", ready, gamma, *beta, axis=-1, epsilon=epsilon)]

    def by_steps(self, node: Node, view: View, lowering: Lowering) -> View:
        """Over an axis of unknown length, which has no weights, there is nothing that the op could take as a scale."""
        ready, dims = dims_over_axes(lowering, view, node.args["axis"])
        return standardize(lowering, ready, dims, float(node.args["epsilon"]))


def standardize(lowering: Lowering, view: View, dims: list[int], epsilon: float) -> View:
    """(x - mean) / √(variance + epsilon) over some of the view's dimensions."""
    mean = reduce_over(lowering, "ReduceMean", view.tensor, dims, view.dims, keepdims=1)
    centred = lowering.node("Sub", view.tensor, mean)
    squares = lowering.node("Mul", centred, centred)
    variance = reduce_over(lowering, "ReduceMean", squares, dims, view.dims, keepdims=1)
    shifted = lowering.node("Add", variance, lowering.scalar(epsilon, view.dtype))
    return replace(view, tensor=lowering.node("Div", centred, lowering.node("Sqrt", shifted)))


class RMSNormalization(AxisNormalization):
    """Divides every sample along `axis` by the root of its mean square, then scales it.

    Input axes:  `batch … feature`
    Output axes: the same
    Weights:     scale (feature)
    """

    kind = "RMSNormalization"
    normalizes = True
    weight_names = ("scale",)
    passes_mask = False  # as in Keras
    args = {
        "axis": a.axis_list("The axis or axes to normalize over.", -1),
        "epsilon": a.number("Added to the mean square to avoid division by zero.", 1e-6, minimum=0),
    }

    def to_keras(self, node: Node) -> KerasCallable:
        places, rank = node.args["axis"], len(node.inputs[0].axes)
        if places == list(range(rank - len(places) + 1, rank + 1)):
            return super().to_keras(node)
        from nnspec.backends.keras.layers.axes import InnerRMSNormalization

        return InnerRMSNormalization(name=keras_name(node.name), **self.keras_arguments(node))

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        axes = node.args["axis"]
        if lowering.graph.opset >= 23:
            ready, _ = move_together_last(lowering, inputs[0], axes)
            scale = lowering.constant(_in_memory_order(ready, axes, lowering.weights["scale"]), "scale")
            epsilon = float(node.args["epsilon"])
            return [lowering.elementwise("RMSNormalization", ready, scale, axis=-1, epsilon=epsilon)]
        ready, dims = dims_over_axes(lowering, inputs[0], axes)
        square = lowering.node("Mul", ready.tensor, ready.tensor)
        mean = square
        if dims:
            mean = reduce_over(lowering, "ReduceMean", square, dims, ready.dims, keepdims=1)
        root = lowering.node("Sqrt", lowering.node("Add", mean, lowering.scalar(node.args["epsilon"], ready.dtype)))
        scale = lowering.along(ready, lowering.weights["scale"], axes, "scale")
        return [lowering.elementwise("Mul", lowering.elementwise("Div", ready, root), scale)]


class UnitNormalization(AxisNormalization):
    """Divides every sample along `axis` by its Euclidean norm.

    Input axes:  `batch … feature`
    Output axes: the same
    """

    kind = "UnitNormalization"
    normalizes = True
    args = {"axis": a.axis_list("The axis or axes to normalize to length 1.", -1)}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [scale_to_unit_length(lowering, inputs[0], node.args["axis"], 1e-12)]


def scale_to_unit_length(lowering: Lowering, view: View, axes: list[int], epsilon: float) -> View:
    """x / max(‖x‖, epsilon) over some of the view's axes."""
    ready, dims = dims_over_axes(lowering, view, axes)
    if dims:
        squares = lowering.node("Mul", ready.tensor, ready.tensor)
        squares = reduce_over(lowering, "ReduceSum", squares, dims, ready.dims, keepdims=1)
        length = lowering.node("Sqrt", squares)
    else:
        length = lowering.node("Abs", ready.tensor)
    floor = lowering.node("Max", length, lowering.scalar(epsilon, view.dtype))
    return lowering.elementwise("Div", ready, floor)


class GroupNormalization(Layer):
    """Normalizes groups of channels, over all positions, to mean 0 and variance 1; gamma and beta for each channel.

    Input axes:  `batch … channel`
    Output axes: the same
    Weights:     gamma (channel), beta (channel)
    """

    short = "groups"
    kind = "GroupNormalization"
    normalizes = True
    args = {
        "groups": a.Arg({"type": "integer", "minimum": -1}, "Number of groups; -1: one per channel.", 32),
        "axis": a.axis("The channel axis.", -1),
        "epsilon": a.number("Added to the variance to avoid division by zero.", 1e-3, minimum=0),
        **_shift_and_scale(),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        place = call.axis_index(call.args["axis"], "axis")
        check_channels(call, place)
        size = call.require_size(call.axes[place], "it has a scale and shift per channel")
        groups = size if call.args["groups"] == -1 else call.args["groups"]
        if groups < 1 or size % groups:
            call.fail(
                "NN315",
                f"`GroupNormalization` cannot divide {size} channels into {groups} groups",
                "groups",
                fixes=[Fix(f"set `groups` to a divisor of {size}: {say.divisors(size)}")],
            )
        names = [name for name, flag in (("gamma", "scale"), ("beta", "center")) if call.args[flag]]
        others: dict[int, Window] = dict.fromkeys(range(len(call.axes)), WHOLE)
        return Inferred(
            (call.axes,),
            weights=tuple(Weight(name, (size,)) for name in names),
            formula=f"{len(names)}·{size}" if names else "",
            windows=others,
            mask=call.input.mask,
            keras={"axis": place + 1, "groups": groups},
        )

    def why(self, node: Node) -> dict[str, str]:
        channels, groups = node.inputs[0].axes[node.args["axis"] - 1], node.args["groups"]
        assert isinstance(channels.size, int)
        cut = f"{say.with_count(groups, 'group')} of {say.with_count(channels.size // groups, 'position')}"
        weight = f"one for each position of `{channels.name}`"
        return {
            "groups": f"{cut} of `{channels.name}`, each with separate statistics.",
            "axis": f"{say.with_size(channels)} is the channel axis.",
            "gamma": weight,
            "beta": weight,
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        axis, groups = node.args["axis"], node.args["groups"]
        spec = node.inputs[0].axes
        size = spec[axis - 1].size
        assert isinstance(size, int)
        cut = (
            *spec[: axis - 1],
            Axis(name="group", size=groups, atoms=()),
            Axis(name="member", size=size // groups, atoms=()),
            *spec[axis:],
        )
        view = lowering.rebracketed(inputs[0], cut)
        first, inside = view.axes[0], set(view.axes[axis])
        rest = tuple(f for f in view.order if f not in inside and f not in first)
        epsilon = float(node.args["epsilon"])
        each = tuple((factor,) for factor in rest)
        if has_many(each):  # runtimes' InstanceNormalization makes 3e-3 of 128 × 128 equal values
            ready = lowering.arrange(view, (first, view.axes[axis], *each))
            normal = standardize(lowering, ready, list(range(2, len(ready.dims))), epsilon)
        else:
            ready = lowering.arrange(view, (first, view.axes[axis], rest))
            one = lowering.constant(np.ones(groups, view.dtype), "ones")
            zero = lowering.constant(np.zeros(groups, view.dtype), "zeros")
            normal = lowering.elementwise("InstanceNormalization", ready, one, zero, epsilon=epsilon)
        joined = (*view.axes[:axis], (*view.axes[axis], *view.axes[axis + 1]), *view.axes[axis + 2 :])
        result = lowering.arrange(normal, view.dims).with_axes(joined)
        for op, name in (("Mul", "gamma"), ("Add", "beta")):
            if name in lowering.weights:
                result = lowering.separable(result, [axis])
                result = lowering.elementwise(op, result, lowering.along(result, lowering.weights[name], [axis], name))
        return [result]


LAYERS = (LayerNormalization(), RMSNormalization(), UnitNormalization(), GroupNormalization())
