"""Trainings that start from trained weights: of a build, a Keras archive or a weights file, whole or by node."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import yaml

from nnspec import api, pipeline
from nnspec.backends.keras.model import build_model
from nnspec.diagnostics import SpecError
from nnspec.jobs import run_training
from nnspec.jobs.resuming import find_origin, refuse_other_origin, write_origin
from nnspec.jobs.start import weights_loader
from nnspec.progress import Progress

SPEC: dict[str, Any] = {
    "nnspec": 1,
    "inputs": {"x": {"axes": {"time": 5, "feature": 3}}},
    "blocks": {
        "body": {
            "model": [
                {"Bidirectional": {"layer": {"LSTM": {"units": 2, "return_sequences": True}}}},
                {"MultiHeadAttention": {"num_heads": 2, "key_dim": 3, "from": ["bidirectional_1"] * 2}},
                "BatchNormalization",
                {"formula": {"expression": "x * g", "weights": {"g": {"axes": {"unit": None}}}}},
            ]
        }
    },
    "model": [{"block": {"use": "body", "name": "encoder"}}, "Flatten", {"Dense": {"units": 1, "name": "head"}}],
    "outputs": {"y": {"task": "regression"}},
}


def checked(folder: Path, weights: Any = None, **more: Any) -> pipeline.Checked:
    spec = {**SPEC, **more, **({"training": {"weights": weights}} if weights is not None else {})}
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return pipeline.check(folder / "spec.yaml")


def drawn(model: keras.Model, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.dtype.startswith("float"):
            variable.assign(rng.normal(size=variable.shape))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[np.ndarray]]]:
    """A build's directory with weights of its own, and those by layer."""
    folder = tmp_path_factory.mktemp("trained")
    compiled = build_model(checked(folder).graph)
    drawn(compiled.model, 1)
    (folder / "run").mkdir()
    compiled.model.save(folder / "run" / "model.keras")
    compiled.model.save_weights(folder / "run" / "all.weights.h5")
    return folder, {layer.name: layer.get_weights() for layer in compiled.model.layers}


def started(folder: Path, weights: Any, **more: Any) -> dict[str, list[np.ndarray]]:
    found = checked(folder, weights, **more)
    keras.utils.set_random_seed(0)
    compiled = build_model(found.graph)
    start = weights_loader(found, lambda text: None)
    assert start is not None
    start(compiled)
    return {layer.name: layer.get_weights() for layer in compiled.model.layers}


def same(mine: list[np.ndarray], hers: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(mine, hers, strict=True) if np.asarray(a).dtype.kind == "f")


HOLDERS = ["encoder.bidirectional_1", "encoder.multi_head_attention_1", "encoder.batch_normalization_1",
           "encoder.formula_1.g", "head"]  # fmt: skip


@pytest.mark.parametrize("source", ["run", "run/model.keras", "run/all.weights.h5"])
def test_whole(source: str, trained: tuple[Path, dict[str, list[np.ndarray]]]) -> None:
    folder, wanted = trained
    found = started(folder, source)
    assert all(same(found[name], wanted[name]) for name in HOLDERS)


@pytest.mark.parametrize(
    ("weights", "taken"),
    [
        ({"nodes": ["encoder"]}, HOLDERS[:-1]),
        ({"except": ["head"]}, HOLDERS[:-1]),
        ({"nodes": ["head", "encoder/bi*"]}, [HOLDERS[0], "head"]),
        ({"nodes": ["encoder"], "except": ["encoder/formula_1"]}, HOLDERS[:-2]),
    ],
    ids=["block", "all but one", "patterns", "block but for a layer"],
)
def test_by_node(weights: dict[str, Any], taken: list[str], trained: tuple[Path, dict[str, list[np.ndarray]]]) -> None:
    folder, wanted = trained
    found = started(folder, {"from": "run", **weights})
    assert [name for name in HOLDERS if same(found[name], wanted[name])] == taken


def test_names_that_differ_and_models_within_models(tmp_path: Path) -> None:
    """A Keras archive that nnspec did not write: its layers are those of a block here."""
    x = keras.Input((3,))
    inner = keras.Model(x, keras.layers.Dense(2, name="two")(keras.layers.Dense(4, name="one")(x)), name="base")
    y = keras.Input((3,))
    outer = keras.Model(y, keras.layers.Dense(1, name="score")(inner(y)))
    inner.save(tmp_path / "inner.keras")
    outer.save(tmp_path / "outer.keras")
    more = {
        "inputs": {"x": {"axes": {"feature": 3}}},
        "blocks": {"body": {"model": [{"Dense": {"units": 4, "name": "one"}}, {"Dense": {"units": 2, "name": "two"}}]}},
        "model": [{"block": {"use": "body", "name": "mine"}}, {"Dense": {"units": 1, "name": "head"}}],
    }
    alone = started(tmp_path, {"from": "inner.keras", "nodes": {"mine": "."}}, **more)
    within = started(tmp_path, {"from": "outer.keras", "nodes": {"mine": "base", "head": "score"}}, **more)
    for name in ("one", "two"):
        assert same(alone[f"mine.{name}"], inner.get_layer(name).get_weights())
        assert same(within[f"mine.{name}"], inner.get_layer(name).get_weights())
    assert same(within["head"], outer.get_layer("score").get_weights())


