"""Keras layers for images that Keras' own cannot put into a graph, or leave wrong at inference."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("nnspec")
class GraphEqualization(keras.layers.Equalization):  # type: ignore[misc]
    """Equalization in a graph: Keras' own hands on its symbolic input as its output, which makes a ring of it."""

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> Any:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range, "bins": self.bins}


@keras.saving.register_keras_serializable("nnspec")
class SizedRandomCrop(keras.layers.RandomCrop):  # type: ignore[misc]
    """RandomCrop whose images have the new size at inference too; Keras' own leaves them as they are."""

    def call(self, inputs: Any, training: bool = True) -> Any:
        is_larger = inputs.shape[self.height_axis] > self.height and inputs.shape[self.width_axis] > self.width
        if training and is_larger:
            return super().call(inputs, training=True)
        size = (self.height, self.width)
        return keras.ops.image.resize(inputs, size, crop_to_aspect_ratio=True, data_format=self.data_format)
