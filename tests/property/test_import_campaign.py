"""Random Keras models with masks, states and branches: what is imported and exported computes what Keras computes.

A longer run: `python -m tests.tools.import_campaign --count 1000`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.differential import difference, try_model
from tests.support.keras_models import hard_inputs, random_model
from tests.support.reference_evaluator import evaluator

EXAMPLES = int(os.environ.get("NNSPEC_EXAMPLES", "8"))

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras tells of masks that end, which is what is tried


@pytest.mark.parametrize("seed", range(5000, 5000 + EXAMPLES))
def test_import_computes_what_keras_does(seed: int) -> None:
    outcome = try_model(seed)
    assert outcome.is_clean, f"{outcome.state}: {outcome.why}\n{outcome.steps}"


def test_a_mask_that_is_lost_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is one: an import that lets masks flow on as a spec's layers do is caught."""
    from nnspec.importers.keras import importer

    monkeypatch.setattr(importer, "has_masks", lambda graph, calls: False)
    monkeypatch.setattr(importer, "TOLERANCE", float("inf"))
    assert [try_model(seed).state for seed in (1, 8)] == ["equal", "differs"]


def test_models_are_their_seed() -> None:
    one, again = random_model(7), random_model(7)
    assert one.steps == again.steps
    for mine, theirs in zip(one.model.weights, again.model.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(theirs))
    for mine, theirs in zip(hard_inputs(one, 7), hard_inputs(again, 7), strict=True):
        for left, right in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(left, right)


def test_a_wrong_number_is_seen() -> None:
    wanted = np.ones((2, 3), np.float32)
    assert difference(wanted + 1e-2, wanted) > 5e-3
    assert difference(wanted[:1], wanted) == float("inf")
    assert difference(np.full_like(wanted, np.nan), wanted) == float("inf")


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
def test_reference_recurrent_ops(op: str, direction: str) -> None:
    """What this repository adds to the reference evaluator agrees with ONNX Runtime, lengths and activations too."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(3)
    gates, count = {"LSTM": 4, "GRU": 3, "RNN": 1}[op], 2 if direction == "bidirectional" else 1
    each = {"LSTM": ["HardSigmoid", "Tanh", "Softsign"], "GRU": ["HardSigmoid", "Relu"], "RNN": ["Elu"]}[op]
    shapes = {"W": (count, gates * 3, 2), "R": (count, gates * 3, 3), "B": (count, gates * 6)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), n) for n, s in shapes.items()]
    weights.append(numpy_helper.from_array(np.asarray([5, 2, 3], np.int32), "lengths"))
    outputs = ["Y", "Y_h", "Y_c"][: 3 if op == "LSTM" else 2]
    more: dict[str, Any] = {"linear_before_reset": 1} if op == "GRU" else {}
    more |= {"hidden_size": 3, "direction": direction, "activations": each * count}
    node = helper.make_node(op, ["X", "W", "R", "B", "lengths"], outputs, **more)
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [5, 3, 2])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [5, count, 3, 3] if name == "Y" else [count, 3, 3])
            for name in outputs
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    x = rng.normal(size=(5, 3, 2)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for ours, theirs in zip(evaluator(model).run(None, {"X": x}), session.run(None, {"X": x}), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
