"""Accumulated gradients move the weights as Keras moves them with the larger batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.backends.keras.training.accumulation import Epoch
from nnspec.backends.sample_order import sample_order
from nnspec.jobs import load_dataset, settings_of
from nnspec.progress import Progress
from nnspec.training.train import Trained, compile_model, train

SPEC: dict[str, Any] = {
    "nnspec": 1,
    "data": {
        "source": {"npz": "rows.npz"},
        "split": {"train": 1.0},
        "inputs": {"x": {"array": "x"}},
        "outputs": {"y": {"array": "y"}},
    },
    "inputs": {"x": {"axes": {"feature": 3}}},
    "model": [
        {"Dense": {"units": 8, "activation": "tanh", "kernel_regularizer": {"L2": {"l2": 0.01}}}},
        {"Dense": {"units": 1}},
    ],
    "outputs": {"y": {"task": "regression"}},
}


def rows(count: int) -> dict[str, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(count, 3)).astype("f4")
    return {"x": x, "y": (x @ np.array([1, -2, 0.5], "f4") + 0.1 * x[:, 0] ** 2)[:, None].astype("f4")}


def loaded(folder: Path, count: int, training: dict[str, Any]) -> Any:
    np.savez(folder / "rows.npz", **rows(count))
    settings = {"seed": 3, "restore_best": False, "monitor": "loss", **training}
    (folder / "spec.yaml").write_text(yaml.safe_dump({**SPEC, "training": settings}), encoding="utf-8")
    return api.load(folder / "spec.yaml").checked


def trained(folder: Path, count: int, **training: Any) -> Trained:
    checked = loaded(folder, count, training)
    return train(checked.graph, load_dataset(checked), settings_of(checked), folder / "out", Progress(quiet=True))


def by_hand(folder: Path, count: int, batch: int, epochs: int, optimizer: keras.optimizers.Optimizer) -> Any:
    """The same first weights and order of samples, by Keras' `train_on_batch` and nothing of nnspec's training."""
    checked = loaded(folder, count, {})
    model = compile_model(checked.graph, settings_of(checked)).model
    model.compile(optimizer=optimizer, loss="mse")
    data, steps = rows(count), 0
    for epoch in range(epochs):
        order = sample_order(count, 3, epoch)
        for start in range(0, count, batch):
            chosen = order[start : start + batch]
            model.train_on_batch(data["x"][chosen], data["y"][chosen])
            steps += 1
    return model, steps


def schedule() -> Any:
    return keras.optimizers.schedules.CosineDecay(0.001, 15, warmup_steps=5, warmup_target=0.01)


@pytest.mark.parametrize("count", [128, 100], ids=["whole batches", "incomplete ones"])
def test_four_batches_of_8_are_one_of_32(count: int, tmp_path: Path) -> None:
    """Warm-up, decay and clipping go by updates; 100 samples end in a batch of 4, alone in its group."""
    rate = {"initial_learning_rate": 0.001, "decay_steps": 15, "warmup_steps": 5, "warmup_target": 0.01}
    optimizer = {"AdamW": {"learning_rate": {"CosineDecay": rate}, "clipnorm": 0.5, "weight_decay": 0.01}}
    found = trained(tmp_path, count, optimizer=optimizer, batch_size=8, accumulate=4, epochs=5)
    wanted, steps = by_hand(tmp_path, count, 32, 5, keras.optimizers.AdamW(schedule(), clipnorm=0.5, weight_decay=0.01))
    assert steps == 20
    assert int(found.compiled.model.optimizer.iterations) == steps
    for mine, hers in zip(found.compiled.model.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, hers, atol=1e-5)


def test_averages_of_weights_go_by_updates(tmp_path: Path) -> None:
    optimizer = {"SGD": {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.9}}
    small = trained(tmp_path, 40, optimizer=optimizer, batch_size=4, accumulate=4, epochs=3)
    large = trained(tmp_path, 40, optimizer=optimizer, batch_size=16, epochs=3)
    for mine, hers in zip(small.compiled.model.get_weights(), large.compiled.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, hers, atol=1e-5)


@pytest.mark.parametrize(("samples", "batch", "group"), [(100, 8, 4), (128, 8, 4), (3, 8, 4), (33, 8, 4), (7, 2, 3)])
def test_shares_of_a_group_are_those_of_its_samples(samples: int, batch: int, group: int) -> None:
    epoch = Epoch(samples, batch, group)
    assert epoch.batches == len(range(0, samples, batch))
    assert epoch.padded_batches % group == 0
    assert epoch.padded_batches - epoch.batches < group
    shares = [epoch.share(i) for i in range(epoch.batches)]
    for first in range(0, epoch.batches, group):
        assert sum(shares[first : first + group]) == pytest.approx(1)
