"""How fast nnspec trains: networks × batches, in memory and streamed, against the same written by hand in Keras.

    python -m tests.benchmarks.training_ratio                        # all of them
    python -m tests.benchmarks.training_ratio --networks MLP GRU --epochs 8 --rounds 3

Fits go in turn (nnspec in memory, by hand, nnspec streamed, by hand, …). An epoch counts with the processor time that
it takes, which other processes on the machine change less than seconds; the first one, which compiles, does not. The
ratio is that of the best epochs of each: by hand over nnspec, so that 1 is as fast, and 0.97 is 3 % slower.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from nnspec import jobs, pipeline
from nnspec.backends.keras.training.checkpoint import Checkpoint
from nnspec.backends.registry import training_backend
from nnspec.data.arrays import mapped
from nnspec.data.dataset import Dataset
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.training.train import train

Layers = Callable[[], list[keras.Layer]]


def _layers(name: str) -> list[keras.Layer]:
    """The network as one would write it."""
    layers = keras.layers
    made: dict[str, Layers] = {
        "MLP": lambda: [layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")],
        "CNN": lambda: [
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
        ],
        "LSTM": lambda: [layers.LSTM(16)],
        "GRU": lambda: [layers.GRU(16)],
        "causal CNN": lambda: [
            *(layers.Conv1D(16, 3, padding="causal", dilation_rate=d, activation="relu") for d in (1, 2, 4)),
            layers.Flatten(),
        ],
    }
    return [*made[name](), layers.Dense(1)]


NETWORKS = {  # axes, samples, layers in a spec
    "MLP": (
        "feature: 64",
        (64,),
        16384,
        "{Dense: {units: 64, activation: relu}}, {Dense: {units: 64, activation: relu}}",
    ),
    "CNN": (
        "height: 16, width: 16, channel: 1",
        (16, 16, 1),
        4096,
        "{Conv2D: {filters: 8, kernel_size: 3, activation: relu}}, MaxPooling2D, "
        "{Conv2D: {filters: 16, kernel_size: 3, activation: relu}}, Flatten",
    ),
    "LSTM": ("time: 20, feature: 8", (20, 8), 4096, "{LSTM: {units: 16}}"),
    "GRU": ("time: 20, feature: 8", (20, 8), 4096, "{GRU: {units: 16}}"),
    "causal CNN": (
        "time: 32, feature: 8",
        (32, 8),
        4096,
        ", ".join(
            f"{{Conv1D: {{filters: 16, kernel_size: 3, padding: causal, dilation_rate: {d}, activation: relu}}}}"
            for d in (1, 2, 4)
        )
        + ", Flatten",
    ),
}


def make(folder: Path, name: str, batch: int, epochs: int) -> Checked:
    """Random samples, and the spec that trains on them."""
    axes, shape, samples, layers = NETWORKS[name]
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.normal(size=(samples, *shape)).astype(np.float32))
    np.save(folder / "y.npy", rng.normal(size=(samples, 1)).astype(np.float32))
    (folder / "spec.yaml").write_text(
        f"""
nnspec: 1
name: speed
inputs: {{x: {{axes: {{{axes}}}}}}}
model: [{layers}, {{Dense: {{units: 1}}}}]
outputs: {{y: {{task: regression}}}}
data:
  split: {{train: 0.8, validation: 0.1, test: 0.1}}
  inputs: {{x: {{npy: x.npy}}}}
  outputs: {{y: {{npy: y.npy}}}}
training: {{epochs: {epochs}, batch_size: {batch}, restore_best: false}}
""",
        encoding="utf-8",
    )
    return pipeline.check(folder / "spec.yaml")


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Processor time and seconds at the end of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[tuple[float, float]] = []

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.tell(epoch)

    def tell(self, epoch: int, metrics: object = None) -> None:
        self.ends.append((time.process_time(), time.perf_counter()))

    @property
    def epochs(self) -> np.ndarray:
        """Of each epoch but the first: axes `epoch clock`."""
        return np.diff(np.array(self.ends), axis=0)


def by_nnspec(checked: Checked, data: Dataset) -> np.ndarray:
    """Without the checkpoints between the first epoch and the last: one is due every 5 seconds, in which a machine that
    is busy with other things does less than an epoch, so that each epoch would pay for one."""
    Checkpoint.interval = float("inf")
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        train(checked.graph, data, jobs.settings_of(checked), Path(folder), Progress(quiet=True), log=clock.tell)
    return clock.epochs


def by_hand(name: str, data: Dataset, batch: int, epochs: int) -> np.ndarray:
    training_backend().seed(7)
    clock = Clock()
    model = keras.Sequential([keras.Input(NETWORKS[name][1]), *_layers(name)])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    x, y = data.splits["train"], data.splits["validation"]
    told = {"validation_data": (np.asarray(y.x["x"]), y.y["y"]), "verbose": 0, "callbacks": [clock]}
    model.fit(np.asarray(x.x["x"]), x.y["y"], epochs=epochs, batch_size=batch, **told)
    return clock.epochs


def load_streamed(checked: Checked) -> Dataset:
    """The data as those of a table that is larger than memory: gathered from mapped files."""
    before, mapped.LARGE = mapped.LARGE, 1 << 10
    try:
        return jobs.load_dataset(checked)
    finally:
        mapped.LARGE = before


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--batches", nargs="*", type=int, default=[32, 256])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    print("| network | batch | by hand, CPU ms an epoch | in memory | streamed | streamed over in memory |")
    for name in asked.networks:
        for batch in asked.batches:
            with tempfile.TemporaryDirectory() as folder:
                checked = make(Path(folder), name, batch, asked.epochs)
                data, streamed = jobs.load_dataset(checked), load_streamed(checked)
                found: dict[str, list[np.ndarray]] = {"memory": [], "hand": [], "streamed": []}
                for _ in range(asked.rounds):
                    found["memory"].append(by_nnspec(checked, data))
                    found["hand"].append(by_hand(name, data, batch, asked.epochs))
                    found["streamed"].append(by_nnspec(checked, streamed))
            best = {kind: np.concatenate(epochs).min(axis=0) for kind, epochs in found.items()}
            cpu, wall = ({kind: float(values[i]) for kind, values in best.items()} for i in range(2))
            print(
                f"| {name} | {batch} | {1000 * cpu['hand']:.0f} | {cpu['hand'] / cpu['memory']:.2f} | "
                f"{cpu['hand'] / cpu['streamed']:.2f} | {cpu['memory'] / cpu['streamed']:.2f} |"
                f"    seconds: {wall['hand'] / wall['memory']:.2f} {wall['hand'] / wall['streamed']:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
