"""What is learned from the training rows before training, or beside it, never counts padding.

Every expected value is NumPy's over the real steps of the training rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.backends.keras.model import predict, read_weights
from nnspec.jobs import settings_of, vocabularies
from nnspec.jobs.dataset import load_dataset
from nnspec.progress import Progress
from nnspec.training.adapting import adapt_layers, padding_of
from nnspec.training.train import compile_model, train

SAMPLES, STEPS, FEATURES = 24, 6, 2
TRAIN = slice(0, 12)
SIZES = {2: {"time": STEPS}, 3: {"time": STEPS, "feature": FEATURES}}
POOL = ("GlobalAveragePooling1D",)


def sequences(side: str, pad: float) -> tuple[np.ndarray, np.ndarray]:
    """Padded sequences, and where they are real: the last step of the training rows never is."""
    rng = np.random.default_rng(4)
    lengths = rng.integers(1, STEPS + 1, SAMPLES)
    lengths[TRAIN] = np.minimum(lengths[TRAIN], STEPS - 1)
    real = np.arange(STEPS) < lengths[:, None]
    x = rng.normal([5, -3], [1, 4], (SAMPLES, STEPS, FEATURES)).astype(np.float32)
    real = real[:, ::-1] if side == "left" else real
    return np.where(real[..., None], x, np.float32(pad)), real


def prepared(
    folder: Path, model: list[Any], x: np.ndarray, given: dict[str, Any], pool: Sequence[str] = POOL, **more: Any
) -> Any:
    """The checked spec of a model of these data, with one number a sample to guess."""
    axes = (
        dict(zip(given["axes"][1:], x.shape[1:], strict=True)) if "sample" in given.get("axes", ()) else SIZES[x.ndim]
    )
    dtype = {"dtype": "int32"} if x.dtype.kind == "i" else {}
    spec = {
        "nnspec": 1,
        "data": {
            "source": {"npz": "data.npz"},
            "split": {"train": 0.5, "test": 0.5, "by": "order"},
            "inputs": {"x": given},
            "outputs": {"y": {"array": "y", "axes": ["sample", "target"]}},
        },
        "inputs": {"x": {"axes": axes, **dtype}},
        "model": [*model, *pool, {"Dense": {"units": 1, "as": "target"}}],
        "outputs": {"y": {"task": "regression"}},
        "training": {"epochs": 1, "batch_size": 12, "seed": 1, **more},
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    if not (folder / "data.npz").exists():
        np.savez(folder / "data.npz", x=x, y=np.zeros((len(x), 1), np.float32))
    return api.load(folder / "spec.yaml").checked


def adapted(checked: Any, name: str) -> dict[str, np.ndarray]:
    """The weights of a layer that has been shown the training rows."""
    data = load_dataset(checked)
    compiled = compile_model(checked.graph, settings_of(checked))
    adapt_layers(compiled, checked.graph, data.splits["train"].x, padding_of(data))
    node = next(node for node in checked.graph.nodes if node.name == name)
    return read_weights(node, compiled.layers[name])


GIVEN = {"array": "x", "axes": ["sample", "time", "feature"]}
NORMALIZATION = {"Normalization": {"name": "normal"}}


@pytest.mark.parametrize(
    ("side", "given", "model"),
    [
        ("right", {"pad_value": -7.0}, [NORMALIZATION]),
        ("left", {"pad_value": 0.0}, [{"Masking": {}}, NORMALIZATION]),
        ("left", {}, [{"Masking": {"mask_value": -7.0}}, NORMALIZATION]),
        ("right", {"pad_value": 0.0}, [{"Rescaling": {"scale": 2.0}}, NORMALIZATION]),
        ("right", {"pad_value": 0.0}, [{"TimeDistributed": {"layer": "Normalization", "name": "normal"}}]),
    ],
    ids=["pad-value", "both", "mask", "behind-another", "time-distributed"],
)
def test_normalization(side: str, given: dict[str, Any], model: list[Any], tmp_path: Path) -> None:
    pad = given.get("pad_value", -7.0)
    x, real = sequences(side, pad)
    found = adapted(prepared(tmp_path, model, x, {**GIVEN, **given}), "normal")
    known = x[TRAIN][real[TRAIN]] * (2 if "Rescaling" in model[0] else 1)
    np.testing.assert_allclose(found["mean"], known.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found["variance"], known.var(axis=0), rtol=1e-4)
    assert abs(found["mean"][0] - x[TRAIN].mean(axis=(0, 1))[0]) > 0.5  # what counting padding would give


def test_normalization_of_ragged_sequences(tmp_path: Path) -> None:
    x, real = sequences("right", 0)
    np.savez(tmp_path / "data.npz", x=x[real], n=real.sum(axis=1), y=np.zeros((SAMPLES, 1)))
    given = {"array": "x", "axes": ["time", "feature"], "lengths": "n"}
    found = adapted(prepared(tmp_path, [{"Masking": {}}, NORMALIZATION], x, given), "normal")
    np.testing.assert_allclose(found["mean"], x[TRAIN][real[TRAIN]].mean(axis=0), rtol=1e-4)


def test_normalization_of_each_step(tmp_path: Path) -> None:
    x, real = sequences("right", 0)
    model = [{"Masking": {}}, {"Normalization": {"axis": ["time", "feature"], "name": "normal"}}]
    found = adapted(prepared(tmp_path, model, x, {**GIVEN, "pad_value": 0.0}), "normal")
    rows = np.where(real[TRAIN][..., None], x[TRAIN].astype(np.float64), np.nan)
    np.testing.assert_allclose(found["mean"][:-1], np.nanmean(rows[:, :-1], axis=0), rtol=1e-4)
    np.testing.assert_allclose(found["variance"][:-1], np.nanvar(rows[:, :-1], axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["mean"][-1], [np.nanmean(rows)] * 2, rtol=1e-4)  # no training row goes so far
    np.testing.assert_allclose(found["variance"][-1], [np.nanvar(rows)] * 2, rtol=1e-4)


def test_normalization_of_words_in_padded_sentences(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    real = rng.random((SAMPLES, STEPS, 4)) < 0.6
    x = np.where(real[..., None], rng.normal(9, 2, (SAMPLES, STEPS, 4, FEATURES)), 0).astype(np.float32)
    given = {"array": "x", "axes": ["sample", "time", "word", "feature"]}
    found = adapted(prepared(tmp_path, [{"Masking": {}}, NORMALIZATION], x, given, pool=("Flatten",)), "normal")
    np.testing.assert_allclose(found["mean"], x[TRAIN][real[TRAIN]].mean(axis=0), rtol=1e-4)


def test_bins(tmp_path: Path) -> None:
    x, real = sequences("right", 0)
    model = [
        {"Discretization": {"num_bins": 4, "output_mode": "int", "name": "bins"}},
        {"Embedding": {"input_dim": 4, "output_dim": 2, "name": "table"}},
        {"merge": {"channel": ["feature", "embedding"]}},
    ]
    found = adapted(prepared(tmp_path, model, x, {**GIVEN, "pad_value": 0.0}), "bins")
    wanted = np.quantile(x[TRAIN][real[TRAIN]], [0.25, 0.5, 0.75])
    np.testing.assert_allclose(found["boundaries"], wanted, atol=0.6)
    assert np.abs(found["boundaries"] - np.quantile(x[TRAIN], [0.25, 0.5, 0.75])).max() > 1


@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_vocabularies(mode: str, tmp_path: Path) -> None:
    """Padding is no word, and does not fill up a document."""
    rng = np.random.default_rng(2)
    real = sequences("right", 0)[1]
    words = np.where(real, rng.integers(3, 7, real.shape), 0).astype(np.int32)
    words[TRAIN][:, 0] = [3, 4, 5, 6] * 3
    lookup: dict[str, Any] = {"name": "words", "output_mode": mode, "max_tokens": 8}
    behind: list[Any] = [{"Embedding": {"input_dim": 8, "output_dim": 2}}, "GlobalAveragePooling1D"]
    if mode == "tf_idf":
        lookup, behind = {**lookup, "pad_to_max_tokens": True}, []
    given = {"array": "x", "pad_value": 0}
    checked = prepared(tmp_path, [{"IntegerLookup": lookup}, *behind], words, given, pool=())
    data = load_dataset(checked)
    found = vocabularies.learn(checked.graph, data)["words"]
    counts = np.bincount(words[TRAIN][real[TRAIN]])
    assert sorted(found["vocabulary"]) == np.flatnonzero(counts).tolist()
    if mode == "tf_idf":
        holding = [(words[TRAIN] == word).any(axis=1).sum() for word in found["vocabulary"]]
        np.testing.assert_allclose(found["idf_weights"], np.log1p(12 / (1 + np.array(holding))), rtol=1e-6)


@pytest.mark.parametrize("method", ["standard", "minmax"])
@pytest.mark.parametrize("along", [None, ["time", "feature"]])
def test_scaling(method: str, along: list[str] | None, tmp_path: Path) -> None:
    x, real = sequences("left", -7)
    scale: Any = method if along is None else {"method": method, "along": along}
    model = [{"Masking": {"mask_value": -7.0}}]
    checked = prepared(tmp_path, model, x, {**GIVEN, "pad_value": -7.0, "scale": scale})
    scaling = load_dataset(checked).inputs["x"].scaling
    assert scaling is not None
    rows = np.where(real[TRAIN][..., None], x[TRAIN].astype(np.float64), np.nan)
    axes = (0, 1) if along is None else (0,)
    rows = rows if along is None else rows[:, 1:]  # the first step is never real
    found = scaling.offset if along is None else scaling.offset[1:]
    divided = scaling.divisor if along is None else scaling.divisor[1:]
    if method == "standard":
        offset, divisor = np.nanmean(rows, axis=axes), np.nanstd(rows, axis=axes)
    else:
        offset = np.nanmin(rows, axis=axes)
        divisor = np.nanmax(rows, axis=axes) - offset
    np.testing.assert_allclose(found.reshape(offset.shape), offset, rtol=1e-4)
    varies = divisor > 1e-6
    np.testing.assert_allclose(divided.reshape(offset.shape)[varies], divisor[varies], rtol=1e-4)
    assert np.isfinite(scaling.offset).all()
    assert (scaling.divisor > 0).all()


def test_batch_normalization_behind_a_mask(tmp_path: Path) -> None:
    """One batch an epoch: the moving averages go from 0 and 1 towards the statistics of the real steps."""
    x, real = sequences("left", 0)
    model = [{"Masking": {}}, {"BatchNormalization": {"momentum": 0.8, "name": "normal"}}]
    still = {"SGD": {"learning_rate": 1e-30}}
    checked = prepared(tmp_path, model, x, {**GIVEN, "pad_value": 0.0}, optimizer=still, restore_best=False)
    (tmp_path / "out").mkdir()
    trained = train(checked.graph, load_dataset(checked), settings_of(checked), tmp_path / "out", Progress(quiet=True))
    node = next(node for node in checked.graph.nodes if node.name == "normal")
    found = read_weights(node, trained.compiled.layers["normal"])
    known = x[TRAIN][real[TRAIN]]
    np.testing.assert_allclose(found["moving_mean"], 0.2 * known.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found["moving_variance"], 0.8 + 0.2 * known.var(axis=0), rtol=1e-4)
    said = predict(trained.compiled.model, checked.graph, {"x": x})["y"]
    normal = (x - found["moving_mean"]) / np.sqrt(found["moving_variance"] + 1e-3)
    mean = np.stack([rows[which].mean(axis=0) for rows, which in zip(normal, real, strict=True)])
    kernel, bias = trained.compiled.model.layers[-1].get_weights()
    np.testing.assert_allclose(said, mean @ kernel + bias, rtol=1e-4, atol=1e-5)