def fault(folder: Path, weights: Any) -> str:
    with pytest.raises(SpecError) as raised:
        checked(folder, weights)
    return " ".join(f"{found.code} {found.message}" for found in raised.value.diagnostics)


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "text.keras").write_text("no archive", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["model_weights/dense/kernel:0"] = np.zeros((3, 4))
    (tmp_path / "folder").mkdir()
    assert {fault(tmp_path, name)[:5] for name in ("text.keras", "empty.keras", "other.h5", "folder")} == {"NN533"}
    assert fault(tmp_path, "../spec.keras").startswith("NN510")
    assert fault(tmp_path, "lacking.keras").startswith("NN501")


def test_a_link_to_another_file_is_not_followed(trained: tuple[Path, dict[str, list[np.ndarray]]]) -> None:
    folder, _ = trained
    with h5py.File(folder / "link.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink(str(folder / "run" / "all.weights.h5"), "layers")
    assert fault(folder, "link.weights.h5").startswith("NN533")


def test_other_weights_are_not_resumed_with(trained: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path) -> None:
    folder, _ = trained
    (tmp_path / "start.weights.h5").write_bytes((folder / "run" / "all.weights.h5").read_bytes())
    found = checked(tmp_path, "start.weights.h5")
    write_origin(find_origin(found), tmp_path / "checkpoint")
    refuse_other_origin(found, tmp_path / "checkpoint", resume=True)
    (tmp_path / "start.weights.h5").write_bytes((folder / "run" / "all.weights.h5").read_bytes() + b"0")
    with pytest.raises(SpecError, match=r"another `start\.weights\.h5`"):
        refuse_other_origin(found, tmp_path / "checkpoint", resume=True)


def test_words_come_with_the_embeddings_that_were_trained_with_them(tmp_path: Path) -> None:
    words = {"first": "b a b a a c", "second": "d e d e f d"}
    spec: dict[str, Any] = {
        "nnspec": 1,
        "data": {
            "source": {"csv": "rows.csv"},
            "split": {"train": 1.0},
            "inputs": {"word": {"columns": ["word"]}},
            "outputs": {"y": {"columns": ["y"]}},
        },
        "inputs": {"word": {"axes": {"text": 1}, "dtype": "string"}},
        "model": [
            {"StringLookup": {"name": "words", "max_tokens": 4}},
            {"Embedding": {"input_dim": 4, "output_dim": 2, "name": "table"}},
            "Flatten",
            {"Dense": {"units": 1}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "training": {"epochs": 1, "monitor": "loss"},
    }
    for name, text in words.items():
        rows = "".join(f"{word},1\n" for word in text.split())
        (tmp_path / "rows.csv").write_text("word,y\n" + rows, encoding="utf-8")
        if name == "second":
            spec["training"]["weights"] = {"from": "first", "nodes": ["words", "table"]}
        (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
        api.load(tmp_path / "spec.yaml").train(tmp_path / name)
    for name in words:
        with zipfile.ZipFile(tmp_path / name / "model.keras") as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
        (known,) = [layer["config"]["vocabulary"] for layer in layers if layer["config"]["name"] == "words"]
        assert known == ["a", "b", "c"]
    manifest = json.loads((tmp_path / "second" / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["weights"]) == ["first"]


ROWS = {"first": [(0, "a"), (2, "b"), (0, "a"), (2, "b")], "second": [(10, "b"), (14, "c"), (10, "b"), (14, "c")]}


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_other_statistics_and_words_are_told(scale: str, tmp_path: Path) -> None:
    """Of 0 and 2, mean 1 and deviation 1; then of 10 and 14, mean 12 and deviation 2: 1 and 2 become -5.5 and -5."""
    told = {}
    for name, rows in ROWS.items():
        text = "x,kind,y\n" + "".join(f"{x},{kind},1\n" for x, kind in rows)
        (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
        spec = {
            "nnspec": 1,
            "data": {
                "source": {"csv": "rows.csv"},
                "split": {"train": 1.0},
                "inputs": {
                    "x": {"columns": ["x"], "scale": scale},
                    "mixed": {"columns": {"x": {"scale": scale}, "kind": "one_hot"}},
                },
                "outputs": {"y": {"columns": ["y"]}},
            },
            "inputs": {"x": {"axes": {"feature": 1}}, "mixed": {"axes": {"feature": "auto"}}},
            "model": [{"Concatenate": {"from": ["x", "mixed"]}}, {"Dense": {"units": 1}}],
            "outputs": {"y": {"task": "regression"}},
            "training": {"epochs": 1, "monitor": "loss", **({"weights": "first"} if name == "second" else {})},
        }
        (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
        stream = io.StringIO()
        run_training(pipeline.check(tmp_path / "spec.yaml"), tmp_path / name, Progress(stream=stream))
        told[name] = [line for line in stream.getvalue().splitlines() if "the weights in first" in line]
    assert not told["first"]
    moved = [line for line in told["second"] if "what was 0 and 1 to the weights in first is -5.5 and -5 now" in line]
    assert len(moved) == (2 if scale == "standard" else 0)
    (words,) = [line for line in told["second"] if "column `kind`" in line]
    assert "what is `b` here was `a` there" in words
