"""JAX against TensorFlow, and what `training.backend: auto` takes: `python -m tests.benchmarks.backends`.

Four networks on random data. Both engines are measured in turn, compilation apart; `auto` chooses on measurements of
its own, made before, and its column is what its choice reaches of the faster engine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml

from nnspec import pipeline
from nnspec.jobs.choosing import choose_engine, measure_engines

Layers = list[object]
NETWORKS: dict[str, tuple[dict[str, int], Layers]] = {
    "MLP 64-64-1": (
        {"feature": 32},
        [{"Dense": {"units": 64, "activation": "relu"}}, {"Dense": {"units": 64, "activation": "relu"}}],
    ),
    "dilated Conv1D, 4 × 32": (
        {"time": 48, "feature": 8},
        [
            *(
                {"Conv1D": {"filters": 32, "kernel_size": 3, "padding": "causal", "dilation_rate": d}}
                for d in (1, 2, 4, 8)
            ),
            "Flatten",
        ],
    ),
    "LSTM 64": ({"time": 48, "feature": 8}, [{"LSTM": {"units": 64}}]),
    "CNN 28 × 28": (
        {"height": 28, "width": 28, "channel": 1},
        [
            {"Conv2D": {"filters": 16, "kernel_size": 3, "activation": "relu"}},
            {"MaxPooling2D": {"pool_size": 2}},
            {"Conv2D": {"filters": 32, "kernel_size": 3, "activation": "relu"}},
            "Flatten",
        ],
    ),
}
SAMPLES = 4096


def written(folder: Path, axes: dict[str, int], layers: Layers) -> Path:
    """The spec of a network, beside random data."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, *axes.values())).astype(np.float32)
    y = x.reshape(SAMPLES, -1)[:, :1] + rng.normal(size=(SAMPLES, 1)).astype(np.float32) / 10
    np.savez(folder / "rows.npz", x=x, y=y)
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes}},
        "data": {
            "source": {"npz": "rows.npz"},
            "split": {"train": 0.9, "validation": 0.1},
            "inputs": {"x": {"array": "x"}},
            "outputs": {"y": {"array": "y"}},
        },
        "model": [*layers, {"Dense": {"units": 1}}],
        "outputs": {"y": {"task": "regression"}},
        "training": {"backend": "auto", "batch_size": 32},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def main(*names: str) -> None:
    print("| network | TensorFlow, steps/s | JAX, steps/s | JAX / TensorFlow | `auto` takes | of the better |")
    print("|---|---|---|---|---|---|")
    for name, (axes, layers) in NETWORKS.items():
        if names and not any(given.lower() in name.lower() for given in names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            checked = pipeline.check(written(Path(folder), axes, layers))
            choice = choose_engine(checked)
            seconds, failures = measure_engines(checked, ["tensorflow", "jax"])
        assert not failures, failures
        tensorflow, jax = 1 / seconds["tensorflow"], 1 / seconds["jax"]
        reached = min(seconds.values()) / seconds[choice.engine]
        print(
            f"| {name} | {tensorflow:,.0f} | {jax:,.0f} | {jax / tensorflow:.2f}× | {choice.engine} | {reached:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
