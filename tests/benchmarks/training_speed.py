"""Training by nnspec against the same network written and trained by hand in Keras: seconds an epoch, in turn."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from nnspec import jobs, pipeline
from nnspec.backends.registry import training_backend
from nnspec.progress import Progress
from nnspec.training.train import train

ROOT = Path(__file__).parents[2]
EPOCHS = 4


def by_hand() -> keras.Model:
    """causal_cnn_dependent.yaml as one would write it."""
    layers = [keras.layers.Conv1D(32, 3, padding="causal", dilation_rate=d, activation="elu") for d in (1, 2, 4)]
    model = keras.Sequential(
        [keras.Input((10, 5)), *layers, keras.layers.MaxPooling1D(2), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss="mse", metrics=["mae"])
    return model


def main(rounds: int = 3) -> None:
    path = ROOT / "specs" / "causal_cnn_dependent.yaml"
    checked = pipeline.check(path, {"training.epochs": EPOCHS, "training.callbacks": []})
    data = jobs.load_dataset(checked)
    settings = jobs.settings_of(checked)
    rows = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            train(checked.graph, data, settings, Path(folder), Progress(quiet=True))
            ours = time.perf_counter() - started
        training_backend().seed(7)
        started = time.perf_counter()
        x, y = data.splits["train"], data.splits["validation"]
        by_hand().fit(
            x.x["window"],
            x.y["forecast"],
            validation_data=(y.x["window"], y.y["forecast"]),
            epochs=EPOCHS,
            batch_size=64,
            verbose=0,
        )
        rows.append((ours, time.perf_counter() - started))
    one, two = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(a / b for a, b in rows)
    print(f"{EPOCHS} epochs: nnspec {one:.2f} s   by hand {two:.2f} s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
