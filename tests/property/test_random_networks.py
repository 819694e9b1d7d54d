"""Random networks of all layer kinds: what the checker lets pass, Keras builds as inferred and ONNX computes alike."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.ir.graph import Graph
from tests.support.layer_cases import FORBIDDEN, is_ill_conditioned, randomize, relative_error
from tests.support.random_items import Rng, flag
from tests.support.random_networks import network

pytestmark = [
    # Keras says for itself what NN319 says: a layer that knows no masks loses one.
    pytest.mark.filterwarnings("ignore:[\\s\\S]*destroy the mask:UserWarning"),
    # Attention over one step is 1, whatever it reads; networks drawn at random do that too.
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning"),
]

NEVER = {"Loop", "If", "Scan"}
TOLERANCE = 1e-4


def arrays(rng: Rng, graph: Graph, batch: int, length: int) -> dict[str, np.ndarray]:
    """Random inputs with runs of padding at the end and single padded steps in between."""
    result = {}
    for name, value in graph.inputs.items():
        shape = (batch, *(axis.size if isinstance(axis.size, int) else length for axis in value.axes))
        made = rng.integers(0, 12, size=shape) if value.dtype.startswith("int") else rng.normal(size=shape)
        if len(shape) > 1 and flag(rng, 0.7):
            for row in made:
                row[int(rng.integers(1, len(row) + 1)) :] = 0
                if flag(rng, 0.3):
                    row[int(rng.integers(len(row)))] = 0
        result[name] = made.astype(value.dtype)
    return result


def verify(result: pipeline.Checked, seed: int) -> None:
    """Builds the network twice and compares."""
    graph = result.graph
    keras.utils.set_random_seed(seed)
    compiled = build_model(graph)
    randomize(compiled.model, seed)
    counted = [int(np.prod(w.shape)) for w in compiled.model.weights if "seed" not in w.path]
    assert sum(counted) == graph.parameters
    for node in graph.nodes:
        is_masked = getattr(compiled.tensors[node.name], "_keras_mask", None) is not None
        assert is_masked == (node.outputs[0].mask is not None), f"{node.name}: Keras has {is_masked=}"
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    exported = export_graph(graph, weights)
    assert set(exported.lowered_by.values()) == {"nnspec"}
    model = exported.builder.to_model({}, "test")
    onnx.checker.check_model(model, full_check=True)
    symbolic = any(not isinstance(axis.size, int) for value in graph.inputs.values() for axis in value.axes)
    ops = {node.op_type for node in model.graph.node}
    assert not (NEVER if symbolic else FORBIDDEN) & ops, f"dear ops: {ops & FORBIDDEN}"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(seed)
    longer = [(3, 36), (1, 48)] if graph.constraints else [(3, 36), (1, 31), (2, 29)]
    for batch, length in [(1, 24), (3, 24)] + (longer if symbolic else []):
        values = arrays(rng, graph, batch, length)
        by_keras = predict(compiled.model, graph, values)
        by_onnx = session.run(None, {port.name: values[port.name] for port in session.get_inputs()})
        for (name, wanted), got in zip(by_keras.items(), by_onnx, strict=True):
            assert got.dtype == wanted.dtype
            finite = np.isfinite(wanted)
            assert got.shape == wanted.shape, f"{name} is {got.shape}, not {wanted.shape}, at batch {batch}"
            error = relative_error(np.where(finite, got, 0), np.where(finite, wanted, 0))
            if not error < TOLERANCE and not is_ill_conditioned(compiled.model, graph, values, name, error):
                raise AssertionError(f"{name}: ONNX differs by {error:.2g} at batch {batch}, length {length}")


@pytest.mark.parametrize("seed", range(60))
def test_random_network(seed: int, tmp_path: Path) -> None:
    result = network(np.random.default_rng(seed), tmp_path)
    try:
        verify(result, seed)
    except Exception as error:
        error.add_note(result.text)
        raise
