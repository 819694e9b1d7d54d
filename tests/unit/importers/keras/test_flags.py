"""Attention masks, masks of a softmax and ids that a model computes: ONNX Runtime gives what the Keras model gives."""

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


def encoder_whose_padding_is_an_input() -> Any:
    """Blocks as BERT's, to all of which the same steps are hidden."""
    ids, seen = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    x = kl.Embedding(20, 8)(ids)
    for _ in range(2):
        x = kl.LayerNormalization()(x + kl.MultiHeadAttention(2, 4)(x, x, attention_mask=ops.expand_dims(seen, 1)))
    return keras.Model([ids, seen], x[:, 0])


def heads_over_open_steps() -> Any:
    ids = keras.Input((None,), dtype="int32")
    x = kl.Embedding(20, 8)(ids)
    flags = ops.cast(ops.not_equal(ids, 0), "float32")[:, None, None, :]
    return keras.Model(ids, kl.MultiHeadAttention(2, 4)(x, x, attention_mask=flags, use_causal_mask=True))


def neighbours_and_padding() -> Any:
    """A band that the model holds, and the padding of the values themselves."""
    ids = keras.Input((6,), dtype="int32")
    x = kl.Embedding(20, 8, mask_zero=True)(ids)
    band = np.abs(np.arange(6)[:, None] - np.arange(6)) <= 1
    y = kl.MultiHeadAttention(2, 4)(x, x, attention_mask=ops.convert_to_tensor(band[None]))
    return keras.Model(ids, kl.GlobalMaxPooling1D()(y))


def one_attention_for_two() -> Any:
    first, second = keras.Input((6,), dtype="int32"), keras.Input((6,), dtype="int32")
    words, attend = kl.Embedding(20, 8), kl.MultiHeadAttention(2, 4)
    x, y = words(first), words(second)
    return keras.Model(
        [first, second], attend(x, x, attention_mask=(first != 0)[:, None]) - attend(y, y, use_causal_mask=True)
    )


def attention_by_a_masked_softmax() -> Any:
    ids = keras.Input((6,), dtype="int32")
    x = kl.Embedding(20, 4)(ids)
    weights = kl.Softmax(axis=1)(kl.Dense(1)(x), mask=(ids != 0)[..., None])
    return keras.Model(ids, ops.sum(x * weights, axis=1))


def nearest_of_a_codebook() -> Any:
    ids = keras.Input((6,), dtype="int32")
    distances = kl.Dense(7)(kl.Embedding(20, 4)(ids))
    return keras.Model(ids, kl.LSTM(3)(kl.Embedding(7, 4, mask_zero=True)(ops.argmin(distances, axis=-1))))


MODELS = (
    encoder_whose_padding_is_an_input,
    heads_over_open_steps,
    neighbours_and_padding,
    one_attention_for_two,
    attention_by_a_masked_softmax,
    nearest_of_a_codebook,
)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_flags_and_ids(make: Callable[[], Any], tmp_path: Path) -> None:
    model = make()
    made, _ = import_randomized(model, tmp_path)
    ids = np.random.default_rng(5).integers(1, 20, (5, 6)).astype(np.int32)
    ids[0, 4:] = ids[1, :2] = ids[2, 2:4] = ids[3] = 0  # padding behind, in front, between, everywhere and nowhere
    runs = [[ids, np.sign(ids)][: len(model.inputs)], [ids[1:2], ids[:1]][: len(model.inputs)]]
    compare_deployed(model, made, runs)


def test_a_spec_names_the_mask(tmp_path: Path) -> None:
    _, text = import_randomized(encoder_whose_padding_is_an_input(), tmp_path)
    assert "expression: x != 0, dtype: bool}" in text
    assert "attention_mask: formula" in text
