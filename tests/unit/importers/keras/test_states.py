"""Models that keep their state from batch to batch: the fixed batch goes into the spec, and the state goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from keras import layers as kl

from nnspec import pipeline
from tests.support.imported_models import compare_deployed, import_randomized


def lstm() -> Any:
    x = keras.Input(batch_shape=(2, None, 3))
    return keras.Model(x, kl.LSTM(2, return_sequences=True, stateful=True)(x))


def gru() -> Any:
    x = keras.Input(batch_shape=(2, 5, 3))
    return keras.Model(x, kl.Dense(1)(kl.GRU(2, stateful=True)(x)))


def both_ways() -> Any:
    x = keras.Input(batch_shape=(2, 5, 3))
    return keras.Model(x, kl.Bidirectional(kl.LSTM(2, stateful=True))(x))


def masked_chain() -> Any:
    return keras.Sequential(
        [
            keras.Input(batch_shape=(2, None, 1)),
            kl.Masking(),
            kl.LSTM(2, return_sequences=True, stateful=True),
            kl.LSTM(2, stateful=True),
        ]
    )


@pytest.mark.parametrize("make", [lstm, gru, both_ways, masked_chain], ids=lambda make: make.__name__)
def test_the_batch_is_kept(make: Callable[[], Any], tmp_path: Path) -> None:
    made, text = import_randomized(make(), tmp_path)
    (body,) = yaml.safe_load(text)["inputs"].values()
    assert body["batch"] == 2
    graph = pipeline.check(made.spec).graph
    assert any(node.is_stateful for node in graph.nodes)


def test_a_fixed_batch_without_a_state_is_kept_too(tmp_path: Path) -> None:
    x = keras.Input(batch_shape=(4, 6))
    _, text = import_randomized(keras.Model(x, kl.Dense(2)(x)), tmp_path)
    assert "batch: 4" in text


def test_a_batch_that_a_first_call_left_behind_is_open(tmp_path: Path) -> None:
    """Keras records it where a Sequential without an `Input` is first called with data, and takes any other."""
    model = keras.Sequential([kl.Dense(3, activation="relu"), kl.Dense(2)])
    model(np.zeros((1, 6), np.float32))
    made, text = import_randomized(model, tmp_path)
    assert "batch" not in text
    assert any("the batch of" in note and "recorded 1" in note for note in made.notes)
    compare_deployed(model, made, [[np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)]])
