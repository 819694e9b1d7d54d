"""Mixed precision: layers compute in 16 bits, weights and what is deployed are float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from nnspec import api, pipeline
from nnspec.backends.keras.model import build_model
from nnspec.ir.precision import policies
from nnspec.jobs import load_dataset, settings_of
from nnspec.progress import Progress
from nnspec.training.train import train

SPEC: dict[str, Any] = {
    "nnspec": 1,
    "data": {
        "source": {"npz": "digits.npz"},
        "split": {"train": 0.7, "validation": 0.3, "seed": 1},
        "inputs": {"image": {"array": "images", "scale": "minmax"}},
        "outputs": {"digit": {"array": "digits"}},
    },
    "inputs": {"image": {"axes": {"height": 8, "width": 8}}},
    "model": [
        {"insert": {"channel": 1}},
        {"Conv2D": {"filters": 16, "kernel_size": 3, "activation": "relu"}},
        "BatchNormalization",
        "Flatten",
        {"Dense": {"units": 10, "as": "class", "name": "scores"}},
        {"Softmax": {"name": "shares"}},
    ],
    "outputs": {"digit": {"task": "classification"}},
    "training": {"epochs": 5, "seed": 2, "optimizer": {"Adam": {"learning_rate": 0.003}}},
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Checked:
    folder = tmp_path_factory.mktemp("digits")
    images, digits = load_digits(return_X_y=True)
    np.savez(folder / "digits.npz", images=images.reshape(-1, 8, 8).astype("f4"), digits=digits)
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return api.load(folder / "spec.yaml").checked


def accuracy(checked: pipeline.Checked, folder: Path, **settings: Any) -> tuple[float, keras.Model]:
    dataset, used = load_dataset(checked), settings_of(checked)
    used = type(used)({**used.values, **settings}, used.span)
    model = train(checked.graph, dataset, used, folder, Progress(quiet=True)).compiled.model
    split = dataset.splits["validation"]
    said = np.asarray(model(split.x["image"])).argmax(axis=-1)
    return float(np.mean(said == split.y["digit"])), model


@pytest.fixture(scope="module")
def full(checked: pipeline.Checked, tmp_path_factory: pytest.TempPathFactory) -> float:
    return accuracy(checked, tmp_path_factory.mktemp("full"))[0]


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_metric_is_within_half_a_point_and_the_model_is_float32(
    precision: str, checked: pipeline.Checked, full: float, tmp_path: Path
) -> None:
    found, model = accuracy(checked, tmp_path, precision=precision)
    assert full > 0.95
    assert found == pytest.approx(full, abs=0.0056)  # 3 of 540 digits
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert {str(variable.dtype) for variable in model.weights} <= {"float32"}


def test_layers_compute_in_16_bits_between_the_first_weights_and_the_last(checked: pipeline.Checked) -> None:
    found = policies(checked.graph, "mixed_bfloat16")
    assert list(found.values()) == ["float32", *["mixed_bfloat16"] * 3, "float32", "float32"]
    compiled = build_model(checked.graph, precision="mixed_bfloat16")
    assert str(compiled.tensors["flatten_1"].dtype) == "bfloat16"
    assert str(compiled.model.output.dtype) == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_loss_is_scaled_in_float16_alone(checked: pipeline.Checked) -> None:
    from nnspec.backends.keras.training.optimizers import build_optimizer

    kinds = {p: type(build_optimizer("Adam", precision=p)).__name__ for p in ("mixed_float16", "mixed_bfloat16")}
    assert kinds == {"mixed_float16": "LossScaleOptimizer", "mixed_bfloat16": "Adam"}
    given = build_optimizer({"LossScaleOptimizer": {"inner_optimizer": "SGD"}}, precision="mixed_float16", accumulate=3)
    assert type(given.inner_optimizer).__name__ == "SGD"
    assert given.inner_optimizer.gradient_accumulation_steps == 3
