"""Layers that a Keras configuration says otherwise than a spec: augmentation, nested models over steps, other words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl

from nnspec.diagnostics import SpecError
from nnspec.importers.keras.importer import import_file, import_model
from nnspec.progress import Progress
from tests.support.imported_models import compare_deployed, import_randomized


def values(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.normal(size=(3, *shape)).astype(np.float32) for shape in shapes]


def compare(model: Any, folder: Path, *, tolerance: float = 1e-5) -> str:
    """Imports, exports, and compares with Keras on what the model's inputs want; the spec's text."""
    made, text = import_randomized(model, folder)
    shapes = [tuple(size or 7 for size in tensor.shape[1:]) for tensor in model.inputs]
    arrays = [
        np.random.default_rng(6).integers(0, 5, array.shape).astype(tensor.dtype) if "int" in tensor.dtype else array
        for array, tensor in zip(values(*shapes), model.inputs, strict=True)
    ]
    compare_deployed(model, made, [arrays], tolerance)
    return text


# ------------------------------------------------------------------------------------------------- augmentation

AUGMENTATION: dict[str, Callable[[], Any]] = {
    "Resizing": lambda: kl.Resizing(8, 9),
    "CenterCrop": lambda: kl.CenterCrop(8, 7),
    "RandomFlip": lambda: kl.RandomFlip(),
    "RandomRotation": lambda: kl.RandomRotation(0.2),
    "RandomZoom": lambda: kl.RandomZoom(0.1),
    "RandomTranslation": lambda: kl.RandomTranslation(0.1, 0.1),
    "RandomContrast": lambda: kl.RandomContrast(0.2),
    "RandomBrightness": lambda: kl.RandomBrightness((-0.2, 0.1), value_range=(0, 1)),
    "RandomSaturation": lambda: kl.RandomSaturation(0.2),
    "RandomHue": lambda: kl.RandomHue(0.2),
    "RandomCrop": lambda: kl.RandomCrop(8, 8),
    "AutoContrast": lambda: kl.AutoContrast(),
    "Solarization": lambda: kl.Solarization(),
    "RandomErasing": lambda: kl.RandomErasing(),
    "RandAugment": lambda: kl.RandAugment(),
}


@pytest.mark.parametrize("kind", AUGMENTATION)
def test_images_are_prepared_in_a_functional_model(kind: str, tmp_path: Path) -> None:
    """Keras writes `training: True` into the calls of these layers by itself."""
    x = keras.Input((12, 12, 3))
    compare(keras.Model(x, kl.Conv2D(2, 3)(AUGMENTATION[kind]()(x))), tmp_path)


def test_dropout_that_is_called_with_training_is_refused(tmp_path: Path) -> None:
    x = keras.Input((6,))
    with pytest.raises(SpecError, match="training=True"):
        import_model(keras.Model(x, kl.Dropout(0.5)(x, training=True)), tmp_path)


# ------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize("sizes", [(4, 4), (2, 2, 4)], ids=str)
def test_equal_sizes_of_a_reshape(sizes: tuple[int, ...], tmp_path: Path) -> None:
    x = keras.Input((16,))
    text = compare(keras.Model(x, kl.Dense(3)(kl.Reshape(sizes)(x))), tmp_path)
    assert str(list(sizes)) in text


def test_numbers_for_truth_values(tmp_path: Path) -> None:
    x = keras.Input((6,))
    assert "center: false" in compare(keras.Model(x, kl.BatchNormalization(scale=1, center=0)(x)), tmp_path)


def test_activations_that_are_layers(tmp_path: Path) -> None:
    x = keras.Input((6,))
    y = kl.Dense(4, activation=kl.ReLU(6.0))(x)
    model = keras.Model(x, kl.Activation(kl.ELU(0.3))(kl.Dense(3, activation=kl.LeakyReLU(0.1))(y)))
    text = compare(model, tmp_path)
    assert text.index("ReLU: {max_value: 6.0}") < text.index("LeakyReLU") < text.index("ELU")


def test_heads_in_wrappers_say_what_they_are(tmp_path: Path) -> None:
    """Those that the checks see: a spec that calls a softmax a regression would not pass them."""
    x = keras.Input((6, 4))
    y = kl.Dense(5)(x)
    words = kl.TimeDistributed(kl.Dense(3, activation="softmax"), name="words")(y)
    sure = kl.Dropout(0.5, name="sure")(kl.Dense(1, activation="sigmoid")(kl.Flatten()(y)))
    text = compare(keras.Model(x, [words, sure]), tmp_path)
    assert "words: {from: words_2, task: classification}" in text
    assert "sure: {task: binary}" in text


def test_initializers_that_are_arrays_are_left_out_with_a_note(tmp_path: Path) -> None:
    vectors, turn = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32), np.eye(4).ravel()
    x = keras.Input((3,), dtype="int32")
    y = kl.Embedding(5, 4, embeddings_initializer=keras.initializers.Constant(vectors), trainable=False)(x)
    dense = kl.Dense(16, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(turn), name="turn")
    model = keras.Model(x, kl.TimeDistributed(dense)(y))
    model.save(tmp_path / "model.keras")
    made = import_file(tmp_path / "model.keras", tmp_path, Progress(quiet=True))
    assert [note.split("`")[3] for note in made.notes if "is an array" in note] == [
        "embeddings_initializer",
        "bias_initializer",
    ]
    compare_deployed(model, made, [[np.arange(15, dtype=np.int32).reshape(5, 3) % 5]])


def test_texts_that_must_be_known(tmp_path: Path) -> None:
    """A lookup without a place for unknown words fails on empty texts in Keras itself: none are tried."""
    word, age = keras.Input((), dtype="string", name="word"), keras.Input((), name="age")
    y = kl.Embedding(2, 3)(kl.StringLookup(vocabulary=["a", "b"], mask_token=None, num_oov_indices=0)(word))
    model = keras.Model([word, age], kl.Dense(2)(kl.Concatenate()([y, kl.Reshape((1,))(age)])))
    assert import_model(model, tmp_path).error < 1e-5


def test_hashes_of_words(tmp_path: Path) -> None:
    """What a hash takes for its own bin 0 is no padding, and need not be there."""
    word, code = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    hashed = kl.CategoryEncoding(num_tokens=8, output_mode="one_hot")(kl.Hashing(8)(word))
    marked = kl.Hashing(5, mask_value="", output_mode="multi_hot")(word)
    crossed = kl.HashedCrossing(6, output_mode="one_hot")((word, code))
    made = import_model(keras.Model([word, code], kl.Dense(2)(kl.Concatenate()([hashed, marked, crossed]))), tmp_path)
    assert made.error <= 1e-5


def test_half_precision_becomes_float32_with_a_note(tmp_path: Path) -> None:
    x = keras.Input((6,))
    y = kl.Dense(4, activation="relu", dtype="mixed_float16")(x)
    model = keras.Model(x, kl.Dense(3, dtype="float32")(y))
    made, _ = import_randomized(model, tmp_path)
    assert any("half precision" in note for note in made.notes)
    compare_deployed(model, made, [values((6,))], tolerance=5e-3)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_scalar_inputs(dtype: str, tmp_path: Path) -> None:
    x = keras.Input((), dtype=dtype)
    y = kl.Embedding(5, 4)(x) if dtype == "int32" else kl.Reshape((1,))(x)
    compare(keras.Model(x, kl.Dense(3)(y)), tmp_path)


# ------------------------------------------------------------------------------------------------- products

DOTS: dict[str, Callable[[], Any]] = {}


def dot(function: Callable[[], Any]) -> Callable[[], Any]:
    DOTS[function.__name__] = function
    return function


@dot
def of_two_sequences() -> Any:
    a, b = keras.Input((5, 4), name="a"), keras.Input((6, 4), name="b")
    return keras.Model([a, b], kl.Dot(axes=2)([a, b]))


@dot
def of_steps_with_themselves() -> Any:
    x = keras.Input((5, 4))
    weights = kl.Softmax()(kl.Dot(axes=(2, 2))([kl.Dense(3)(x), kl.Dense(3)(x)]))
    return keras.Model(x, kl.Dot(axes=(2, 1))([weights, x]))


@dot
def of_factors() -> Any:
    a, b = keras.Input((1,), name="a", dtype="int32"), keras.Input((1,), name="b", dtype="int32")
    return keras.Model([a, b], kl.Flatten()(kl.Dot(axes=2)([kl.Embedding(9, 4)(a), kl.Embedding(9, 4)(b)])))


@pytest.mark.parametrize("name", DOTS)
def test_products(name: str, tmp_path: Path) -> None:
    compare(DOTS[name](), tmp_path)


def test_what_the_checks_objected_to_is_noted(tmp_path: Path) -> None:
    x = keras.Input((4, 3))
    made, _ = import_randomized(keras.Model(x, kl.LSTM(2)(kl.Permute((2, 1))(x))), tmp_path)
    assert any("NN308" in note and "`lstm" in note for note in made.notes)


# ------------------------------------------------------------------------------------------------- models over steps


def frames() -> Any:
    a = keras.Input((8, 8, 1))
    network = keras.Model(a, kl.Flatten()(kl.Conv2D(3, 3)(a)))
    x = keras.Input((4, 8, 8, 1))
    return keras.Model(x, kl.LSTM(3)(kl.TimeDistributed(network)(x)))


def frames_of_any_number() -> Any:
    a = keras.Input((6, 6, 2))
    y = kl.BatchNormalization()(kl.Conv2D(2, 3, padding="same", activation="relu")(a))
    y = kl.Concatenate()([kl.Add()([a, y]), a])
    network = keras.Model(a, kl.Dense(4)(kl.GlobalAveragePooling2D()(y)))
    x = keras.Input((None, 6, 6, 2))
    return keras.Model(x, kl.GRU(3)(kl.TimeDistributed(network)(x)))


def sentences() -> Any:
    network = keras.Sequential([keras.Input((6, 3)), kl.LSTM(4), kl.Dropout(0.2), kl.Dense(2)])
    x = keras.Input((4, 6, 3))
    return keras.Model(x, kl.LSTM(3)(kl.TimeDistributed(network)(x)))


@pytest.mark.parametrize("make", [frames, frames_of_any_number, sentences], ids=lambda make: make.__name__)
def test_time_distributed_models(make: Callable[[], Any], tmp_path: Path) -> None:
    assert "- TimeDistributed" in compare(make(), tmp_path)


# ------------------------------------------------------------------------------------------------- refusals


def test_all_causes_are_told_at_once(tmp_path: Path) -> None:
    x = keras.Input((6, 4))
    y = kl.Lambda(lambda v: v, name="one")(x)
    z = keras.ops.erfinv(kl.Dense(4)(x))
    after = kl.Dense(2, name="behind")(y)
    with pytest.raises(SpecError) as caught:
        import_model(keras.Model(x, [after, z]), tmp_path)
    messages = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert len(messages) == 2
    assert "`one`" in " ".join(messages)
    assert "`Erfinv`" in " ".join(messages)
    assert not any(str(tmp_path) in message for message in messages)


def own_function(v: Any) -> Any:
    return v


def test_what_stands_behind_a_fault_is_told_too(tmp_path: Path) -> None:
    """Without axes to go by, what is behind it is looked at for what it is alone."""
    x = keras.Input((6, 4))
    y = kl.Lambda(lambda v: v, name="one")(x)
    y = kl.Lambda(lambda v: v, name="two")(kl.Dense(3, name="fine")(y))
    y = keras.ops.erfinv(kl.Dropout(0.5, name="three")(y, training=True))
    y = kl.Dense(3, activation=own_function, name="four")(keras.ops.mean(y, axis=1))
    with pytest.raises(SpecError) as caught:
        import_model(keras.Model(x, y), tmp_path)
    told = [diagnostic.message for diagnostic in caught.value.diagnostics]
    assert len(told) == 5
    names = ["one", "two", "three", "erfinv", "four"]
    assert [next(name for name in names if f"`{name}" in said) for said in told] == names
