"""Keras layers that Keras lacks: reshapes with several unknown sizes, weights along inner axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
from keras import ops

if TYPE_CHECKING:
    from nnspec.backends.types import KerasCallable, KerasConfig, KerasLayer, KerasShape, KerasTensor, Tensor


def _to_shape(shape: KerasShape) -> KerasShape:
    return tuple(None if size is None else int(size) for size in shape)


@keras.saving.register_keras_serializable("nnspec")
class SymbolicReshape(keras.layers.Layer):  # type: ignore[misc]
    """A reshape whose unknown output sizes are sizes of the input.

    Args:
        before: the input's sizes as text, for the reader.
        recipe: an output axis each (batch left out): a number; `{"axis": i}` for the size of input axis i (batch is 0),
            divided by `over` where that is given; or -1, once, for what is left.
    """

    def __init__(self, before: Sequence[str], recipe: Sequence[int | dict[str, int]], **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.before = list(before)
        self.recipe = list(recipe)

    def _sizes(self, shape: Sequence[Tensor]) -> list[Tensor]:
        return [r if isinstance(r, int) else shape[r["axis"]] // r.get("over", 1) for r in self.recipe]

    def call(self, inputs: KerasTensor) -> KerasTensor:
        shape = ops.shape(inputs)
        return ops.reshape(inputs, (shape[0], *self._sizes(shape)))

    def compute_output_shape(self, input_shape: KerasShape) -> KerasShape:
        sizes: list[int | None] = []
        for rule in self.recipe:
            if isinstance(rule, int):
                sizes.append(None if rule == -1 else rule)
            else:
                size = input_shape[rule["axis"]]
                sizes.append(None if size is None else size // rule.get("over", 1))
        return (input_shape[0], *sizes)

    def get_config(self) -> KerasConfig:
        return {**super().get_config(), "before": self.before, "recipe": self.recipe}


@keras.saving.register_keras_serializable("nnspec")
class FoldIntoBatch(keras.layers.Layer):  # type: ignore[misc]
    """Makes the first axis part of batch: (batch, step, …) to (batch · step, …). A mask along it ends here."""

    supports_masking = True

    def compute_mask(self, inputs: KerasTensor, previous_mask: KerasTensor) -> None:
        return None

    def call(self, inputs: KerasTensor) -> KerasTensor:
        shape = ops.shape(inputs)
        return ops.reshape(inputs, (shape[0] * shape[1], *shape[2:]))

    def compute_output_shape(self, input_shape: KerasShape) -> KerasShape:
        batch, step, *rest = _to_shape(input_shape)
        return (None if batch is None or step is None else batch * step, *rest)


@keras.saving.register_keras_serializable("nnspec")
class UnfoldFromBatch(keras.layers.Layer):  # type: ignore[misc]
    """Takes the axis that was folded into batch out of it again, with its mask; reads what was made, and of what."""

    supports_masking = True

    def compute_mask(self, inputs: KerasTensor, previous_mask: KerasTensor) -> KerasTensor:
        return previous_mask[1]

    def call(self, inputs: KerasTensor) -> KerasTensor:
        made, whole = inputs
        sizes = ops.shape(whole)
        return ops.reshape(made, (sizes[0], sizes[1], *ops.shape(made)[1:]))

    def compute_output_shape(self, input_shape: Sequence[KerasShape]) -> KerasShape:
        made, whole = (_to_shape(shape) for shape in input_shape)
        return (whole[0], whole[1], *made[1:])


@keras.saving.register_keras_serializable("nnspec")
class WithMaskOf(keras.layers.Layer):  # type: ignore[misc]
    """The first of two values with the mask of the second."""

    supports_masking = True

    def call(self, inputs: KerasTensor) -> KerasTensor:
        return ops.copy(inputs[0])

    def compute_mask(self, inputs: KerasTensor, previous_mask: KerasTensor) -> KerasTensor:
        return previous_mask[1]

    def compute_output_shape(self, input_shape: Sequence[KerasShape]) -> KerasShape:
        return input_shape[0]


@keras.saving.register_keras_serializable("nnspec")
class OneStep(keras.layers.Wrapper):  # type: ignore[misc]
    """A recurrent cell by itself whose dropout is drawn anew at every call.

    Keras' cells keep theirs until the RNN around them takes it away.
    """

    def call(self, inputs: KerasTensor, states: KerasTensor, training: bool | None = None) -> KerasTensor:
        for cell in getattr(self.layer, "cells", [self.layer]):
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return self.layer(inputs, states, training=training)


@keras.saving.register_keras_serializable("nnspec")
class InnerRMSNormalization(keras.layers.RMSNormalization):  # type: ignore[misc]
    """RMSNormalization over axes that are not the last: Keras' own multiplies its scale along the last ones there."""

    def call(self, x: KerasTensor) -> KerasTensor:
        shape = [x.shape[i] if i in self.axis else 1 for i in range(len(x.shape))]
        normal = ops.rms_normalization(x, axis=self.axis, epsilon=self.epsilon)
        return normal * ops.reshape(self.scale, shape)


