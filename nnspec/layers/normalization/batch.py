"""Normalizations whose statistics are fixed at inference: BatchNormalization and Normalization."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import lists
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Weight
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import check_channels
from nnspec.layers.kit.habits import SEPARATE_ACTIVATION
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Affine, Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasConfig, KerasLayer


class BatchNormalization(Layer):
    """Normalizes every channel to mean 0 and variance 1, then scales it by gamma and shifts it by beta.

    Training uses the statistics of the batch, inference their moving averages. In ONNX it is folded into a convolution
    or Dense directly before it.

    Input axes:  `batch … channel`
    Output axes: the same
    Weights:     gamma (channel), beta (channel); not trained: moving_mean (channel), moving_variance (channel)
    """

    kind = "BatchNormalization"
    normalizes = True
    mixes_samples = True
    habits = SEPARATE_ACTIVATION
    args = {
        "axis": a.axis("The channel axis; each channel has its own statistics.", -1),
        "momentum": a.number("Momentum of the moving averages.", 0.99, minimum=0, maximum=1),
        "epsilon": a.number("Added to the variance to avoid division by zero.", 1e-3, minimum=0),
        "center": a.boolean("Whether to add beta, a trained offset.", True),
        "scale": a.boolean("Whether to multiply by gamma, a trained scale.", True),
        "beta_initializer": a.initializer("shift", "zeros"),
        "gamma_initializer": a.initializer("scale", "ones"),
        "moving_mean_initializer": a.initializer("moving mean", "zeros"),
        "moving_variance_initializer": a.initializer("moving variance", "ones"),
        "beta_regularizer": a.regularizer("shift"),
        "gamma_regularizer": a.regularizer("scale"),
        "beta_constraint": a.constraint("shift"),
        "gamma_constraint": a.constraint("scale"),
        "renorm": a.boolean("Whether to use batch renormalization (Ioffe 2017).", False),
        "renorm_clipping": a.Arg(
            {
                "type": ["object", "null"],
                "properties": {
                    "rmax": {"type": "number", "description": "Largest ratio of deviations."},
                    "rmin": {"type": "number", "description": "Smallest ratio of deviations."},
                    "dmax": {"type": "number", "description": "Largest shift of the mean."},
                },
                "additionalProperties": False,
            },
            "Bounds of the correction: `rmax`, `rmin`, `dmax`.",
            None,
        ),
        "renorm_momentum": a.number("Momentum of the correction's own averages.", 0.99, minimum=0, maximum=1),
        "synchronized": a.boolean("Whether devices share batch statistics.", False),
    }

    def infer(self, call: Call) -> Inferred:
        call.require_float()
        place = call.axis_index(call.args["axis"], "axis")
        check_channels(call, place)
        size = call.require_size(call.axes[place], "it has statistics per position")
        if call.input.mask is not None and len(call.axes) != 2:
            call.require_rank(2, what=f"the masked `{call.input.mask}` and one of channels")
        names = [name for name, flag in (("gamma", "scale"), ("beta", "center")) if call.args[flag]]
        kept = ["moving_mean", "moving_variance"]
        if call.args["renorm"]:
            kept += ["moving_stddev", "renorm_mean", "renorm_stddev"]
        weights = [Weight(name, (size,)) for name in names] + [Weight(name, (size,), False) for name in kept]
        return Inferred(
            (call.axes,),
            weights=tuple(weights),
            formula=f"{len(weights)}·{size}",
            mask=call.input.mask,
            keras={"axis": place + 1},
        )

    def keras_arguments(self, node: Node) -> KerasConfig:
        """`synchronized` for TensorFlow alone: on JAX all devices share a batch, and Keras refuses it."""
        import keras

        arguments = super().keras_arguments(node)
        return arguments if keras.backend.backend() == "tensorflow" else {**arguments, "synchronized": False}

    def why(self, node: Node) -> dict[str, str]:
        channel = node.inputs[0].axes[node.args["axis"] - 1]
        each = f"one for each of {channel.size}"
        return {
            "axis": f"Each position of {say.with_size(channel)} has a separate mean and variance, over the batch "
            "and all other axes.",
            **{weight.name: each for weight in node.weights},
        }

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view, axis, weights = inputs[0], node.args["axis"], lowering.weights
        mean, variance = weights["moving_mean"], weights["moving_variance"]
        gamma, beta = weights.get("gamma", np.ones_like(mean)), weights.get("beta", np.zeros_like(mean))
        epsilon = float(node.args["epsilon"])
        scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
        shift = beta - mean * scale
        affine = lowering.affine.get(view.tensor)
        if affine is not None and lowering.is_sole_reader and _is_folded(lowering, view, axis, affine, scale, shift):
            return [view]
        group = view.axes[axis]
        if group and len(view.dims) > 1 and set(view.dims[1]) == set(group):
            order = [group.index(factor) for factor in view.dims[1]]
            vectors = [
                lowering.constant(_in_memory_order(view, axis, vector, order).astype(np.float32), name)
                for name, vector in (("gamma", gamma), ("beta", beta), ("mean", mean), ("variance", variance))
            ]
            return [lowering.elementwise("BatchNormalization", view, *vectors, epsilon=epsilon)]
        ready = lowering.separable(view, [axis])
        scaled = lowering.elementwise("Mul", ready, lowering.along(ready, scale.astype(np.float32), [axis], "scale"))
        return [lowering.elementwise("Add", scaled, lowering.along(ready, shift.astype(np.float32), [axis], "shift"))]


def _in_memory_order(view: View, axis: int, vector: np.ndarray, order: list[int]) -> np.ndarray:
    """A vector over an axis, in the order in which memory has the axis' factors."""
    sizes = [factor.size or 1 for factor in view.axes[axis]]
    return np.asarray(vector).reshape(sizes).transpose(order).reshape(-1)


