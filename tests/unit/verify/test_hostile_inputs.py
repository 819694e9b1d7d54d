"""Padding at every place of every input that layers make masks of."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec import pipeline
from nnspec.ir.graph import Graph
from nnspec.verify.hostile_inputs import padding_of, variants


def graph_of(tmp_path, text: str) -> Graph:
    path = tmp_path / "spec.yaml"
    path.write_text("nnspec: 1\nname: net\n" + text)
    return pipeline.check(path).graph


IDS = """
inputs: {words: {axes: {token: T}, dtype: int32}}
model:
  - Embedding: {input_dim: 7, output_dim: 3, mask_zero: true}
  - LSTM: {units: 2}
outputs: {y: {task: regression}}
"""
STEPS = """
inputs: {x: {axes: {feature: 3, time: 6}}}
model:
  - Rescaling: {scale: 0.5, offset: 1.0}
  - permute: [time, feature]
  - Masking: {mask_value: -1.0}
  - GRU: {units: 2}
outputs: {y: {task: regression}}
"""
PLAIN = """
inputs: {x: {axes: {time: 6, feature: 3}}}
model: [{LSTM: {units: 2}}]
outputs: {y: {task: regression}}
"""


def test_ids_are_padded_with_zeros_at_every_place(tmp_path):
    none, right, left, middle, rows, alone = (
        made["words"] for made in variants(graph_of(tmp_path, IDS), np.random.default_rng(0), batch=4, length=9)
    )
    assert (none != 0).all()
    assert (right[:, 0] != 0).all()
    assert (right[:, -1] == 0).all()
    assert (np.diff((right == 0).astype(int)) >= 0).all()
    assert (left[:, 0] == 0).all()
    assert (left[:, -1] != 0).all()
    assert (middle[:, [0, -1]] != 0).all()
    assert (middle == 0).any(axis=1).all()
    assert (rows[::2] == 0).all()
    assert (rows[1::2] != 0).all()
    assert alone.shape == (1, 9)


def test_masked_steps_are_what_scaling_and_moving_make_the_mask_value(tmp_path):
    graph = graph_of(tmp_path, STEPS)
    assert padding_of(graph, "x").value == pytest.approx(-4.0)
    assert padding_of(graph, "x").axis == 2
    right = variants(graph, np.random.default_rng(0))[1]["x"]
    assert (right[:, :, -1] == -4.0).all()
    assert not (right[:, :, 0] == -4.0).any()


def test_an_input_without_a_mask_has_none(tmp_path):
    graph = graph_of(tmp_path, PLAIN)
    assert padding_of(graph, "x") is None
    assert [made["x"].shape for made in variants(graph, np.random.default_rng(0), batch=3)] == [(3, 6, 3), (1, 6, 3)]
