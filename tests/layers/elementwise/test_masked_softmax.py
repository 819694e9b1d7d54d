"""Attention pooling over padded sequences: padding has no share, whatever stands there, in Keras and in ONNX.

The reference is NumPy's, over the real steps alone.
"""

from __future__ import annotations

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
TABLE = {"Embedding": {"input_dim": 9, "output_dim": 3, "mask_zero": True, "name": "table"}}
SCORE = {"Dense": {"units": 1, "as": "score", "bias_initializer": {"Constant": {"value": 0.3}}, "name": "score"}}
BY_DOT = [{"Dot": {"from": ["share", "table"], "axes": "word"}}, "Flatten"]
BY_PRODUCT = [
    {"Multiply": {"from": ["table", "share"], "broadcast": "embedding"}},
    {"reduce": {"axis": "word", "by": "sum"}},
]


def written(folder: Path, axes: dict[str, Any], model: list[Any]) -> Path:
    spec = {"nnspec": 1, "inputs": {"ids": {"axes": axes, "dtype": "int32"}}, "model": model}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**spec, "outputs": {"y": {"task": "regression"}}}, sort_keys=False), "utf-8")
    return path


def padded(shape: tuple[int, ...]) -> Array:
    """Ids with padding nowhere, right, left, in the middle, and throughout."""
    ids = np.random.default_rng(4).integers(1, 9, (5, *shape)).astype(np.int32)
    ids[1, ..., 3:] = 0
    ids[2, ..., :2] = 0
    ids[3, ..., 1:3] = 0
    ids[4] = 0
    return ids


def pooled(model: Any, ids: Array) -> Array:
    """The mean of the real steps, each weighted by the exponential of its score; zeros where there is none."""
    table = np.asarray(model.get_layer("table").get_weights()[0])
    kernel, bias = model.get_layer("score").get_weights()
    made = []
    for row in ids.reshape(-1, ids.shape[-1]):
        real = table[row[row != 0]]
        shares = np.exp(real @ kernel + bias)
        made.append((real * shares).sum(axis=0) / shares.sum() if len(real) else np.zeros(table.shape[1]))
    return np.asarray(made).reshape(*ids.shape[:-1], -1)


def by_onnx(spec: api.Spec, model: Any, folder: Path, ids: Array) -> Array:
    model.save_weights(folder / "model.weights.h5")
    run = spec.export(folder / "out", weights=folder / "model.weights.h5")
    session = onnxruntime.InferenceSession(run.model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["y"], {"ids": ids})[0])


@pytest.mark.parametrize("size", [5, "T"])
@pytest.mark.parametrize("sum_by", [BY_DOT, BY_PRODUCT], ids=["dot", "product"])
def test_padding_has_no_share(sum_by: list[Any], size: int | str, tmp_path: Path) -> None:
    model = [TABLE, SCORE, {"Softmax": {"axis": "word", "name": "share"}}, *sum_by]
    path = written(tmp_path, {"word": size}, model)
    assert diagnose(path) == []
    spec, ids = api.load(path), padded((5,))
    compiled = spec.compile()
    wanted = pooled(compiled, ids)
    np.testing.assert_allclose(compiled.predict(ids, verbose=0), wanted, atol=1e-6)
    np.testing.assert_allclose(by_onnx(spec, compiled, tmp_path, ids), wanted, atol=1e-6)
    compiled.compile(optimizer="sgd", loss="mse")
    assert np.isfinite(compiled.train_on_batch(ids, wanted + 1)).all()
    assert all(np.isfinite(weight).all() for weight in compiled.get_weights())


def test_words_of_sentences(tmp_path: Path) -> None:
    """Each sentence has a mask of its own. One of padding alone is data for the layer behind, which is told."""
    steps = {"LSTM": {"units": 3, "over": "sentence"}}
    model = [TABLE, SCORE, {"Softmax": {"axis": "word", "name": "share"}}, *BY_PRODUCT, {"Dense": {"units": 2}}, steps]
    path = written(tmp_path, {"sentence": 2, "word": 5}, model)
    assert [d.code for d in diagnose(path)] == ["NN319"]
    spec, ids = api.load(path), padded((2, 5))
    compiled = spec.compile()
    before = keras.Model(compiled.input, compiled.get_layer("dense_1").input)
    np.testing.assert_allclose(before.predict(ids, verbose=0), pooled(compiled, ids), atol=1e-6)
    np.testing.assert_allclose(by_onnx(spec, compiled, tmp_path, ids), compiled.predict(ids, verbose=0), atol=1e-5)


def test_another_axis_leaves_the_mask_alone(tmp_path: Path) -> None:
    """Shares of the features of each step: the mask goes by, and a recurrent layer behind uses it."""
    model = [TABLE, {"Softmax": {"axis": "embedding"}}, {"GRU": {"units": 2, "name": "gru"}}]
    spec, ids = api.load(written(tmp_path, {"word": 5}, model)), padded((5,))
    compiled = spec.compile()
    table, gru = np.asarray(compiled.get_layer("table").get_weights()[0]), compiled.get_layer("gru")
    got = compiled.predict(ids, verbose=0)
    for row, made in zip(ids[:4], got, strict=False):
        powers = np.exp(table[row[row != 0]])
        alone = np.asarray(gru((powers / powers.sum(axis=-1, keepdims=True))[None]))[0]
        np.testing.assert_allclose(made, alone, atol=1e-6)
    np.testing.assert_allclose(by_onnx(spec, compiled, tmp_path, ids), got, atol=1e-5)


def test_a_sum_that_counts_padding_is_warned_of(tmp_path: Path) -> None:
    """The shares of a sigmoid are not 0 at padding."""
    gate = {"Dense": {"units": 1, "as": "score", "activation": "sigmoid", "name": "share"}}
    path = written(tmp_path, {"word": 5}, [TABLE, gate, *BY_DOT])
    assert [d.code for d in diagnose(path)] == ["NN319"]
