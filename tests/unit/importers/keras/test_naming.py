"""Axes of inputs are called by what reads them."""

from __future__ import annotations

import keras
import pytest
from keras import layers as kl

from nnspec.importers.keras.naming import input_axes
from nnspec.importers.keras.source import read_network

PICTURE, STEPS = ("height", "width"), ("time", "feature")


@pytest.mark.parametrize(
    ("shape", "layers", "axes"),
    [
        ((28, 28), [kl.Flatten(), kl.Dense(3)], PICTURE),
        ((28, 28), [kl.Rescaling(1 / 255), kl.Reshape((784,)), kl.Dense(3)], PICTURE),
        ((28, 20), [kl.Rescaling(1 / 255), kl.Rescaling(2.0), kl.Reshape((28, 20, 1)), kl.Conv2D(3, 3)], PICTURE),
        ((28, 20), [kl.Flatten(), kl.Dense(3)], STEPS),
        ((5, 5), [kl.Flatten(), kl.Dense(3)], STEPS),
        ((28, 28), [kl.LSTM(3)], STEPS),
        ((28, 28), [kl.Dense(3), kl.Flatten()], STEPS),
        ((28, 28), [kl.Permute((2, 1)), kl.Flatten()], STEPS),
        ((None, 28), [kl.Dense(3)], STEPS),
    ],
)
def test_a_grey_picture_is_no_series(
    shape: tuple[int | None, ...], layers: list[object], axes: tuple[str, ...]
) -> None:
    model = keras.Sequential([keras.Input(shape), *layers])
    network = read_network(model.get_config(), "Sequential")
    (tensor,) = network.inputs.values()
    assert input_axes(network, tensor) == axes
