"""Every optimizer and schedule takes a step with every argument at a value that is not its default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec.catalogue import keras_objects
from nnspec.jobs import settings_of
from nnspec.pipeline import check, diagnose
from nnspec.training.train import compile_model
from tests.support.training_arguments import others

CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def write(folder: Path, optimizer: Any) -> Path:
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"feature": 5}}},
        "model": [
            {"Dense": {"units": 4, "activation": "tanh", "name": "first"}},
            {"Dense": {"units": 3, "name": "second"}},
            {"Dense": {"units": 1}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "training": {"optimizer": optimizer},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def trained(path: Path, steps: int) -> tuple[Any, list[np.ndarray]]:
    """The model after some steps, and how far each weight moved."""
    found = check(path)
    assert not found.warnings
    model = compile_model(found.graph, settings_of(found)).model
    model.run_eagerly = True  # one step of each is cheaper than its trace
    before = model.get_weights()
    rng = np.random.default_rng(0)
    for _ in range(steps):
        model.train_on_batch(rng.normal(size=(6, 5)).astype("float32"), rng.normal(size=(6, 1)).astype("float32"))
    return model, [after - weights for after, weights in zip(model.get_weights(), before, strict=True)]


def agree(config: dict[str, Any], arguments: dict[str, Any]) -> None:
    for key, value in arguments.items():
        np.testing.assert_allclose(np.float64(config[key]), np.float64(value), rtol=1e-6, err_msg=key)


NAMES = [name for name in keras_objects.names("optimizers") if name != "LossScaleOptimizer"]


@pytest.mark.parametrize(("name", "clip"), list(zip(NAMES, CLIPS * len(NAMES), strict=False)))
def test_every_optimizer_with_all_its_arguments(name: str, clip: str, tmp_path: Path) -> None:
    weak = dict.fromkeys(("l1_regularization_strength", "l2_regularization_strength"), 0.001)  # else Ftrl stays at 0
    arguments = others("optimizers", name, weak, without=tuple(c for c in CLIPS if c != clip))
    if clip != CLIPS[0]:
        arguments["learning_rate"] = {"CosineDecay": {"initial_learning_rate": 0.02, "decay_steps": 9}}
    model, moved = trained(write(tmp_path, {name: arguments}), steps=2 * arguments["gradient_accumulation_steps"])
    config = model.optimizer.get_config()
    schedule = arguments.pop("learning_rate")
    assert arguments.pop("exclude_layers", None) == config.pop("exclude_layers", None)
    agree(config, arguments)
    if clip == CLIPS[0]:
        assert config["learning_rate"] == pytest.approx(schedule)
    else:
        assert type(model.optimizer._learning_rate) is keras.optimizers.schedules.CosineDecay
    assert all(np.isfinite(step).all() for step in moved)
    assert all(step.any() for step in moved)


@pytest.mark.parametrize("name", keras_objects.names("schedules"))
def test_every_schedule_in_an_optimizer(name: str, tmp_path: Path) -> None:
    arguments = others("schedules", name)
    optimizer = {"LossScaleOptimizer": {"inner_optimizer": {"SGD": {"learning_rate": {name: arguments}}}}}
    model, moved = trained(write(tmp_path, optimizer), steps=2)
    schedule = model.optimizer.inner_optimizer._learning_rate
    config = schedule.get_config()
    for key, value in arguments.items():
        assert config[key] == pytest.approx(value), key
    assert all(np.isfinite(step).all() for step in moved)
    assert any(step.any() for step in moved)


def test_a_scaled_loss_moves_the_weights_as_an_unscaled_one(tmp_path: Path) -> None:
    inner = {"SGD": {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.01}}
    scaled = {"LossScaleOptimizer": {"inner_optimizer": inner, "initial_scale": 64, "dynamic_growth_steps": 3}}
    model, moved = trained(write(tmp_path, scaled), steps=2)
    assert (model.optimizer.initial_scale, model.optimizer.dynamic_growth_steps) == (64, 3)
    _, plain = trained(write(tmp_path, inner), steps=2)
    for left, right in zip(moved, plain, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-7)
    by_word = {"LossScaleOptimizer": {"inner_optimizer": "adam"}}
    assert type(trained(write(tmp_path, by_word), 1)[0].optimizer.inner_optimizer) is keras.optimizers.Adam


@pytest.mark.parametrize(
    "optimizer",
    [
        {"LossScaleOptimizer": {}},
        {"LossScaleOptimizer": {"inner_optimizer": "Adom"}},
        {"LossScaleOptimizer": {"inner_optimizer": {"Adam": {"learning_rate": -1}}}},
        {"LossScaleOptimizer": {"inner_optimizer": {"LossScaleOptimizer": {"inner_optimizer": "Adam"}}}},
        "LossScaleOptimizer",
    ],
)
def test_what_does_not_fit_inside(optimizer: Any, tmp_path: Path) -> None:
    found = diagnose(write(tmp_path, optimizer))
    assert len(found) == 1
    assert found[0].code in ("NN203", "NN205", "NN206", "NN208")
