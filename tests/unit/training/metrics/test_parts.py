"""Which axes of an output have metrics of their own, and what is a map."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.pipeline import check
from nnspec.training.metrics.parts import is_map, parts_of

SPEC = """
nnspec: 1
inputs: {{x: {{axes: {axes}}}}}
model: [{model}]
outputs: {{y: {{task: {task}}}}}
"""
PICTURE = "{height: 8, width: 6, channel: 3}"


@pytest.mark.parametrize(
    ("axes", "model", "task", "expected"),
    [
        (PICTURE, "{Dense: {units: 4, activation: softmax}}", "classification", "map"),
        (PICTURE, "{Dense: {units: 1, activation: sigmoid}}", "binary", "map"),
        (PICTURE, "{Dense: {units: 3}}", "regression", "map"),
        ("{time: 5, feature: 3}", "{Dense: {units: 4, activation: softmax}}", "classification", "step 5"),
        ("{time: 5, feature: 3}", "{Dense: {units: 2}}", "regression", "step 5, column 2"),
        ("{feature: 3}", "{Dense: {units: 4, activation: softmax}}", "classification", ""),
        ("{feature: 3}", "{Dense: {units: 4, activation: sigmoid}}", "multilabel", ""),
        ("{time: 5, feature: 3}", "{Dense: {units: 4, activation: sigmoid}}", "multilabel", "step 5"),
        (
            "{time: 5, sensor: 2, feature: 3}",
            "{Dense: {units: 4, activation: softmax}}",
            "classification",
            "step 5, sensor 2",
        ),
        ("{feature: 3}", "{Dense: {units: 90}}", "regression", ""),
    ],
)
def test_parts(axes: str, model: str, task: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.format(axes=axes, model=model, task=task))
    output = check(tmp_path / "spec.yaml").graph.outputs["y"]
    parts = parts_of(output, None)
    assert is_map(output) is (expected == "map")
    assert ", ".join(f"{part.called} {len(part.names)}" for part in parts) == expected.removeprefix("map")
