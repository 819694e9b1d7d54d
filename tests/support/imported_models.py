"""Keras models imported, exported, and compared with Keras itself in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.importers.keras.importer import Imported, import_model


def randomized(model: Any, seed: int = 3) -> Any:
    """Weights that no symmetry hides."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed" in variable.path:
            continue
        values = rng.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return model


def deployed(made: Imported) -> tuple[onnxruntime.InferenceSession, list[str]]:
    """The spec that an import wrote, with the weights beside it, in ONNX Runtime; and its inputs in their order."""
    graph = pipeline.check(made.spec).graph
    compiled = build_model(graph)
    compiled.model.load_weights(made.weights)
    weights = {node.owner: read_weights(node, compiled.layers[node.name]) for node in graph.nodes}
    proto = export_graph(graph, weights, opset=18).builder.to_model({}, "imported")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, list(graph.inputs)


def compare_deployed(model: Any, made: Imported, runs: Sequence[Sequence[np.ndarray]], tolerance: float = 1e-5) -> None:
    """ONNX Runtime gives what the Keras model gives, input by input."""
    session, names = deployed(made)
    for arrays in runs:
        ports = {port.name: port for port in session.get_inputs()}
        feed = dict(zip(names, arrays, strict=True))
        for name in ports.keys() - feed.keys():  # states begin as zeros
            feed[name] = np.zeros([d if isinstance(d, int) else len(arrays[0]) for d in ports[name].shape], np.float32)
        wanted = keras.tree.flatten(model(arrays[0] if len(arrays) == 1 else list(arrays), training=False))
        got = session.run(None, feed)[: len(wanted)]
        for ours, theirs in zip(got, wanted, strict=True):
            array = np.asarray(theirs)
            scale = max(1.0, float(np.nanmax(np.abs(array)))) if array.size else 1.0
            np.testing.assert_allclose(ours, array, atol=tolerance * scale, rtol=0)


def import_randomized(model: Any, folder: Path, **options: Any) -> tuple[Imported, str]:
    """The import of a model whose weights are drawn, and the text of its spec."""
    made = import_model(randomized(model), folder, **options)
    assert made.error <= 1e-5
    return made, made.spec.read_text(encoding="utf-8")