MOST_AXES = 5  # batch included: what TensorFlow's softmax takes on a CPU


@keras.saving.register_keras_serializable("nnspec")  # type: ignore[untyped-decorator]
def deep_softmax(inputs: KerasTensor, axis: int = -1) -> KerasTensor:
    """Softmax along one axis of a tensor of more axes than TensorFlow's takes: the others become one meanwhile."""
    last = ops.moveaxis(inputs, axis, -1)
    shape = ops.shape(last)
    flat = ops.softmax(ops.reshape(last, (-1, shape[-1])), axis=-1)
    return ops.moveaxis(ops.reshape(flat, shape), -1, axis)


def for_many_axes(activation: KerasCallable) -> KerasCallable:
    """The activation for outputs of more than `MOST_AXES` axes."""
    return deep_softmax if activation is keras.activations.softmax else activation


@keras.saving.register_keras_serializable("nnspec")
class DeepSoftmax(keras.layers.Softmax):  # type: ignore[misc]
    """Softmax along one of any number of axes, with a mask as Keras' own takes it."""

    def call(self, inputs: KerasTensor, mask: KerasTensor | None = None) -> KerasTensor:
        (axis,) = self.axis if isinstance(self.axis, list | tuple) else [self.axis]
        if mask is None:
            return deep_softmax(inputs, axis)
        mask = ops.cast(mask, "bool")
        return ops.where(mask, deep_softmax(ops.where(mask, inputs, -1e9), axis), 0.0)


def _variants(prefix: str, changed: type, *bases: type) -> dict[str, type[KerasLayer]]:
    """Keras layers with something changed, by the name of Keras' own; their own begins with `prefix`."""
    register = keras.saving.register_keras_serializable("nnspec")
    return {base.__name__: register(type(f"{prefix}{base.__name__}", (changed, base), {})) for base in bases}


class _ChannelsFirst:
    """Adds the bias along the channels; Keras' `add` takes the last axis where that happens to be as long."""

    def call(self: KerasLayer, inputs: KerasTensor) -> KerasTensor:
        activation, self.activation, self.use_bias = self.activation, None, False
        try:
            outputs = super().call(inputs)  # type: ignore[misc]
        finally:
            self.activation, self.use_bias = activation, True
        bias = ops.reshape(self.bias, (1, -1, *[1] * (len(outputs.shape) - 2)))
        outputs = ops.add(bias, outputs)
        return outputs if activation is None else activation(outputs)


BIASED_CHANNELS_FIRST = _variants(
    "ChannelsFirst",
    _ChannelsFirst,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)


class _WindowByWindow:
    """Takes windows one after the other; Keras' own fails where there is one of them, or one position."""

    def call(self: KerasLayer, inputs: KerasTensor) -> KerasTensor:
        reduce = ops.max if "Max" in type(self).__name__ else ops.mean
        first = 2 if self.data_format == "channels_first" else 1
        for axis, made in enumerate(self.output_size, start=first):
            size = inputs.shape[axis]
            if made == 1:
                inputs = reduce(inputs, axis=axis, keepdims=True)
                continue
            ranges = [(i * size // made, -(-(i + 1) * size // made)) for i in range(made)]
            parts = [inputs[(*[slice(None)] * axis, slice(start, stop))] for start, stop in ranges]
            inputs = ops.concatenate([reduce(part, axis=axis, keepdims=True) for part in parts], axis=axis)
        return inputs


SMALL_ADAPTIVE_POOLING = _variants(
    "Small",
    _WindowByWindow,
    keras.layers.AdaptiveAveragePooling1D,
    keras.layers.AdaptiveAveragePooling2D,
    keras.layers.AdaptiveAveragePooling3D,
    keras.layers.AdaptiveMaxPooling1D,
    keras.layers.AdaptiveMaxPooling2D,
    keras.layers.AdaptiveMaxPooling3D,
)


@keras.saving.register_keras_serializable("nnspec")
class PlacedEinsumDense(keras.layers.EinsumDense):  # type: ignore[misc]
    """Adds the bias where its axes are; Keras' `add` takes the last or the second axis where one is as long.

    It does so of a bias of which one axis alone is longer than 1.
    """

    def call(self, inputs: KerasTensor, training: bool | None = None) -> KerasTensor:
        made = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            made = ops.subtract(made, ops.negative(self.bias))  # Keras does not interpret what is subtracted
        return made if self.activation is None else self.activation(made)
