"""The pinball loss of a quantile output, as a Keras loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir.graph import Output

if TYPE_CHECKING:
    from nnspec.backends.types import KerasTensor


def build_pinball(output: Output) -> object:
    """The mean over levels of max(τ·(y - q), (τ - 1)·(y - q)), for each target.

    It is Keras' MeanAbsoluteError with another call, so that Keras alone loads a model that was compiled with it.
    Targets have the output's axes without the levels; one that is no number does not count and costs nothing.
    """
    import keras
    from keras import ops

    place = output.level_axis
    assert place is not None, "a quantile output has an axis of its levels"
    axis = place + 1
    shape = [1] * (len(output.value.axes) + 1)
    shape[axis] = len(output.levels)

    def call(truth: KerasTensor, predicted: KerasTensor) -> KerasTensor:
        if len(truth.shape) == len(predicted.shape):  # a target of one value may come with an axis for it
            truth = ops.squeeze(truth, -1)
        is_counted = ops.equal(truth, truth)
        truth = ops.cast(ops.where(is_counted, truth, ops.zeros_like(truth)), predicted.dtype)
        error = ops.expand_dims(truth, axis) - predicted
        levels = ops.reshape(ops.convert_to_tensor(output.levels, dtype=predicted.dtype), shape)
        cost = ops.mean(ops.maximum(levels * error, (levels - 1) * error), axis=axis)
        return ops.where(is_counted, cost, ops.zeros_like(cost))

    loss = keras.losses.MeanAbsoluteError(name="pinball")
    loss.call = call
    return loss
