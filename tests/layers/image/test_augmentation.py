"""Augmentations at work in training, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from nnspec.backends.keras.model import build_model
from nnspec.diagnostics import SpecError
from tests.layers.image import cases_augment_color, cases_augment_geometry, cases_augment_mixed
from tests.layers.image.parts import FIRST, IMAGE
from tests.support.layer_cases import Case, checked

ARGUMENTS = {**cases_augment_geometry.ARGUMENTS, **cases_augment_color.ARGUMENTS, **cases_augment_mixed.ARGUMENTS}


def built(kind: str, body: Any, axes: dict[str, int | str], folder: Path, dtype: str = "float32") -> Any:
    return build_model(checked(Case(kind, body, [axes], {}, None, None, dtype=dtype), folder).graph)


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_training_changes_images(kind: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    model = built(kind, ARGUMENTS[kind], IMAGE, tmp_path).model
    run = tf.function(lambda x: model(x, training=True))
    images = np.random.default_rng(2).uniform(0, 255, size=(4, 9, 11, 3)).astype(np.float32)
    drawn = [np.asarray(run(tf.constant(images))) for _ in range(6)]  # each image is left alone now and then
    assert all(d.shape == images.shape and d.dtype == np.float32 and np.isfinite(d).all() for d in drawn)
    assert any(not np.allclose(d, images, atol=1.0) for d in drawn)


def test_a_network_with_augmentations_is_trained_and_loaded_again(tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    before = [{kind: ARGUMENTS[kind]} for kind in ("RandomRotation", "Equalization", "RandomContrast")]
    case = Case("Flatten", None, [IMAGE], {}, None, None, before=before, after=[{"Dense": {"units": 2}}])
    model = build_model(checked(case, tmp_path).graph).model
    images = np.random.default_rng(2).uniform(0, 255, size=(8, 9, 11, 3)).astype(np.float32)
    model.compile(optimizer="adam", loss="mse")
    kernel = np.asarray(model.trainable_weights[0])
    model.fit(images, np.ones((8, 2)), epochs=1, verbose=0)
    assert not np.array_equal(kernel, np.asarray(model.trainable_weights[0]))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(model.predict(images, verbose=0), again.predict(images, verbose=0))


@pytest.mark.parametrize(
    ("kind", "body", "axes", "code", "words"),
    [
        ("RandomFlip", None, FIRST, "NN308", "`RandomFlip` runs along `channel`"),
        ("RandomFlip", None, {"height": 3, "width": 4}, "NN310", "needs 3 axes (height, width and channel)"),
        ("RandomFlip", {"data_format": "channels_first"}, IMAGE, "NN308", "which has no order"),
        ("RandomHue", {"factor": 0.2}, {**IMAGE, "channel": 4}, "NN302", "must have 3 positions, but it has 4"),
        ("RandomGrayscale", None, {**IMAGE, "channel": 2}, "NN302", "1 or 3 positions"),
        ("RandomHue", {"factor": 1.5}, IMAGE, "NN206", "at most 1"),
        ("RandomHue", {"factor": [0.1, 0.2, 0.3]}, IMAGE, "NN206", "exactly 2 items"),
        ("RandomZoom", {"height_factor": -1}, IMAGE, "NN206", "greater than -1"),
        ("RandomGaussianBlur", {"kernel_size": 4}, IMAGE, "NN206", "must be odd"),
        ("RandomBrightness", {"factor": 0.2, "value_range": [1, 1]}, IMAGE, "NN206", "two different numbers"),
        ("RandomColorJitter", {"data_format": "channels_first"}, FIRST, "NN208", "the last axis as channels"),
        ("AugMix", None, {**IMAGE, "channel": 1}, "NN302", "must have 3 positions"),
        ("RandomFlip", {"mode": "sideways"}, IMAGE, "NN205", "cannot be `sideways`"),
    ],
)
def test_refused(kind: str, body: Any, axes: Any, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        checked(Case(kind, body, [axes], {}, None, None), tmp_path)
    assert [d.code for d in caught.value.diagnostics if d.is_error] == [code]
    assert words in caught.value.diagnostics[0].message
