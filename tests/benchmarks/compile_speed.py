"""A spec to a Keras model, checks included, against the same network of keras.applications: seconds in turn, ratios."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from nnspec import pipeline
from nnspec.backends.keras.model import build_model

ROOT = Path(__file__).parents[2]
RIVALS = {
    "mobilenet_v1": keras.applications.MobileNet,
    "mobilenet_v2": keras.applications.MobileNetV2,
    "resnet50": keras.applications.ResNet50,
    "inception_v3": keras.applications.InceptionV3,
}


def seconds(make: Callable[[], Any]) -> float:
    keras.backend.clear_session()
    started = time.perf_counter()
    make()
    return time.perf_counter() - started


def main(rounds: int = 5) -> None:
    for name, by_hand in RIVALS.items():
        path = ROOT / "specs" / "networks" / f"{name}.yaml"

        def ours(path: Path = path) -> Any:
            return build_model(pipeline.check(path).graph)

        def theirs(by_hand: Callable[..., Any] = by_hand) -> Any:
            return by_hand(weights=None)

        seconds(ours), seconds(theirs)
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:14s} spec {a:.2f} s   by hand {b:.2f} s   ratio {statistics.median(x / y for x, y in pairs):.2f}")


if __name__ == "__main__":
    main()
