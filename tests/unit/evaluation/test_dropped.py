"""`nnspec evaluate` leaves out what training left out, samples with a gap, and `nnspec predict` has none for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import api
from nnspec.cli import main
from nnspec.runtime import InputError, load
from nnspec.runtime.reading import read_inputs, read_samples
from tests.support.evaluated_rows import assert_same_metrics

SPEC = """\
nnspec: 1
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  WINDOW
  missing: drop
  inputs: {x: {columns: [a, kind]}}
  outputs: {y: {columns: [y]}}
inputs: {x: {axes: AXES}}
model: [FLATTEN{Dense: {units: 1, as: column}}]
outputs: {y: {task: regression}}
training: {epochs: 1}
"""
ROWS = SPEC.replace("  WINDOW\n", "").replace("AXES", "{feature: 2}").replace("FLATTEN", "")
WINDOWS = SPEC.replace("WINDOW", "window: {lookback: 3, horizon: [1, 2]}").replace("AXES", "{time: 3, feature: 2}")


@pytest.mark.parametrize(
    ("spec", "first"),
    [(ROWS, 96), (WINDOWS.replace("FLATTEN", "Flatten, ").replace("units: 1, as: column", "units: 2, as: step"), None)],
    ids=["rows", "windows"],
)
def test_gaps_leave_samples_out(spec: str, first: int | None, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = [f"{a:.3f},{b:.3f},{a + b:.3f}" for a, b in rng.normal(size=(120, 2))]
    for row in (7, 30, 100, 110, 111):  # without `a`, without `kind`
        cells = lines[row].split(",")
        cells[row % 2] = ""
        lines[row] = ",".join(cells)
    (tmp_path / "rows.csv").write_text("\n".join(["a,kind,y", *lines]), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    run = api.load(tmp_path / "spec.yaml").build(tmp_path / "out")
    if first is None:  # windows of two splits do not overlap
        body = json.loads((tmp_path / "out" / "data.json").read_text(encoding="utf-8"))
        first = 120 - body["splits"]["test"]["rows"]
    (tmp_path / "new.csv").write_text("\n".join(["a,kind,y", *lines[first:]]), encoding="utf-8")
    command = ["evaluate", str(run.onnx), str(tmp_path / "new.csv"), "--format", "json"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert_same_metrics(found["outputs"], run.metrics["test"])
    left_out = json.loads((tmp_path / "out" / "data.json").read_text(encoding="utf-8"))["splits"]["test"]["left_out"]
    assert f"left out: {left_out} samples without a value of `a`, `kind`, as in training" in found["notes"]
    _check_predictions(run.onnx, lines[first:], lookback=3 if "window" in spec else 1, folder=tmp_path)


def _check_predictions(model: Path, lines: list[str], *, lookback: int, folder: Path) -> None:
    """Samples with a gap have no prediction; those of the others are what they are in a file without any gap."""
    named = [f"{line},row {i}" for i, line in enumerate(lines)]
    cells = [line.split(",") for line in lines]
    lacks = [
        any("" in row[:2] for row in cells[end - lookback + 1 : end + 1]) for end in range(lookback - 1, len(lines))
    ]
    found = {}
    for name, written in (("gaps", named), ("filled", [",".join(c or "1" for c in row.split(",")) for row in named])):
        (folder / f"{name}.csv").write_text("\n".join(["a,kind,y,id", *written]), encoding="utf-8")
        done = CliRunner().invoke(main, ["predict", str(model), str(folder / f"{name}.csv"), "--keep", "id"])
        assert done.exit_code == 0, done.output
        assert ("no prediction for" in done.stderr) == (name == "gaps")
        found[name] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in found["gaps"]] == [f"row {i}" for i in range(lookback - 1, len(lines))]
    for lack, given, full in zip(lacks, found["gaps"], found["filled"], strict=True):
        metrics = [value for name, value in given.items() if name != "id"]
        assert all(value is None for value in metrics) if lack else given == full
    samples = read_samples(folder / "gaps.csv", load(model).metadata)
    assert samples.incomplete is not None
    assert samples.incomplete.tolist() == lacks
    with pytest.raises(
        InputError, match=f"has no number in row {1 + next(i for i, row in enumerate(cells) if '' in row)}"
    ):
        read_inputs(folder / "gaps.csv", load(model).metadata)
    (folder / "one.csv").write_text("\n".join(["a,kind,y", *[",3,4"] * lookback]), encoding="utf-8")
    done = CliRunner().invoke(main, ["predict", str(model), str(folder / "one.csv"), "--out", str(folder / "p.npz")])
    assert done.exit_code == 0, done.output
    assert np.isnan(np.load(folder / "p.npz")["y"]).all()