def _is_folded(lowering: Lowering, view: View, axis: int, affine: Affine, scale: np.ndarray, shift: np.ndarray) -> bool:
    """Scales and shifts what an affine op makes, by changing its constants; False where the axis is not all its own."""
    outputs = view.dims[1] if affine.node.op in ("Conv", "ConvTranspose") else view.dims[-1]
    group = view.axes[axis]
    if not set(group) <= set(outputs) or (
        affine.bias is None and affine.node.op not in ("Conv", "ConvTranspose", "Gemm")
    ):
        return False
    # Over all the op's outputs: where the axis is a part of them, the others repeat it.
    sizes = [factor.size or 1 for factor in outputs]
    order = [group.index(factor) for factor in outputs if factor in group]
    kept = [factor.size or 1 if factor in group else 1 for factor in outputs]

    def spread(vector: np.ndarray) -> np.ndarray:
        part = _in_memory_order(view, axis, vector, order).reshape(kept)
        return affine.channels(np.broadcast_to(part, sizes).reshape(-1))

    factor, offset = spread(scale), spread(shift)
    constants = lowering.graph.constants
    weight = constants[affine.weight]
    constants[affine.weight] = np.ascontiguousarray(affine.scale(weight, factor.astype(weight.dtype)))
    if affine.bias is None:
        affine.bias = lowering.graph.own_constant(offset.astype(weight.dtype), f"{lowering.stem}/shift")
        affine.node.inputs.append(affine.bias)
    else:
        constants[affine.bias] = (constants[affine.bias] * factor + offset).astype(weight.dtype)
    return True


