"""`nnspec evaluate` of targets for each step: padded and ignored ones do not count, as in `metrics.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from tests.support.evaluated_rows import assert_same_metrics
from tests.unit.training.test_padded_targets import HEADS, PARTS, sequences, targets, written


@pytest.mark.parametrize(
    ("how", "side"), [({"padded_like": "x"}, "left"), ({"lengths": "n"}, "right")], ids=["padded_like", "lengths"]
)
def test_padded_targets_do_not_count(tmp_path: Path, how: dict[str, Any], side: str) -> None:
    spec = written(tmp_path, list(HEADS), side, how, epochs=1)
    run = spec.build(tmp_path / "out")
    x, lengths, real = sequences(side)
    test = PARTS["test"]
    arrays: dict[str, Any] = {name: array[test] for name, array in {"x": x, "n": lengths, **targets(x, real)}.items()}
    np.savez(tmp_path / "new.npz", **arrays)
    result = CliRunner().invoke(main, ["evaluate", str(run.onnx), str(tmp_path / "new.npz"), "--format", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["outputs"]
    assert_same_metrics(found, run.metrics["test"])
    assert found["kind"]["targets"] == int(real[test].sum())
