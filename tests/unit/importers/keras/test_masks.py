"""An imported spec has masks where Keras has them: on padded inputs ONNX Runtime gives what the Keras model gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from tests.support.imported_models import compare_deployed, import_randomized

pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")


def words(steps: int | None = 9, name: str | None = None) -> Any:
    return keras.Input((steps,), dtype="int32", name=name)


def embedded(ids: Any) -> Any:
    return kl.Embedding(20, 4, mask_zero=True)(ids)


def translator() -> Any:
    source, target = words(None, "source"), words(None, "target")
    _, hidden, cell = kl.LSTM(5, return_state=True)(embedded(source))
    decoded = kl.LSTM(5, return_sequences=True)(embedded(target), initial_state=[hidden, cell])
    return keras.Model([source, target], kl.Dense(7, activation="softmax")(decoded))


def translator_of_two_layers() -> Any:
    source, target = words(None, "source"), words(None, "target")
    _, hidden = kl.GRU(5, return_state=True)(embedded(source))
    decoded = kl.GRU(5, return_sequences=True)(embedded(target), initial_state=hidden)
    return keras.Model([source, target], kl.LSTM(3)(decoded))


def mean_behind_an_operator() -> Any:
    ids = words()
    x = embedded(ids)
    return keras.Model(ids, kl.GlobalMaxPooling1D()(kl.LayerNormalization()(x + kl.Dense(4)(x))))


def lstm_behind_an_operator() -> Any:
    ids = words(None)
    return keras.Model(ids, kl.LSTM(3)(embedded(ids) * 2.0))


def add_layer() -> Any:
    ids = words()
    x = embedded(ids)
    return keras.Model(ids, kl.LSTM(3)(kl.LayerNormalization()(kl.Add()([x, kl.Dense(4)(x)]))))


def attention_takes_the_mask() -> Any:
    ids = words()
    x = embedded(ids)
    y = kl.Add()([x, kl.MultiHeadAttention(2, 3)(x, x)])
    return keras.Model(ids, kl.LSTM(3)(kl.LayerNormalization()(y)))


def a_mask_of_its_own() -> Any:
    ids = words()
    embedding = kl.Embedding(20, 4, mask_zero=True)
    y = kl.Conv1D(5, 3, padding="same")(embedding(ids))
    return keras.Model(ids, kl.LSTM(3)(y, mask=embedding.compute_mask(ids)))


def a_state_and_a_mask() -> Any:
    ids = words()
    x = embedded(ids)
    state = kl.Dense(3)(kl.GlobalMaxPooling1D()(x))
    y = kl.GRU(3, return_sequences=True)(x, initial_state=state, mask=ops.not_equal(ids, 0))
    return keras.Model(ids, kl.GRU(3)(y))


def both_ways_from_a_state() -> Any:
    ids = words()
    x = embedded(ids)
    state = kl.Dense(3)(kl.GlobalMaxPooling1D()(x))
    return keras.Model(ids, kl.Bidirectional(kl.GRU(3))(x, initial_state=[state, state]))


def nested() -> Any:
    x = keras.Input((9, 4))
    inner = keras.Model(x, kl.LSTM(3, return_sequences=True)(x), name="inner")
    ids = words()
    return keras.Model(ids, kl.GRU(2)(inner(embedded(ids))))


def nested_with_an_operator() -> Any:
    x = keras.Input((9, 4))
    inner = keras.Model(x, kl.Dense(4)(x) * 0.5 + x, name="inner")
    ids = words()
    return keras.Model(ids, kl.GRU(2)(inner(embedded(ids))))


def concatenated_with_what_has_none() -> Any:
    ids = words()
    x = embedded(ids)
    return keras.Model(ids, kl.LSTM(4)(kl.Concatenate()([x, kl.Conv1D(3, 3, padding="same")(x)])))


def attention_of_two() -> Any:
    one, other = words(9, "one"), words(7, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    query, value = embedding(one), embedding(other)
    return keras.Model([one, other], kl.LSTM(3)(kl.Attention()([query, value])))


MODELS: list[Callable[[], Any]] = [
    translator,
    translator_of_two_layers,
    mean_behind_an_operator,
    lstm_behind_an_operator,
    add_layer,
    attention_takes_the_mask,
    a_mask_of_its_own,
    a_state_and_a_mask,
    both_ways_from_a_state,
    nested,
    nested_with_an_operator,
    concatenated_with_what_has_none,
    attention_of_two,
]


def padded(shapes: list[tuple[int, ...]]) -> list[list[np.ndarray]]:
    """Ids with zeros at the end, at the beginning, in the middle and nowhere."""
    runs = []
    for place in (slice(5, None), slice(0, 3), slice(2, 5), slice(0, 0)):
        rng = np.random.default_rng(4)
        arrays = [rng.integers(1, 20, shape).astype(np.int32) for shape in shapes]
        for array in arrays:
            array[:2, place] = 0
        runs.append(arrays)
    return runs


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_padded_inputs(make: Callable[[], Any], tmp_path: Path) -> None:
    model = make()
    made, _ = import_randomized(model, tmp_path)
    shapes = [(3, tensor.shape[1] or 8) for tensor in model.inputs]
    compare_deployed(model, made, padded(shapes))


def test_a_spec_says_where_a_mask_ends(tmp_path: Path) -> None:
    _, text = import_randomized(lstm_behind_an_operator(), tmp_path)
    assert text.index("- Embedding") < text.index("- unmask") < text.index("- Rescaling") < text.index("- LSTM")


def test_a_spec_says_where_a_mask_comes_back(tmp_path: Path) -> None:
    _, text = import_randomized(a_mask_of_its_own(), tmp_path)
    assert "mask_like: {from: [conv1d" in text


def test_steps_that_equal_the_mask_value(tmp_path: Path) -> None:
    x = keras.Input((None, 3))
    model = keras.Model(x, kl.LSTM(4)(kl.Masking(-1.0)(x) - 0.5))
    made, _ = import_randomized(model, tmp_path)
    values = np.random.default_rng(2).normal(size=(3, 6, 3)).astype(np.float32)
    values[0, 4:] = -1.0
    values[1, :2] = -1.0
    compare_deployed(model, made, [[values]])
