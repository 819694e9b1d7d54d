"""Random networks that are right by construction must check clean; a longer run: NNSPEC_EXAMPLES=3000."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec.api import load
from nnspec.pipeline import diagnose
from tests.support.right_networks import right_network

EXAMPLES = int(os.environ.get("NNSPEC_EXAMPLES", "300"))
EACH = 50


def written(seed: int, folder: Path) -> Path:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(right_network(np.random.default_rng(seed)), sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("first", range(0, EXAMPLES, EACH))
def test_no_alarm(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + EACH):
        path = written(seed, tmp_path)
        found = [f"{d.code} {d.message}" for d in diagnose(path)]
        assert not found, (seed, found, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("seed", range(12))
def test_keras_builds_it(seed: int, tmp_path: Path) -> None:
    """What is right by construction is also what Keras can run: the generator's shapes are Keras'."""
    spec = load(written(seed, tmp_path))
    model = spec.compile()
    (value,) = spec.graph.inputs.values()
    shape = (2, *(axis.size for axis in value.axes if isinstance(axis.size, int)))
    made = model.predict_on_batch(np.random.default_rng(seed).normal(size=shape).astype(np.float32))
    made = next(iter(made.values())) if isinstance(made, dict) else made
    (output,) = spec.graph.outputs.values()
    assert np.asarray(made).shape == (2, *(axis.size for axis in output.value.axes))
    assert np.all(np.isfinite(np.asarray(made)))
