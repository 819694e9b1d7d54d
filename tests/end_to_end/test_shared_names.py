"""A shared layer and a node may have one name: each keeps its own weights, in training and in the deployed file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from nnspec import api

# The first Dense without a name is called `dense_1`, as the shared layer is.
SPEC = """
nnspec: 1
inputs: {{x: {{axes: {{feature: 3}}}}}}
layers:
  dense_1: {{Dense: {{units: {shared}}}}}
model:
  - Dense: {{units: 3}}
  - {{share: dense_1}}
  - Dense: {{name: last, units: 3}}
  - {{share: dense_1}}
outputs: {{y: {{task: regression}}}}
"""


@pytest.mark.parametrize("units", [3, 2])
def test_weights_are_not_mixed_up(units: int, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.format(shared=units), encoding="utf-8")
    spec = api.load(tmp_path / "spec.yaml")
    model = spec.compile()
    run = spec.export(tmp_path / "out", untrained=True)
    x = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(run.model, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["y"], {"x": x})[0], model.predict(x, verbose=0), atol=1e-5)
