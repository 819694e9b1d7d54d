"""Reductions in the oldest operator set, where axes are attributes, in two runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from nnspec.backends.onnx.export import export_graph
from tests.layers.pooling.cases_reduction import FUNCTIONS
from tests.support.layer_cases import Case, checked

SINGLE = {"INFERENCE_PRECISION_HINT": "f32"}  # it may compute in less by default
INPUT = {"time": 3, "feature": 5}


def exported(name: str, folder: Path) -> Path:
    case = Case("reduce", {"axis": "time", "by": name}, [INPUT], {"feature": 5}, None, None)
    model = export_graph(checked(case, folder).graph, {}, opset=17).builder.to_model({}, "test")
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", ["l1", "logsumexp", "mean"])
def test_openvino_reduces_along_the_same_axis(name: str, tmp_path: Path) -> None:
    import openvino

    x = np.random.default_rng(3).normal(size=(2, 3, 5)).astype(np.float32)
    compiled = openvino.Core().compile_model(exported(name, tmp_path), "CPU", SINGLE)
    wanted = FUNCTIONS[name][0](x, axis=(1,), keepdims=False)
    np.testing.assert_allclose(compiled(x)[0], wanted, rtol=1e-5, atol=1e-6)


def test_infinities_are_summed_as_numbers_are(tmp_path: Path) -> None:
    x = np.zeros((1, 3, 5), np.float32)
    x[0, :, 0], x[0, 1, 1], x[0, 2, 2], x[0, :, 3] = -np.inf, np.inf, -np.inf, 200.0
    session = onnxruntime.InferenceSession(exported("logsumexp", tmp_path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(found[0], [-np.inf, np.inf, np.log(2), 200 + np.log(3), np.log(3)], rtol=1e-6)
