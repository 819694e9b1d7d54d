"""What is known of a spec while it has faults: its axes, whatever its outputs say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nnspec.diagnostics import Source
from nnspec.pipeline import survey

FAULTY: list[Any] = [
    {},
    {"task": None},
    {"task": "foo"},
    {"task": 3},
    {"task": "regression", "loss": "Foo"},
    {"task": "regression", "loss": {"MeanSquaredError": {"foo": 1}}},
    {"task": "binary", "loss": 3},
    {"task": "classification", "loss": ["a"]},
    {"task": "regression", "metrics": ["Foo"]},
]


@pytest.mark.parametrize("output", FAULTY, ids=json.dumps)
def test_axes_are_known_whatever_an_output_says(output: dict[str, Any], tmp_path: Path) -> None:
    document = {"nnspec": 1, "inputs": {"x": {"axes": {"feature": 3}}}, "model": [{"Dense": {"units": 2}}]}
    path = tmp_path / "spec.yaml"
    found = survey(path, Source(str(path), json.dumps({**document, "outputs": {"y": output}})))
    assert found.diagnostics
    assert found.graph is not None
    assert [axis.size for axis in found.graph.outputs["y"].value.axes] == [2]
