"""Replacements of Keras' image layers that cannot be part of a graph, or are wrong at inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from nnspec.backends.types import KerasConfig, KerasTensor


@keras.saving.register_keras_serializable("nnspec")
class GraphEqualization(keras.layers.Equalization):  # type: ignore[misc]
    """Equalization in a graph: Keras returns its symbolic input unchanged, which makes the graph cyclic."""

    def compute_output_spec(self, inputs: KerasTensor, **kwargs: object) -> KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> KerasConfig:
        return {**super().get_config(), "value_range": self.value_range, "bins": self.bins}
