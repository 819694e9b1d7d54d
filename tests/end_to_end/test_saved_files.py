"""Files that an earlier version wrote are read, and give what they gave then."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

import nnspec
from nnspec import pipeline
from nnspec.backends.keras import register_layers
from nnspec.backends.keras.model import build_model, predict
from nnspec.jobs.weights import load_weights

SAVED = Path(__file__).parent / "saved"
EXPECTED = dict(np.load(SAVED / "expected.npz"))


def test_a_keras_archive_with_layers_of_our_own() -> None:
    register_layers()
    model = keras.models.load_model(SAVED / "model.keras")
    assert any(type(layer).__module__.startswith("nnspec.") for layer in model.layers)
    np.testing.assert_allclose(model(EXPECTED["window"]), EXPECTED["keras"], rtol=1e-5)


def test_the_weights_of_an_archive_fit_its_spec() -> None:
    checked = pipeline.check(SAVED / "spec.yaml")
    compiled = build_model(checked.graph)
    load_weights(compiled, SAVED / "model.keras")
    made = predict(compiled.model, checked.graph, {"window": EXPECTED["window"]})
    np.testing.assert_allclose(made["kind"], EXPECTED["keras"], rtol=1e-5)


def test_an_onnx_file_by_its_metadata() -> None:
    made = nnspec.runtime.load(SAVED / "model.onnx")(EXPECTED["window"])
    np.testing.assert_allclose(made["kind"], EXPECTED["onnx_kind"], rtol=1e-5)
    assert list(np.ravel(made["kind_label"])) == list(np.ravel(EXPECTED["onnx_kind_label"]))
