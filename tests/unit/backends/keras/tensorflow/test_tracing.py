"""Predictions of recurrent networks: traced once for all sizes, and what Keras gives layer by layer."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from nnspec.backends.keras.tensorflow import tracing as tensorflow_tracing
from nnspec.backends.keras.tensorflow.backend import TENSORFLOW
from nnspec.verify import rounding

WORDS = ["red", "green", "blue", "", "red green"]


@pytest.fixture(autouse=True)
def traced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorflow_tracing, "_UNTRACED", 0)


def masked(name: str = "x") -> tuple[Any, Any]:
    x = keras.Input((None, 2), name=name)
    return x, keras.layers.LSTM(3)(keras.layers.Masking()(x))


def rows(count: int, length: int) -> np.ndarray:
    found = np.random.default_rng(count).normal(size=(count, length, 2)).astype(np.float32)
    found[0, length // 2 :] = 0  # padding
    return found


def test_values_are_those_of_the_model_as_it_is() -> None:
    """Of other lengths and batches, in parts of which the last is not full, and with other weights than when traced."""
    x, y = masked()
    model = keras.Model(x, y)
    for count, length in ((1, 4), (3, 7), (5, 2), (300, 3)):
        found = TENSORFLOW.predict(model, rows(count, length), 128)
        np.testing.assert_allclose(found, model(rows(count, length)), atol=1e-6)
        model.set_weights([weights + 0.25 for weights in model.get_weights()])


def test_a_model_is_traced_once_and_not_held() -> None:
    x, y = masked()
    model = keras.Model(x, y)
    for length in (3, 4, 5):
        TENSORFLOW.predict(model, rows(length, length), 2)
    made = tensorflow_tracing._MADE[model]
    assert made.function.experimental_get_tracing_count() == 1
    held = weakref.ref(model)
    del model, x, y, made
    gc.collect()
    assert held() is None


def test_several_inputs_of_which_one_is_text() -> None:
    a, hidden = masked("a")
    words = keras.Input((), dtype="string", name="words")
    ids = keras.layers.StringLookup(vocabulary=WORDS[:3])(words)
    model = keras.Model(
        {"a": a, "words": words},
        {"y": keras.layers.Concatenate()([hidden, keras.layers.Embedding(4, 2)(ids)]), "h": hidden},
    )
    given = {"a": tf.constant(rows(5, 4)), "words": tf.constant(WORDS)}
    wanted = model(given)
    for batch_size in (5, 2):
        found = TENSORFLOW.predict(model, given, batch_size)
        assert found.keys() == {"y", "h"}
        for name in found:
            np.testing.assert_allclose(found[name], wanted[name], atol=1e-6)


def test_a_carried_state_goes_on() -> None:
    x = keras.Input(batch_shape=(2, 3, 2))
    model = keras.Model(x, keras.layers.GRU(2, stateful=True)(x))
    once = np.asarray(model(rows(2, 3)))
    model.layers[-1].reset_state()
    first, second = (np.asarray(TENSORFLOW.predict(model, rows(2, 3), 2)) for _ in range(2))
    np.testing.assert_allclose(first, once, atol=1e-6)
    assert not np.allclose(second, once)


def test_a_declared_batch_binds_states_alone() -> None:
    """As the model is called without a trace, before and after one is made."""
    x = keras.Input(batch_shape=(2, 3, 2))
    model = keras.Model(x, keras.layers.GRU(2)(x))
    for count in (2, 5, 1):
        np.testing.assert_allclose(TENSORFLOW.predict(model, rows(count, 3), 8), model(rows(count, 3)), atol=1e-6)


def test_other_networks_are_called_as_they_are() -> None:
    x = keras.Input((4,))
    assert TENSORFLOW.compiled(keras.Model(x, keras.layers.Dense(2)(x)), np.zeros((9, 4)), is_once=False) is None


@pytest.mark.parametrize("is_traced_first", [True, False])
@pytest.mark.parametrize("recurrent", [True, False])
def test_no_trace_is_used_or_made_while_functions_are_replaced(
    monkeypatch: pytest.MonkeyPatch, *, is_traced_first: bool, recurrent: bool
) -> None:
    monkeypatch.setattr(rounding, "SIGMOID_STEP", 2.0**-6)  # to be seen
    x, y = masked()
    if not recurrent:
        y = keras.layers.Dense(3, activation="sigmoid")(x)
    model = keras.Model(x, y)
    given, batch_size = rows(6, 4), 4
    wanted = np.asarray(model(given))
    if is_traced_first:
        TENSORFLOW.predict(model, given, batch_size)
    with rounding.coarse_sigmoids() as asked:
        coarse = TENSORFLOW.predict(model, given, batch_size)
    assert asked
    assert np.abs(coarse - wanted).max() > 1e-3
    np.testing.assert_allclose(TENSORFLOW.predict(model, given, batch_size), wanted, atol=1e-6)
