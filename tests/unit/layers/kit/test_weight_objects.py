"""Every initializer, regularizer and constraint at the weights of a layer: its values arrive, and it does its work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnspec.catalogue import keras_objects
from nnspec.jobs import settings_of
from nnspec.pipeline import check
from nnspec.training.train import compile_model
from tests.support.training_arguments import others

X = np.random.default_rng(0).normal(size=(6, 7, 5)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 1)).astype("float32")
FAMILIES = ("initializers", "regularizers", "constraints")


def model_of(folder: Path, kernel: dict[str, Any]) -> Any:
    """A convolution whose kernel `time feature filter` is 3, 5, 4, and a Dense whose kernel is square, with these."""
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 7, "feature": 5}}},
        "model": [
            {"Conv1D": {"filters": 4, "kernel_size": 3, "name": "conv", **kernel}},
            "GlobalAveragePooling1D",
            {"Dense": {"units": 4, "name": "square", **kernel}},
            {"Dense": {"units": 1, "name": "last"}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "training": {"optimizer": {"SGD": {"learning_rate": 0.5}}},
    }
    # Of a kernel with three axes these make nothing.
    alone = {"Identity", "OrthogonalRegularizer"}
    if any(isinstance(value, dict) and alone & set(value) for value in kernel.values()):
        spec["model"][0] = {"Conv1D": {"filters": 4, "kernel_size": 3, "name": "conv"}}  # type: ignore[index]
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    found = check(folder / "spec.yaml")
    model = compile_model(found.graph, settings_of(found)).model
    model.run_eagerly = True
    return model


def agree(built: Any, arguments: dict[str, Any]) -> None:
    config = built.get_config()
    for key, value in arguments.items():
        found = config[key] if key in config else getattr(built, key)  # Identity leaves `gain` out
        assert found == (pytest.approx(value) if isinstance(value, float) else value), key


def given(family: str, name: str) -> dict[str, Any]:
    if name == "VarianceScaling":
        return others(family, name, without=("input_axes", "output_axes"))
    return others(family, name, {"axis": [0], "mode": "columns"} if family != "initializers" else {"seed": 3})


@pytest.mark.parametrize("name", [name for name in keras_objects.names("initializers") if name != "STFT"])
def test_initializers(name: str, tmp_path: Path) -> None:
    arguments = given("initializers", name)
    layer = model_of(tmp_path, {"kernel_initializer": {name: arguments}}).get_layer("square")
    agree(layer.kernel_initializer, arguments)
    assert np.isfinite(layer.get_weights()[0]).all()


@pytest.mark.parametrize("name", keras_objects.names("regularizers"))
def test_regularizers_are_in_the_loss(name: str, tmp_path: Path) -> None:
    arguments = given("regularizers", name)
    plain = model_of(tmp_path, {}).train_on_batch(X, Y, return_dict=True)
    model = model_of(tmp_path, {"kernel_regularizer": {name: arguments}})
    layers = [layer for layer in model.layers if getattr(layer, "kernel_regularizer", None) is not None]
    assert layers
    penalty = 0.0
    for layer in layers:
        agree(layer.kernel_regularizer, arguments)
        w = layer.get_weights()[0].astype(np.float64)
        if name == "OrthogonalRegularizer":
            unit = w / np.linalg.norm(w, axis=0, keepdims=True)
            products = np.abs(unit.T @ unit - np.eye(w.shape[1]))
            penalty += arguments["factor"] * products.sum() / 2 / (w.shape[1] * (w.shape[1] - 1) / 2)
        else:
            penalty += arguments.get("l1", 0) * np.abs(w).sum() + arguments.get("l2", 0) * np.square(w).sum()
    assert model.train_on_batch(X, Y, return_dict=True)["loss"] == pytest.approx(plain["loss"] + penalty, rel=1e-4)


@pytest.mark.parametrize("name", keras_objects.names("constraints"))
def test_constraints_hold_after_a_step(name: str, tmp_path: Path) -> None:
    arguments = given("constraints", name)
    model = model_of(tmp_path, {"kernel_constraint": {name: arguments}})
    model.train_on_batch(X, Y)
    largest = []
    for layer in (model.get_layer("conv"), model.get_layer("square")):
        agree(layer.kernel_constraint, arguments)
        weights = layer.get_weights()[0]
        norms = np.sqrt(np.square(weights).sum(axis=0))
        if name == "NonNeg":
            assert (weights >= 0).all()
            assert (weights == 0).any()
        elif name == "UnitNorm":
            np.testing.assert_allclose(norms, 1, rtol=1e-4)
        elif name == "MaxNorm":
            assert norms.max() <= arguments["max_value"] * 1.0001
            largest.append(norms.max())
        else:  # only `rate` of the way is taken at each step
            free = model_of(tmp_path, {})
            free.train_on_batch(X, Y)
            before = np.sqrt(np.square(free.get_layer(layer.name).get_weights()[0]).sum(axis=0))
            wanted = np.clip(before, arguments["min_value"], arguments["max_value"])
            rate = arguments["rate"]
            np.testing.assert_allclose(norms, rate * wanted + (1 - rate) * before, rtol=1e-3)
    if name == "MaxNorm":
        assert max(largest) > arguments["max_value"] * 0.999, "no norm reaches the bound"
