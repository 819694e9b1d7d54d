"""Features joined of which some have a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict
from tests.support.layer_cases import assert_masks_are_those_of_the_graph

SPEC = """
nnspec: 1
name: joined
inputs: {series: {axes: {time: 6, feature: 4}}, other: {axes: {time: 6, feature: 3}}}
model:
  - Masking: {name: masked, from: series}
  - Concatenate: {from: [other, masked], axis: feature}
  - Dense: {units: 1, use_bias: false}
  - Softmax: {axis: time}
  - Flatten
  - Rescaling: {scale: 1.0}
outputs: {y: {task: regression}}
"""


def test_scores_of_steps_of_which_some_have_a_mask(tmp_path: Path) -> None:
    """The mask ends where not every part has one (NN319), in Keras too: its Softmax refuses what it would make."""
    (tmp_path / "spec.yaml").write_text(SPEC, "utf-8")
    graph = pipeline.check(tmp_path / "spec.yaml").graph
    compiled = build_model(graph)
    assert_masks_are_those_of_the_graph(graph, compiled)
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(2, 6, size)).astype(np.float32) for name, size in (("series", 4), ("other", 3))}
    arrays["series"][:, 4:] = 0
    scores = np.concatenate([arrays["other"], arrays["series"]], -1) @ np.asarray(compiled.model.weights[0])
    wanted = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(predict(compiled.model, graph, arrays)["y"], wanted[..., 0], rtol=1e-5)
