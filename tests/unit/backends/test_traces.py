"""How often TensorFlow traces a step of training: tracing takes most of a small training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.tensorflow_backend import TENSORFLOW


class Counting(keras.Model):  # type: ignore[misc]
    traces = 0

    def train_step(self, data: Any) -> Any:
        self.traces += 1
        return super().train_step(data)


@pytest.mark.parametrize("names", [["y"], ["y", "z"]], ids=len)
def test_a_step_is_traced_once(names: list[str]) -> None:
    """A loss of several outputs counts each of them in variables, which are there before."""
    given = keras.Input((2,))
    outputs = {name: keras.layers.Dense(1, name=name)(given) for name in names}
    model = Counting(given, outputs if len(names) > 1 else outputs["y"])
    model.compile("adam", "mse" if len(names) == 1 else {name: keras.losses.MeanSquaredError() for name in names})
    targets = {name: np.ones((5, 1), np.float32) for name in names}
    samples = Samples(inputs=np.ones((5, 2), np.float32), targets=targets if len(names) > 1 else targets["y"])
    TENSORFLOW.fit(model, samples, Order(2, 1, is_shuffled=True), epochs=range(2))
    assert model.traces == 1
