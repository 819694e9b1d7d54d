"""Forecasts of several rows are written by column and row ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec import pipeline
from nnspec.jobs.element_names import element_names
from nnspec.runtime.writing import records

SPEC = """
nnspec: 1
inputs: {past: {axes: {time: 4, feature: 2}}}
data:
  source: {csv: t.csv}
  order_by: day
  split: {train: 0.6, test: 0.4}
  window: {lookback: 4, horizon: [1, 2, 7]}
  inputs: {past: {columns: [a, b]}}
  outputs: {y: {columns: COLUMNS}}
model: MODEL
outputs: {y: {task: regression}}
"""
PAIRS = [f"_{column}+{step}" for step in (1, 2, 7) for column in "ab"]
ROWS_LAST = [f"_{column}+{step}" for column in "ab" for step in (1, 2, 7)]


@pytest.mark.parametrize(
    ("columns", "model", "names"),
    [
        ("[a]", "[Flatten, {Dense: {units: 3, as: target}}]", ["+1", "+2", "+7"]),
        ("[a, b]", "[Flatten, {Dense: {units: 6}}, {split: {unit: {time: 3, target: 2}}}]", PAIRS),
        ("[a, b]", "[Flatten, {Dense: {units: 6}}, {split: {unit: {target: 2, time: 3}}}]", ROWS_LAST),
    ],
)
def test_names(columns: str, model: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("day,a,b\n" + "".join(f"{i},{i},{i * i}\n" for i in range(60)), encoding="utf-8")
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("COLUMNS", columns).replace("MODEL", model), encoding="utf-8")
    checked = pipeline.check(path)
    output = checked.graph.outputs["y"]
    order = ["batch", *(axis.name for axis in output.value.axes)]
    found = element_names(output, order, checked.data)
    assert found == names
    values = np.arange(float(len(names))).reshape(1, *(axis.size for axis in output.value.axes))
    body = {"axes": [[name, None] for name in order], "task": "regression", "columns": ["a", "b"], "elements": found}
    (record,) = records({"y": values}, {"outputs": {"y": body}})
    assert record == {f"y{name}": float(i) for i, name in enumerate(names)}
