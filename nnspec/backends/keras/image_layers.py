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
