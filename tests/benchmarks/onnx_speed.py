"""nnspec's ONNX files against Keras' own `model.export(format="onnx")`, network by network: nodes and latency.

`python tests/benchmarks/onnx_speed.py [NAME …]`. Both files hold the same weights: Keras' model is written by hand, the
spec is compiled and given its weights. One thread, the two sessions in turn, medians; a ratio is Keras' time over
nnspec's.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
from keras import layers as kl
from sessions import latencies, node_count, session

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, read_weights
from nnspec.backends.onnx.export import export_graph


@dataclass(frozen=True)
class Rival:
    """A network twice: as a spec's model, and as one writes it in Keras.

    Attributes:
        axes: of the input.
        by_hand: from a Keras tensor to the output.
    """

    name: str
    axes: dict[str, int]
    model: list[Any]
    by_hand: Callable[[Any], Any]


def _causal_by_hand(x: Any) -> Any:
    x = kl.Permute((2, 1))(x)
    x = kl.Reshape((5, 10, 1))(x)
    for dilation in (1, 2, 4, 8, 1):
        x = kl.TimeDistributed(kl.Conv1D(32, 3, padding="causal", dilation_rate=dilation, activation="elu"))(x)
    x = kl.Reshape((10, 160))(kl.Permute((2, 1, 3))(x))
    for _ in range(3):
        x = kl.Conv1D(32, 3, padding="causal", activation="elu")(x)
    return kl.Dense(1)(kl.Flatten()(x))


_DILATED = {"filters": 32, "kernel_size": 3, "padding": "causal", "dilation_rate": "$d", "activation": "elu"}
_CAUSAL = {"filters": 32, "kernel_size": 3, "padding": "causal", "activation": "elu"}
RIVALS = [
    Rival(
        "causal CNN 10×5",
        {"time": 10, "feature": 5},
        [
            {"permute": ["feature", "time"]},
            {"insert": {"channel": 1}},
            {
                "repeat": {
                    "for": {"d": [1, 2, 4, 8, 1]},
                    "model": [{"TimeDistributed": {"over": "feature", "layer": {"Conv1D": _DILATED}}}],
                }
            },
            {"permute": ["time", "feature", "filter"]},
            {"merge": {"channel": ["feature", "filter"]}},
            *[{"Conv1D": _CAUSAL}] * 3,
            "Flatten",
            {"Dense": {"units": 1}},
        ],
        _causal_by_hand,
    ),
    Rival("GRU(64), 200 steps", {"time": 200, "feature": 16}, [{"GRU": {"units": 64}}], lambda x: kl.GRU(64)(x)),
    Rival(
        "Bidirectional GRU(64), 100 steps",
        {"time": 100, "feature": 16},
        [{"Bidirectional": {"layer": {"GRU": {"units": 64}}}}],
        lambda x: kl.Bidirectional(kl.GRU(64))(x),
    ),
    Rival(
        "masked LSTM(64), 200 steps",
        {"time": 200, "feature": 16},
        ["Masking", {"LSTM": {"units": 64}}],
        lambda x: kl.LSTM(64)(kl.Masking()(x)),
    ),
    Rival("LSTM(64), 200 steps", {"time": 200, "feature": 16}, [{"LSTM": {"units": 64}}], lambda x: kl.LSTM(64)(x)),
    Rival(
        "SimpleRNN(64), 200 steps",
        {"time": 200, "feature": 16},
        [{"SimpleRNN": {"units": 64}}],
        lambda x: kl.SimpleRNN(64)(x),
    ),
    Rival(
        "TimeDistributed(Dense 16), 50 steps",
        {"time": 50, "feature": 32},
        [{"TimeDistributed": {"layer": {"Dense": {"units": 16}}}}],
        lambda x: kl.TimeDistributed(kl.Dense(16))(x),
    ),
    Rival(
        "LayerNormalization 50×64",
        {"time": 50, "feature": 64},
        ["LayerNormalization"],
        lambda x: kl.LayerNormalization()(x),
    ),
    Rival(
        "MultiHeadAttention 4×16, 50 steps",
        {"time": 50, "feature": 64},
        [{"MultiHeadAttention": {"num_heads": 4, "key_dim": 16}}],
        lambda x: kl.MultiHeadAttention(4, 16)(x, x),
    ),
    Rival(
        "CNN 28×28",
        {"height": 28, "width": 28, "channel": 1},
        [
            {"Conv2D": {"filters": 32, "kernel_size": 5, "padding": "same", "activation": "relu"}},
            "MaxPooling2D",
            {"Conv2D": {"filters": 64, "kernel_size": 5, "padding": "same", "activation": "relu"}},
            "MaxPooling2D",
            "Flatten",
            {"Dense": {"units": 10}},
        ],
        lambda x: kl.Dense(10)(
            kl.Flatten()(
                kl.MaxPooling2D()(
                    kl.Conv2D(64, 5, padding="same", activation="relu")(
                        kl.MaxPooling2D()(kl.Conv2D(32, 5, padding="same", activation="relu")(x))
                    )
                )
            )
        ),
    ),
    Rival(
        "separable CNN 28×28",
        {"height": 28, "width": 28, "channel": 16},
        [
            {"SeparableConv2D": {"filters": 32, "kernel_size": 3, "padding": "same"}},
            "BatchNormalization",
            "ReLU",
            "GlobalAveragePooling2D",
        ],
        lambda x: kl.GlobalAveragePooling2D()(
            kl.ReLU()(kl.BatchNormalization()(kl.SeparableConv2D(32, 3, padding="same")(x)))
        ),
    ),
    Rival(
        "Conv2DTranspose 14×14",
        {"height": 14, "width": 14, "channel": 16},
        [{"Conv2DTranspose": {"filters": 8, "kernel_size": 3, "strides": 2, "padding": "same"}}],
        lambda x: kl.Conv2DTranspose(8, 3, strides=2, padding="same")(x),
    ),
    Rival(
        "MLP 64-64-10",
        {"feature": 64},
        [{"Dense": {"units": 64, "activation": "relu"}}, {"Dense": {"units": 10}}],
        lambda x: kl.Dense(10)(kl.Dense(64, activation="relu")(x)),
    ),
]


def files(rival: Rival, folder: Path) -> tuple[Path, Path]:
    """The two files, from the same weights."""
    keras.utils.set_random_seed(1)
    x = keras.Input(tuple(rival.axes.values()), name="x")
    theirs = keras.Model(x, rival.by_hand(x))
    document = {"nnspec": 1, "inputs": {"x": {"axes": rival.axes}}, "model": rival.model}
    spec = folder / "spec.yaml"
    spec.write_text(json.dumps({**document, "outputs": {"y": {"task": "regression"}}}), encoding="utf-8")
    graph = pipeline.check(spec).graph
    compiled = build_model(graph)
    compiled.model.set_weights(theirs.get_weights())
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    ours_path, theirs_path = folder / "nnspec.onnx", folder / "keras.onnx"
    ours_path.write_bytes(export_graph(graph, weights).builder.to_model({}, "benchmark").SerializeToString())
    theirs(np.zeros((1, *rival.axes.values()), np.float32))  # Keras exports only models that were called
    theirs.export(str(theirs_path), format="onnx", verbose=False)
    return ours_path, theirs_path


def main(chosen: list[str]) -> None:
    print("| network | ONNX nodes, nnspec / Keras | batch 1, µs | ratio | batch 64, µs | ratio |")
    print("|---|---|---|---|---|---|")
    for rival in RIVALS:
        if chosen and not any(word.lower() in rival.name.lower() for word in chosen):
            continue
        with tempfile.TemporaryDirectory() as folder:
            paths = files(rival, Path(folder))
            sessions = [session(path) for path in paths]
            cells = []
            for batch in (1, 64):
                x = np.random.default_rng(batch).normal(size=(batch, *rival.axes.values())).astype(np.float32)
                feeds = [{s.get_inputs()[0].name: x} for s in sessions]
                ours, theirs = (s.run(None, f)[0] for s, f in zip(sessions, feeds, strict=True))
                np.testing.assert_allclose(ours, theirs, atol=2e-4 * max(1.0, float(np.abs(theirs).max())))
                a, b = latencies(sessions, feeds)
                cells.append(f"{a:.0f} / {b:.0f} | {b / a:.2f}×")
            nodes = " / ".join(str(node_count(path)) for path in paths)
            print(f"| {rival.name} | {nodes} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
