"""Keras layers for preprocessing whose state Keras' own keeps where weights files do not reach."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("nnspec")
class AdaptedBins(keras.layers.Layer):  # type: ignore[misc]
    """The bins of `Discretization(num_bins)`, boundaries a weight; Keras' own has a list beside the weights."""

    def __init__(self, num_bins: int, epsilon: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_bins = num_bins
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        self.boundaries = self.add_weight(shape=(self.num_bins - 1,), trainable=False, name="boundaries")
        self.boundaries.assign(np.linspace(-1, 1, self.num_bins + 1)[1:-1])

    def adapt(self, data: Any) -> None:
        """Quantiles of the data; fewer values than bins leave the last bins empty."""
        summary = keras.layers.Discretization(num_bins=self.num_bins, epsilon=self.epsilon)
        summary.adapt(np.asarray(data))
        found = np.sort(np.asarray(summary.bin_boundaries, np.float32))[: self.num_bins - 1]
        self.boundaries.assign(np.pad(found, (0, self.num_bins - 1 - len(found)), constant_values=np.inf))

    def call(self, inputs: Any) -> Any:
        is_passed = keras.ops.greater_equal(keras.ops.expand_dims(inputs, -1), self.boundaries)
        return keras.ops.sum(keras.ops.cast(is_passed, "int32"), axis=-1)

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_bins": self.num_bins, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("nnspec")
class SizedMelSpectrogram(keras.layers.MelSpectrogram):  # type: ignore[misc]
    """MelSpectrogram whose number of frames is known rightly: Keras' own says another one for some lengths."""

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        size = input_shape[1]
        if size is not None:
            size = 1 + (size + 2 * (self.fft_length // 2) - self.fft_length) // self.sequence_stride
        return (input_shape[0], self.num_mel_bins, size)
