"""Masks within masks: padded words in padded sentences, in Keras and in ONNX, with padding wherever it may be.

The reference leaves padding out by hand: every sequence is cut down to its data, and Keras' own layers, which know no
mask then, run over what is left, in batches of one length.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
import yaml

from nnspec import api
from nnspec.pipeline import diagnose

Array = np.ndarray
IDS = {"sentence": 5, "word": 4}
NOISE = {"bias_initializer": {"RandomNormal": {"stddev": 0.7, "seed": 3}}}  # so that padding read as data shows


def documents(shape: tuple[int, ...]) -> Array:
    """Ids from 1, 0 where there is padding: none, right, left, in the middle, whole sentences, whole documents."""
    rng = np.random.default_rng(8)
    ids = rng.integers(1, 9, (8, *shape)).astype(np.int32)
    ids[1, ..., 2:] = 0
    ids[2, ..., :2] = 0
    ids[3, ..., 1:3] = 0
    ids[4, ..., 3:, :] = 0
    ids[5, ..., :2, :] = 0
    ids[5, ..., 1] = 0
    ids[6, ..., 1:3, :] = 0
    ids[7] = 0
    return ids


def folded(read: Callable[[Array], Array], x: Array, real: Array, width: int) -> tuple[Array, Array]:
    """A layer over each sequence of the second last axis but one, cut to its data; and which had any."""
    flat, flags = x.reshape(-1, *x.shape[-2:]), real.reshape(-1, real.shape[-1])
    made, lengths = np.zeros((len(flat), width), np.float32), flags.sum(axis=-1)
    for length in set(lengths.tolist()) - {0}:  # those of one length are one batch
        (which,) = np.nonzero(lengths == length)
        made[which] = read(np.stack([flat[i][flags[i]] for i in which]))
    return made.reshape(*x.shape[:-2], width), real.any(axis=-1)


def plain(model: Any, name: str) -> Callable[[Array], Array]:
    """What a layer of the built model, or the one that a wrapper of it folds, gives for data without a mask."""
    found = next(one for one in model._flatten_layers() if one.name == name)
    if name == "steps":  # each step of it is averaged afterwards
        return lambda x: np.asarray(found(x)).mean(axis=1)
    return lambda x: np.asarray(found(x))


def by_levels(names: list[str], widths: list[int]) -> Callable[[Any, Array], Array]:
    """Ids to vectors, then a layer after the other over one axis less each."""

    def reference(model: Any, ids: Array) -> Array:
        x, real = plain(model, names[0])(ids), ids != 0
        for name, width in zip(names[1:], widths, strict=True):
            x, real = folded(plain(model, name), x, real, width)
        return x

    return reference


def embedding(**more: Any) -> dict[str, Any]:
    return {"Embedding": {"input_dim": 9, "output_dim": 3, "mask_zero": True, **more}}


def over(axis: str, inner: Any, **more: Any) -> dict[str, Any]:
    return {"TimeDistributed": {"over": axis, "layer": inner, **more}}


GRU = {"GRU": {"units": 4, **NOISE}}
LSTM = {"LSTM": {"units": 3, **NOISE}}
OUTER = {"LSTM": {"units": 3, "over": "sentence", "name": "outer", **NOISE}}
MODELS: dict[str, tuple[dict[str, Any], list[Any], Callable[[Any, Array], Array]]] = {
    "embedding-of-documents": (
        IDS,
        [embedding(name="table"), over("sentence", GRU, name="inner"), OUTER],
        by_levels(["table", "inner", "outer"], [4, 3]),
    ),
    "embedding-of-sentences": (
        IDS,
        [over("sentence", embedding(), name="table"), over("sentence", LSTM, name="inner"), OUTER],
        by_levels(["table", "inner", "outer"], [3, 3]),
    ),
    "three-levels": (
        {"page": 2, **IDS},
        [
            embedding(name="table"),
            over("page", over("sentence", GRU), name="inner"),
            over("page", LSTM, name="middle"),
            {"GRU": {"units": 2, "over": "page", "name": "outer", **NOISE}},
        ],
        by_levels(["table", "inner", "middle", "outer"], [4, 3, 2]),
    ),
    "open-sizes": (
        {"sentence": None, "word": None},
        [embedding(name="table"), over("sentence", GRU, name="inner"), OUTER],
        by_levels(["table", "inner", "outer"], [4, 3]),
    ),
    "every-word-and-their-mean": (
        IDS,
        [
            embedding(name="table"),
            over("sentence", {"GRU": {"units": 4, "return_sequences": True, **NOISE}}, name="steps"),
            {"Dropout": 0.1},
            over("sentence", "GlobalAveragePooling1D", name="mean"),
            OUTER,
        ],
        by_levels(["table", "steps", "outer"], [4, 3]),
    ),
    "both-ways": (
        IDS,
        [
            embedding(name="table"),
            over("sentence", {"Bidirectional": {"layer": GRU}}, name="inner"),
            {"Bidirectional": {"layer": LSTM, "over": "sentence", "name": "outer"}},
        ],
        by_levels(["table", "inner", "outer"], [8, 6]),
    ),
}


def written(folder: Path, axes: dict[str, Any], model: list[Any], dtype: str = "int32") -> Path:
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes, "dtype": dtype}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", MODELS)
def test_words_in_sentences(name: str, tmp_path: Path) -> None:
    axes, model, reference = MODELS[name]
    path = written(tmp_path, axes, model)
    assert diagnose(path) == []
    api.load(path).export(tmp_path / "out", untrained=True)
    built = keras.saving.load_model(tmp_path / "out/model.keras")
    ids = documents(tuple(size or {"sentence": 5, "word": 4}[axis] for axis, size in axes.items()))
    wanted = reference(built, ids)
    np.testing.assert_allclose(np.asarray(built(ids)), wanted, rtol=1e-4, atol=1e-5)
    session = onnxruntime.InferenceSession(str(tmp_path / "out/model.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": ids})[0], wanted, rtol=1e-4, atol=1e-5)
    assert np.abs(wanted[7]).max() == 0  # nothing but padding


def test_every_word_of_padded_sentences_by_masking(tmp_path: Path) -> None:
    """Features rather than ids: a step that holds nothing but the mask value is padding."""
    model = [
        {"Masking": {"mask_value": -1.0}},
        over("sentence", GRU, name="inner"),
        OUTER,
    ]
    path = written(tmp_path, {**IDS, "feature": 3}, model, "float32")
    assert diagnose(path) == []
    api.load(path).export(tmp_path / "out", untrained=True)
    built = keras.saving.load_model(tmp_path / "out/model.keras")
    real = documents((5, 4)) != 0
    x = np.random.default_rng(2).normal(0, 1, (8, 5, 4, 3)).astype(np.float32)
    x[~real] = -1
    vectors, some = folded(plain(built, "inner"), x, real, 4)
    wanted, _ = folded(plain(built, "outer"), vectors, some, 3)
    np.testing.assert_allclose(np.asarray(built(x)), wanted, rtol=1e-4, atol=1e-5)
    session = onnxruntime.InferenceSession(str(tmp_path / "out/model.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": x})[0], wanted, rtol=1e-4, atol=1e-5)


def test_a_layer_that_takes_one_mask_a_sample_refuses_several(tmp_path: Path) -> None:
    model = [embedding(name="words"), {"Attention": {"from": ["words", "words"]}}]
    (found,) = diagnose(written(tmp_path, IDS, model))
    assert (found.code, "differs between the positions of `sentence`" in found.message) == ("NN367", True)
    assert "TimeDistributed" in found.fixes[0].message


def test_what_loses_the_mask_of_words_says_so(tmp_path: Path) -> None:
    model = [embedding(), "Flatten", {"Dense": {"units": 1}}]
    assert [found.code for found in diagnose(written(tmp_path, IDS, model))] == ["NN319"]
    assert diagnose(written(tmp_path, IDS, [model[0], "unmask", *model[1:]])) == []


@pytest.mark.parametrize("merge", ["Multiply", "Maximum", "Add"])
def test_joins_behind_a_wrapper_take_its_mask(merge: str, tmp_path: Path) -> None:
    """What Keras' layers see as they run is not the mask of sentences, which the graph has."""
    model = [
        embedding(),
        over("sentence", LSTM, name="inner"),
        {"Dense": {"units": 3, "name": "other", "bias_initializer": {"Constant": {"value": 0.4}}}},
        {merge: {"from": ["inner", "other"]}},
        {"GlobalAveragePooling1D": {}},
    ]
    spec, ids = api.load(written(tmp_path, IDS, model)), documents((5, 4))
    compiled = spec.compile()
    joined = {"Multiply": np.multiply, "Maximum": np.maximum, "Add": np.add}[merge]
    inner = keras.Model(compiled.input, compiled.get_layer("other").input)
    sentences = inner.predict(ids, verbose=0)
    kernel, bias = compiled.get_layer("other").get_weights()
    both = joined(sentences, sentences @ kernel + bias)
    real = (ids != 0).any(axis=-1)
    wanted = [rows[flags].mean(axis=0) if flags.any() else np.zeros(3) for rows, flags in zip(both, real, strict=True)]
    np.testing.assert_allclose(compiled.predict(ids, verbose=0), wanted, atol=1e-6)
