"""Every case of every layer in the oldest and the newest operator set: well-formed, with the same results as in 18."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec.backends.onnx.export import export_graph
from nnspec.ir.graph import Graph
from nnspec.ir.opset import needed_opset
from tests.support.case_files import KINDS, cases_of
from tests.support.layer_cases import Case, arrays_for, checked, relative_error

OLDEST, NEWEST = 17, 23


def weights_of(graph: Graph) -> dict[str, dict[str, np.ndarray]]:
    """Positive numbers, which do for variances too; no framework is asked for them."""
    rng = np.random.default_rng(2)
    return {
        node.owner: {w.name: rng.uniform(0.2, 0.8, w.shape).astype(np.float32) for w in node.weights}
        for node in graph.nodes
    }


def results(case: Case, graph: Graph, opset: int) -> list[np.ndarray]:
    exported = export_graph(graph, weights_of(graph), opset=opset)
    model = exported.builder.to_model({}, "test")
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    arrays = arrays_for(case, graph, 2, 6)
    read = {port.name for port in session.get_inputs()}
    return list(session.run(None, {name: array for name, array in arrays.items() if name in read}))


def error_of(got: np.ndarray, wanted: np.ndarray) -> float:
    """Infinities must stand in the same places; the error of the others."""
    if wanted.dtype.kind != "f":
        return relative_error(got, wanted)
    finite = np.isfinite(wanted)
    same = np.array_equal(got[~finite], wanted[~finite], equal_nan=True)
    return relative_error(np.where(finite, got, 0), np.where(finite, wanted, 0)) if same else float("inf")


@pytest.mark.parametrize("kind", KINDS)
def test_opsets(kind: str, tmp_path: Path) -> None:
    failures = []
    for case in cases_of(kind):
        graph = checked(case, tmp_path).graph
        opsets = [OLDEST, NEWEST] if needed_opset(graph) <= 18 else [NEWEST]
        wanted = results(case, graph, max(18, needed_opset(graph)))
        for opset in opsets:
            try:
                got = results(case, graph, opset)
            except Exception as error:
                failures.append(f"{case.label} at opset {opset}: {type(error).__name__} {error}")
                continue
            worst = max(error_of(a, b) for a, b in zip(got, wanted, strict=True))
            if not worst < 1e-4:
                failures.append(f"{case.label} at opset {opset} differs by {worst:.2g}")
    assert not failures, "\n".join(failures)
