"""What `nnspec evaluate` says of a built spec's raw test rows: of a table newest first, else of arrays."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from nnspec import api, runtime
from nnspec.checks.context import input_slots, output_slots
from nnspec.cli import main
from nnspec.data.dataset import load
from nnspec.jobs import Run, load_dataset
from nnspec.runtime.rules.csv import open_text
from tests.support.spec_predictions import _begun, _written, path_columns, with_paths


def evaluated_test_rows(spec: Path, run: Run, folder: Path) -> dict[str, dict[str, Any]]:
    """The metrics of each output."""
    plan = api.load(spec).checked.data
    assert plan is not None
    if plan.source is None and any(slot.source.source.is_per_file for slot in plan.inputs.values()):
        data = _files(spec, folder)
    elif plan.source is None or plan.source.kind != "csv":
        data = _array_rows(spec, run, folder)
    elif plan.window is None:
        data = _drawn_rows(spec, folder)
    elif plan.split.by == "random":
        data = _drawn_series(spec, folder)
    else:
        data = _table_rows(spec, folder)
    done = CliRunner().invoke(main, ["evaluate", str(run.onnx), str(data), "--format", "json"])
    assert done.exit_code == 0, done.output
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["outputs"]
    return found


def _drawn_rows(spec: Path, folder: Path) -> Path:
    checked = api.load(spec).checked
    assert checked.data is not None
    assert checked.data.source is not None
    with open_text(checked.data.source.path, "utf-8") as stream:  # decompressed where it is
        rows = list(csv.DictReader(stream))
    test = [rows[row] for row in load_dataset(checked).splits["test"].rows]
    return _written(folder / "labelled.csv", with_paths(test, path_columns(checked.data)))


def _table_rows(spec: Path, folder: Path) -> Path:
    plan = api.load(spec).checked.data
    assert plan is not None
    assert plan.source is not None
    with plan.source.path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    before = sum(part.fraction or 0 for part in plan.split.parts if part.name != "test")
    start = int(before * len(rows) + 1e-6) + (plan.gap or 0)
    test = [_begun(rows, start), *rows[start + 1 :]]
    return _written(folder / "labelled_newest_first.csv", test[::-1])


def _drawn_series(spec: Path, folder: Path) -> Path:
    """All rows of the series that are tested on as a whole."""
    checked = api.load(spec).checked
    plan = checked.data
    assert plan is not None
    assert plan.source is not None
    with open_text(plan.source.path, "utf-8") as stream:
        rows = list(csv.DictReader(stream))
    series = str(plan.series)
    names = {rows[row][series] for row in load_dataset(checked).splits["test"].rows}
    return _written(folder / "labelled_series.csv", [row for row in rows if row[series] in names])


def _files(spec: Path, folder: Path) -> Path:
    """The test split's files, in folders that are their labels."""
    checked = api.load(spec).checked
    assert checked.data is not None
    (slot,) = checked.data.inputs.values()
    files = slot.source.files()
    for row in load_dataset(checked).splits["test"].rows:
        own = folder / "labelled" / files[row].parent.name
        own.mkdir(parents=True, exist_ok=True)
        shutil.copy(files[row], own)
    return folder / "labelled"


def _array_rows(spec: Path, run: Run, folder: Path) -> Path:
    checked = api.load(spec).checked
    assert checked.data is not None
    test = load(checked.data, input_slots(checked.graph), output_slots(checked.graph)).splits["test"]
    metadata = runtime.load(run.onnx).metadata
    arrays = {}
    targets = dict(test.target)
    for name, slot in checked.data.outputs.items():
        if slot.classes is not None and slot.classes.kind == "quantiles":  # the numbers that are cut into classes
            assert slot.source.kind == "npy"
            targets[name] = np.moveaxis(np.load(slot.source.path), -1, 0)[test.rows]
    for name, array in {**test.raw, **targets}.items():
        order = metadata["layout"].get(name)
        arrays[name] = np.moveaxis(array, 0, -1) if order is not None and order[-1] == "batch" else array
    np.savez(folder / "labelled.npz", **arrays)
    return folder / "labelled.npz"


def assert_same_metrics(got: Any, wanted: Any, place: str = "") -> None:
    """Every metric is there, and within rounding."""
    if isinstance(wanted, dict):
        assert not wanted.keys() - got.keys(), (place, wanted.keys() - got.keys())
        for key in got:
            assert_same_metrics(got[key], wanted[key], f"{place}/{key}")
    elif isinstance(wanted, str) or (isinstance(wanted, list) and wanted and isinstance(wanted[0], str)):
        assert got == wanted, place
    else:
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=2e-4, err_msg=place)
