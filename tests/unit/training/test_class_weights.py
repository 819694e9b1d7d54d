"""Classes weighed by number: what Keras' `class_weight` does, by label, and for targets of each step too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.diagnostics import SpecError
from nnspec.jobs import load_dataset, settings_of
from nnspec.progress import Progress
from nnspec.training.class_weights import class_weights
from nnspec.training.targets import as_samples
from nnspec.training.train import compile_model, train

KINDS = ["no", "maybe", "yes"]
OUTPUTS = {"kind": {"task": "classification", "classes": KINDS}}
HEAD = {"Dense": {"units": 3, "activation": "softmax", "as": "class"}}


def loaded(folder: Path, arrays: dict[str, np.ndarray], outputs: dict[str, Any], **more: Any) -> Any:
    np.savez(folder / "rows.npz", **arrays)
    axes = {"step": arrays["x"].shape[1], "feature": 2} if arrays["x"].ndim == 3 else {"feature": 2}
    spec = {
        "nnspec": 1,
        "data": {
            "source": {"npz": "rows.npz"},
            "split": {"train": 1.0},
            "inputs": {"x": {"array": "x"}},
            "outputs": {name: {"array": name} for name in outputs},
        },
        "inputs": {"x": {"axes": axes}},
        "outputs": outputs,
        **more,
    }
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return api.load(folder / "spec.yaml").checked


def weights(checked: Any) -> dict[str, np.ndarray]:
    data = load_dataset(checked)
    return class_weights(checked.graph, data.splits["train"], settings_of(checked), data.deployment)


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 3, size=shape)


def test_a_training_is_keras_own_with_class_weight(tmp_path: Path) -> None:
    x, codes = np.random.default_rng(0).normal(size=(40, 2)).astype("f4"), drawn(40)
    training = {"epochs": 3, "batch_size": 40, "restore_best": False, "monitor": "loss"}
    training["class_weight"] = {"yes": 5, "no": 0.5}
    arrays = {"x": x, "kind": np.array(KINDS)[codes]}
    checked = loaded(tmp_path, arrays, OUTPUTS, model=[HEAD], training=training)
    found = train(checked.graph, load_dataset(checked), settings_of(checked), tmp_path / "out", Progress(quiet=True))
    wanted = compile_model(checked.graph, settings_of(checked)).model
    wanted.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy())
    history = wanted.fit(x, codes, batch_size=40, epochs=3, shuffle=False, class_weight={0: 0.5, 1: 1, 2: 5}, verbose=0)
    np.testing.assert_allclose([row["loss"] for row in found.history], history.history["loss"], rtol=1e-5)
    for mine, hers in zip(found.compiled.model.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, hers, atol=1e-6)


def test_targets_of_each_step(tmp_path: Path) -> None:
    codes = drawn(6, 4)
    arrays = {"x": np.zeros((6, 4, 2), "f4"), "kind": np.array(KINDS)[codes]}
    for wanted, expected in (
        ({"maybe": 3}, np.array([1.0, 3.0, 1.0])),
        ("balanced", codes.size / (3 * np.bincount(codes.reshape(-1)))),
    ):
        training = {"class_weight": wanted, "monitor": "loss"}
        found = weights(loaded(tmp_path, arrays, OUTPUTS, model=[HEAD], training=training))
        np.testing.assert_allclose(found["kind"], expected[codes], rtol=1e-6)


def test_by_output_and_of_a_binary_one(tmp_path: Path) -> None:
    codes = drawn(9)
    arrays = {"x": np.zeros((9, 2), "f4"), "kind": np.array(KINDS)[codes], "ill": (codes > 1).astype("i4")[:, None]}
    outputs = {"kind": {"from": "kinds", **OUTPUTS["kind"]}, "ill": {"from": "ill", "task": "binary"}}
    body = HEAD["Dense"]
    model = [
        {"Dense": {**body, "name": "kinds"}},
        {"Dense": {"units": 1, "activation": "sigmoid", "name": "ill", "from": "x"}},
    ]
    training = {"class_weight": {"ill": {1: 4}}, "monitor": "loss"}
    checked = loaded(tmp_path, arrays, outputs, model=model, training=training)
    found = weights(checked)
    assert list(found) == ["ill"]
    np.testing.assert_array_equal(found["ill"], np.where(codes > 1, 4.0, 1.0))
    samples = as_samples(checked.graph, load_dataset(checked).splits["train"], by_class=found)
    assert isinstance(samples.weights, dict)
    np.testing.assert_array_equal(samples.weights["kind"], np.ones(9))


def test_a_label_that_only_the_loaded_data_lack(tmp_path: Path) -> None:
    arrays = {"x": np.zeros((6, 2), "f4"), "kind": np.arange(6) % 3 + 7}
    training = {"class_weight": {10: 2}, "monitor": "loss"}
    with pytest.raises(SpecError, match="names `10`, which is not a label"):
        weights(loaded(tmp_path, arrays, {"kind": {"task": "classification"}}, model=[HEAD], training=training))
