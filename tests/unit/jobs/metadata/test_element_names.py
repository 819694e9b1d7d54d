"""Forecasts of several rows are written by column and row ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec import pipeline
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.metadata.element_names import copied_names, element_names
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


@pytest.mark.parametrize(
    ("columns", "window", "shape", "names"),
    [
        ("{a: standard, s: [x, y]}", "", (4,), ["_a", "_s=x", "_s=y", "_s=?"]),
        ("[a, b]", "window: {lookback: 3, horizon: 0}", (3, 2), ["_0_a", "_0_b", "_1_a", "_1_b", "_2_a", "_2_b"]),
    ],
)
def test_names_of_what_is_rebuilt(
    columns: str, window: str, shape: tuple[int, ...], names: list[str], tmp_path: Path
) -> None:
    rows = "".join(f"{i},{i * i},{'xy'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("a,b,s\n" + rows, encoding="utf-8")
    axes = "time: 3, feature: 2" if window else "feature: auto"
    columns = columns.replace("s: [x, y]", "s: {one_hot: [x, y]}")
    text = f"""
nnspec: 1
inputs: {{row: {{axes: {{{axes}}}}}}}
data:
  source: {{csv: t.csv}}
  split: {{train: 0.5, test: 0.5, by: order}}
  {window}
  inputs: {{row: {{columns: {columns}}}}}
  outputs: {{again: {{of: row}}}}
model: [{{Dense: {{units: 5}}}}, {{Dense: {{units: {shape[-1]}, as: feature}}}}]
outputs: {{again: {{task: regression}}}}
"""
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    checked = pipeline.check(tmp_path / "spec.yaml")
    output = checked.graph.outputs["again"]
    order = ["batch", *(axis.name for axis in output.value.axes)]
    deployment = load_dataset(checked).deployment
    assert copied_names(output, order, checked.data, deployment) == names
