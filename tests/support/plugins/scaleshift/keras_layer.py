"""What trains: a Keras layer of the package's own."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("scaleshift")
class KerasScaleShift(keras.layers.Layer):
    def __init__(self, by: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by
        self.supports_masking = True

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x: Any) -> Any:
        return x * (self.scale * self.by) + self.shift

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "by": self.by}