class Normalization(Layer):
    """(x - mean) / √variance, with statistics for each position of `axis`, set or computed from the training data.

    Without `mean` and `variance` they are computed over the training data before training starts (Keras' `adapt`).

    Input axes:  `batch … feature`
    Output axes: the same
    Weights:     not trained, and only where `mean` is not given: mean (feature), variance (feature), count ()
    """

    kind = "Normalization"
    normalizes = True
    is_scaling = True
    args = {
        "axis": a.Arg(
            {"type": ["string", "integer", "array", "null"], "items": {"type": ["string", "integer"]}},
            "The axis or axes with separate statistics per position; null: one mean and variance for all values.",
            -1,
        ),
        "mean": a.Arg({"type": ["number", "array", "null"]}, "The mean: one number, or one per position.", None),
        "variance": a.Arg({"type": ["number", "array", "null"]}, "The variance, likewise.", None),
        "invert": a.boolean("Whether to invert the normalization: x·√variance + mean.", False),
    }

    def infer(self, call: Call) -> Inferred:
        given = call.args["axis"]
        listed = [] if given is None else given if isinstance(given, list) else [given]
        places = sorted({call.axis_index(value, "axis") for value in listed})
        if len(listed) == 1 and not isinstance(listed[0], str):
            check_channels(call, places[0])
        shape = tuple(call.require_size(call.axes[i], "it has statistics per position") for i in places)
        self.check_statistics(call, shape)
        weights: tuple[Weight, ...] = ()
        formula = ""
        if call.args["mean"] is None:
            weights = (Weight("mean", shape, False), Weight("variance", shape, False), Weight("count", (), False))
            formula = f"2·{'·'.join(str(size) for size in shape) or 1} + 1"
        return Inferred(
            (call.axes,),
            ("float32",),
            weights=weights,
            formula=formula,
            mask=call.input.mask,
            keras={"axis": [place + 1 for place in places] or None},
        )

    def why(self, node: Node) -> dict[str, str]:
        own = [node.inputs[0].axes[place - 1] for place in node.args["axis"] or ()]
        if not own:
            return {"axis": "All values share one mean and one variance."}
        return {"axis": f"Each position of {lists.joined(map(say.with_size, own))} has a separate mean and variance."}

    def adapts(self, node: Node) -> bool:
        return bool(node.weights)

    def adapt(self, layer: KerasLayer, node: Node, data: np.ndarray) -> None:
        layer.adapt(data)
        kept = node.args["axis"] or ()
        empty = np.ma.getmaskarray(data).all(axis=tuple(i for i in range(data.ndim) if i not in kept))
        if empty.any():  # a step that no training row reaches is taken for any other
            layer.adapt_mean.assign(np.where(empty, data.mean(), layer.adapt_mean))
            layer.adapt_variance.assign(np.where(empty, data.var(), layer.adapt_variance))
            layer.finalize_state()

    def adapt_in_chunks(self, layer: KerasLayer, node: Node, read: Callable[[], Iterator[np.ndarray]]) -> None:
        from nnspec.data.prepare.streamed_fit import moments

        kept = node.args["axis"] or ()

        def numbers() -> Iterator[np.ndarray]:
            for chunk in read():
                yield np.ma.filled(np.ma.asarray(chunk, np.float64), np.nan)

        pooled = tuple(i for i in range(next(numbers()).ndim) if i not in kept)
        count, mean = moments(numbers, pooled)
        _, variance = moments(lambda: (np.square(chunk - mean) for chunk in numbers()), pooled)
        if not count.all():
            every = tuple(range(mean.ndim))
            _, whole = moments(numbers, every)
            _, spread = moments(lambda: (np.square(chunk - whole) for chunk in numbers()), every)
            mean, variance = np.where(count, mean, whole), np.where(count, variance, spread)
        layer.adapt_mean.assign(mean.reshape(layer.adapt_mean.shape))
        layer.adapt_variance.assign(variance.reshape(layer.adapt_variance.shape))
        layer.finalize_state()

    def padding_behind(self, node: Node, value: float) -> float | None:
        return value if node.args["mean"] == value == 0 else None

    def check_statistics(self, call: Call, shape: tuple[int, ...]) -> None:
        mean, variance = call.args["mean"], call.args["variance"]
        if (mean is None) != (variance is None):
            missing = "mean" if mean is None else "variance"
            call.fail("NN208", f"`Normalization` needs both `mean` and `variance`, but `{missing}` is missing")
        for name, value in (("mean", mean), ("variance", variance)):
            if value is None:
                continue
            try:
                array = np.asarray(value, dtype=np.float64)
                np.broadcast_to(array, shape)
            except (ValueError, TypeError):
                over = " × ".join(str(size) for size in shape) or "one number"
                call.fail(
                    "NN302",
                    f"`{name}` of `Normalization` does not match its axes, which need {over}",
                    name,
                    about=[name],
                )
        if mean is not None and np.shape(mean) != np.shape(variance):
            call.fail("NN302", f"`mean` has shape {np.shape(mean)} but `variance` {np.shape(variance)}", "variance")
        if variance is not None and np.min(variance) < 0:
            call.fail("NN206", "`variance` cannot be negative", "variance")

    def invert_scaling(self, node: Node, values: np.ndarray, weights: Mapping[str, np.ndarray]) -> np.ndarray | None:
        if node.weights and not weights:
            return None
        places = [i - 1 for i in node.args["axis"] or ()]
        shape = [(ax.known_size(axis.size) or 1) if i in places else 1 for i, axis in enumerate(node.inputs[0].axes)]
        mean, deviation = (statistic.reshape(shape) for statistic in _statistics(node, weights))
        undone: np.ndarray = (values - mean) / deviation if node.args["invert"] else values * deviation + mean
        return undone

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.backends.onnx.builder import onnx_type

        view, axes = inputs[0], list(node.args["axis"] or ())
        if view.dtype != "float32":
            view = replace(lowering.elementwise("Cast", view, to=onnx_type("float32")), dtype="float32")
        mean, deviation = _statistics(node, lowering.weights)
        ready = lowering.separable(view, axes)
        mean_name = lowering.along(ready, mean, axes, "mean")
        deviation_name = lowering.along(ready, deviation, axes, "deviation")
        if node.args["invert"]:
            return [lowering.elementwise("Add", lowering.elementwise("Mul", ready, deviation_name), mean_name)]
        return [lowering.elementwise("Div", lowering.elementwise("Sub", ready, mean_name), deviation_name)]


def _statistics(node: Node, weights: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of a Normalization, one for each position of its axes."""
    shape = [ax.known_size(node.inputs[0].axes[i - 1].size) or 1 for i in node.args["axis"] or ()]
    mean, variance = (
        np.broadcast_to(np.asarray(weights[name] if node.weights else node.args[name], np.float32), shape)
        for name in ("mean", "variance")
    )
    return mean, np.maximum(np.sqrt(variance), np.float32(1e-7))


LAYERS = (BatchNormalization(), Normalization())
