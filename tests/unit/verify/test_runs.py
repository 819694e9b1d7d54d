"""How many samples run at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nnspec import pipeline
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.verify import samples
from nnspec.verify.runs import Runs
from nnspec.verify.subject import Subject


def convolved(folder: Path, size: int) -> Graph:
    """Two values of `size · size · 16` numbers each."""
    path = folder / "spec.yaml"
    convolution = {"Conv2D": {"filters": 16, "kernel_size": 3, "padding": "same"}}
    inputs = {"image": {"axes": {"height": size, "width": size, "channel": 3}}}
    outputs = {"y": {"task": "regression"}}
    path.write_text(
        json.dumps({"nnspec": 1, "inputs": inputs, "model": [convolution] * 2, "outputs": outputs}), "utf-8"
    )
    return pipeline.check(path).graph


@pytest.mark.parametrize(("size", "wanted", "rows"), [(8, 4, 4), (8, 1, 1), (4096, 4, 2), (4096, 1, 1)])
def test_as_many_samples_as_memory_holds(tmp_path: Path, size: int, wanted: int, rows: int) -> None:
    """4,096² · 16 numbers of two layers are 2 GiB a sample: of four, 8."""
    assert samples.rows_that_fit(convolved(tmp_path, size), wanted, 9) == rows


def test_fewer_samples_of_what_takes_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(convolved(tmp_path, 8), None, Deployment())
    usual = Runs(subject)
    assert usual.batches() == (1, 3, 32)
    monkeypatch.setattr(samples, "MOST_KEPT", 5000)  # of a sample's 2,048 numbers
    assert usual.batches() == (1, 2, 32)
