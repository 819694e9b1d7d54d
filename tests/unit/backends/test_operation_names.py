"""Names that Keras gives to operations, beside those of the spec."""

from __future__ import annotations

from pathlib import Path

import keras

from nnspec import pipeline
from nnspec.backends.keras.model import build_model

SPEC = """
nnspec: 1
name: gated
inputs: {series: {axes: {time: 6, feature: 4}}}
model:
  - Masking: {name: masked}
  - Dense: {name: where, units: 1, activation: sigmoid}
  - Multiply: {name: gated, from: [masked, where], broadcast: feature}
  - GlobalAveragePooling1D
  - Dense: {units: 1}
outputs: {y: {task: regression}}
"""


def test_an_operation_leaves_its_name_to_a_layer(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC, "utf-8")
    graph = pipeline.check(tmp_path / "spec.yaml").graph
    keras.utils.clear_session()  # Keras counts from one again: the first operation of a kind is called after it
    model = build_model(graph).model
    names = [operation.name for operation in model.operations]
    assert isinstance(model.get_layer("where"), keras.layers.Dense)
    assert len(set(names)) == len(names) > len(graph.nodes) + 2, "no operations beside the layers"
