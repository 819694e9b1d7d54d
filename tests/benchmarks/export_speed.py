"""nnspec's ONNX files against Keras' own export of the same weights: nodes, export time, latency; one thread, in turn.

`python tests/benchmarks/export_speed.py [SPEC …]`; untrained weights, as speed does not depend on them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
from sessions import latencies, node_count, session

from nnspec import jobs, pipeline
from nnspec.backends.keras.model import build_model
from nnspec.backends.registry import training_backend
from nnspec.data.deployment import Deployment
from nnspec.training.settings import fixed_batches

ROOT = Path(__file__).parents[2]
DEFAULT = [
    "causal_cnn",
    "causal_cnn_dependent",
    "lstm_forecast",
    "mnist_cnn",
    "multi_output_classifier",
    "spectrogram_lstm",
    "attention",
]


def measure(name: str, folder: Path) -> None:
    path = next(p for p in (ROOT / "specs" / f"{name}.yaml", Path(__file__).with_name(f"{name}.yaml")) if p.exists())
    checked = pipeline.check(path, {"export": {"layout": {}}}, without_data=True)
    settings = jobs.settings_of(checked)
    training_backend().seed(settings["seed"])
    compiled = build_model(checked.graph, batches=fixed_batches(checked.graph, settings))
    started = time.perf_counter()
    exported = jobs.lower(checked, compiled, Deployment(), "")
    ours_seconds = time.perf_counter() - started
    ours = folder / f"{name}.nnspec.onnx"
    ours.write_bytes(exported.to_bytes())
    theirs = folder / f"{name}.keras.onnx"
    shapes = [(1, *(a.size if isinstance(a.size, int) else 200 for a in v.axes)) for v in checked.graph.inputs.values()]
    compiled.model(*[np.zeros(shape, np.float32) for shape in shapes])  # Keras exports only models that were called
    started = time.perf_counter()
    compiled.model.export(str(theirs), format="onnx", verbose=False)
    theirs_seconds = time.perf_counter() - started
    sessions = [session(ours), session(theirs)]
    line = f"{name:26s} nodes {node_count(ours):3d} / {node_count(theirs):3d}"
    line += f"   export {ours_seconds:.3f} / {theirs_seconds:.2f} s"
    for batch in (1, 64):
        rng = np.random.default_rng(batch)
        feeds = []
        for s in sessions:
            feeds.append({})
            for port, value in zip(s.get_inputs(), checked.graph.inputs.values(), strict=True):
                shape = (batch, *(a.size if isinstance(a.size, int) else 200 for a in value.axes))
                feeds[-1][port.name] = rng.normal(size=shape).astype(value.dtype)
        one, two = latencies(sessions, feeds)
        line += f"   batch {batch}: {one:.0f} / {two:.0f} µs = {two / one:.1f}×"
    print(line, flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for chosen in sys.argv[1:] or DEFAULT:
            measure(chosen, Path(made))
