"""Fine-tuning as one does it: a published network imported, its head replaced, frozen, trained, and then all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.importers.keras.importer import import_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MobileNet's spec and weights, the spec with another head, and a few pictures."""
    folder = tmp_path_factory.mktemp("mobilenet")
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(
        input_shape=(32, 32, 3), alpha=0.25, weights=None, include_top=False, pooling="avg"
    )
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.normal(size=layer.moving_mean.shape) * 0.1)
    network.save(folder / "mobilenet.keras")
    imported = import_model(network, folder, name="mobilenet")
    spec: dict[str, Any] = yaml.safe_load(imported.spec.read_text(encoding="utf-8"))
    spec["blocks"] = {**spec.get("blocks", {}), "mobilenet": {"model": spec["model"]}}
    spec |= {
        "data": {
            "source": {"npz": "pictures.npz"},
            "split": {"train": 0.75, "validation": 0.25},
            "inputs": {next(iter(spec["inputs"])): {"array": "pictures"}},
            "outputs": {"kind": {"array": "kinds"}},
        },
        "vars": {"free": False},
        "model": [
            {"block": {"use": "mobilenet", "name": "base", "trainable": "$free"}},
            {"Dense": {"units": 3, "activation": "softmax", "as": "class", "name": "head"}},
        ],
        "outputs": {"kind": {"task": "classification"}},
        "training": {
            "epochs": 1,
            "batch_size": 16,
            "restore_best": False,
            "weights": {"from": "mobilenet.weights.h5", "nodes": {"base": "."}},
        },
    }
    (folder / "fine.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    kinds = np.arange(32) % 3
    pictures = rng.normal(size=(32, 32, 32, 3)) + kinds[:, None, None, None]
    np.savez(folder / "pictures.npz", pictures=pictures.astype("f4"), kinds=kinds)
    return folder


def weights_of(path: Path) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in keras.models.load_model(path, compile=False).layers}


def test_mobilenet_with_another_head_is_trained_frozen_and_then_free(folder: Path) -> None:
    original = [w for w in weights_of(folder / "mobilenet.keras").values() if w]
    api.load(folder / "fine.yaml").train(folder / "frozen", quiet=True)
    frozen = weights_of(folder / "frozen" / "model.keras")
    base = [w for name, w in frozen.items() if w and name != "head"]
    assert len(base) == len(original) == 54
    for mine, hers in zip(base, original, strict=True):  # the moving statistics of its normalizations too
        for a, b in zip(mine, hers, strict=True):
            np.testing.assert_array_equal(a, b)

    changed = {"vars.free": True, "training.weights": "frozen", "training.optimizer": {"Adam": {"learning_rate": 1e-5}}}
    api.load(folder / "fine.yaml", changed).train(folder / "free", quiet=True)
    free = weights_of(folder / "free" / "model.keras")
    moved = [abs(a - b).max() for name in frozen for a, b in zip(free[name], frozen[name], strict=True)]
    assert min(moved) > 0
    kernels = [abs(free[name][0] - frozen[name][0]).max() for name in frozen if "conv" in name and frozen[name]]
    assert max(kernels) < 1e-4  # two steps from where the first training ended
