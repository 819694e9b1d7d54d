"""Documents of unequal sentences of unequal words, from an archive with lengths at two levels to a deployed model.

The reference runs Keras' own layers over each sentence by itself, cut to its words, and over each document's sentences.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api, runtime
from nnspec.runtime.reading import read_inputs

SPEC = """
nnspec: 1
name: documents
data:
  source: {npz: documents.npz}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  inputs: {x: {array: x, axes: [sentence, word, feature], lengths: [sentences, words], scale: standard}}
  outputs: {y: {array: y, axes: [sample, target]}}
inputs: {x: {axes: {sentence: null, word: null, feature: 2}}}
model:
  - Masking
  - TimeDistributed: {over: sentence, name: words, layer: {GRU: {units: 4}}}
  - LSTM: {over: sentence, name: sentences, units: 3}
  - Dense: {units: 1, as: target, name: head}
outputs: {y: {task: regression}}
training: {epochs: 2, batch_size: 10, seed: 1}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    rng = np.random.default_rng(0)
    sentences = rng.integers(1, 5, 40)
    words = rng.integers(1, 6, sentences.sum())
    x = rng.normal(7, 3, (words.sum(), 2)).astype(np.float32)
    np.savez(folder / "documents.npz", x=x, sentences=sentences, words=words, y=rng.normal(size=(40, 1)))
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    api.load(folder / "spec.yaml").build(folder / "out")
    return folder


def unpadded(layer: Any, parts: list[np.ndarray]) -> list[np.ndarray]:
    """What a layer makes of each part, of which those of the same length go together."""
    found: dict[int, np.ndarray] = {}
    for length in {len(part) for part in parts}:
        places = [place for place, part in enumerate(parts) if len(part) == length]
        found |= zip(places, np.asarray(layer(np.stack([parts[place] for place in places]))), strict=True)
    return [found[place] for place in range(len(parts))]


@pytest.fixture(scope="module")
def reference(built: Path) -> np.ndarray:
    """What the trained layers make of each document without padding: axes `document target`."""
    model, data = keras.saving.load_model(built / "out/model.keras"), np.load(built / "documents.npz")
    layers = {layer.name: layer for layer in model._flatten_layers()}
    train = data["x"][: data["words"][: data["sentences"][:24].sum()].sum()]
    x = (data["x"] - train.mean(0)) / train.std(0)
    cut = np.split(x, np.cumsum(data["words"])[:-1])
    documents = np.split(np.stack(unpadded(layers["words"], cut)), np.cumsum(data["sentences"])[:-1])
    return np.asarray(layers["head"](np.stack(unpadded(layers["sentences"], documents))))


def test_a_deployed_model_reads_the_file_that_it_was_trained_on(built: Path, reference: np.ndarray) -> None:
    model = runtime.load(built / "out/model.onnx")
    given = read_inputs(built / "documents.npz", model.metadata)
    np.testing.assert_allclose(model(**given)["y"], reference, atol=1e-5)


def test_longer_padding_changes_nothing(built: Path, reference: np.ndarray) -> None:
    model = runtime.load(built / "out/model.onnx")
    x = read_inputs(built / "documents.npz", model.metadata)["x"]
    longer = np.pad(x, [(0, 0), (0, 2), (0, 3), (0, 0)])
    np.testing.assert_allclose(model(x=longer)["y"], reference, atol=1e-5)


def test_without_a_mask_padding_is_told(built: Path, tmp_path: Path) -> None:
    body = yaml.safe_load(SPEC)
    body["model"].pop(0)
    path = built / "unmasked.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    found = api.load(path).check()
    assert [one.code for one in found] == ["NN363"]
