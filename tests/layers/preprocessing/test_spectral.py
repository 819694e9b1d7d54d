"""The phase of a spectrum where rounding cannot decide it: on the axes, at the origin, and of silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from nnspec.backends.keras.model import build_model, predict, read_weights
from nnspec.backends.onnx.builder import GraphBuilder, Port
from nnspec.backends.onnx.export import export_graph
from nnspec.backends.onnx.lowering import Lowering
from nnspec.layers.preprocessing.stft import angle
from tests.support.layer_cases import Case, checked

EXTREMES = [0.0, 1e-30, -1e-30, 0.3, -0.3, 1.0, -1.0, 5.0, -5.0, 3e30, -3e30]


def run(graph: GraphBuilder, arrays: dict[str, np.ndarray]) -> np.ndarray:
    model = graph.to_model({}, "test").SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, arrays)[0])


def test_angle_is_the_two_argument_arctangent_everywhere() -> None:
    real, imag = (side.reshape(-1).astype(np.float32) for side in np.meshgrid(EXTREMES, EXTREMES))
    graph = GraphBuilder(name="angle", opset=18)
    graph.inputs += [Port(name, "float32", (len(real),)) for name in ("real", "imag")]
    graph.outputs.append(Port(angle(Lowering(graph, stem="angle"), "real", "imag"), "float32", (len(real),)))
    np.testing.assert_allclose(run(graph, {"real": real, "imag": imag}), np.arctan2(imag, real), rtol=2e-7, atol=1e-37)


@pytest.mark.parametrize("signal", ["silence", "constant", "negative", "cosine"])
def test_phase_of_pure_tones(signal: str, tmp_path: Path) -> None:
    """With the kernels of the transform: bin 0 is real, the other bins of a constant are at the origin."""
    body = {"mode": "angle", "frame_length": 8, "frame_step": 4, "window": None}
    case = Case("STFTSpectrogram", body, [{"time": 24, "channel": 1}], {}, None, None)
    graph = checked(case, tmp_path).graph
    compiled = build_model(graph)
    weights = {node.name: read_weights(node, compiled.layers[node.name]) for node in graph.nodes}
    time = np.arange(24)
    wave = {"silence": 0 * time, "constant": 0 * time + 2, "negative": 0 * time - 2, "cosine": np.cos(np.pi / 4 * time)}
    arrays = {"x0": np.tile(wave[signal].astype(np.float32)[None, :, None], (2, 1, 1))}
    made = run(export_graph(graph, weights).builder, arrays)
    expected = predict(compiled.model, graph, arrays)["y"]
    kernels = (weights[graph.nodes[0].name][f"{part}_kernel"][:, 0] for part in ("real", "imag"))
    frames = np.stack([arrays["x0"][:, i : i + 8, 0] for i in range(0, 17, 4)], axis=1)
    sizes = np.hypot(*(frames @ kernel for kernel in kernels))
    heard = sizes > 1e-5  # elsewhere the phase is that of rounding
    assert heard.any() == (signal != "silence")
    turned = np.abs(made - expected) / (2 * np.pi)
    np.testing.assert_allclose(np.where(heard, turned - np.round(turned), 0), 0, atol=1e-6)
    if signal == "silence":
        assert (made == 0).all()
