"""What `nnspec predict` gives for a built spec's test rows, scored against the file alone: NumPy and the csv module."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from nnspec import api, runtime
from nnspec.checks.context import input_slots, output_slots
from nnspec.cli import main
from nnspec.data.dataset import load
from nnspec.data.section.plan import DataPlan
from nnspec.jobs import Run
from nnspec.jobs.dataset import load_dataset
from nnspec.runtime.rules.csv import open_text

Row = dict[str, str]


def predicted_metric(spec: Path, run: Run, folder: Path) -> float:
    """RMSE or accuracy on the raw test rows: of a table newest first, of arrays in the order of the split."""
    plan = api.load(spec).checked.data
    assert plan is not None
    if plan.source is not None and plan.source.kind == "csv" and plan.window is None:
        return _accuracy_of_table(spec, run, folder)
    if plan.series is not None:
        return _rmse_of_panel(spec, run, folder)
    if plan.source is not None and plan.source.kind == "csv":
        return _rmse_of_table(spec, run, folder)
    if any(slot.source.source.is_per_file for slot in plan.inputs.values()):
        return _accuracy_of_files(spec, run, folder)
    return _metric_of_arrays(spec, run, folder)


def _accuracy_of_table(spec: Path, run: Run, folder: Path) -> float:
    """Of rows that are drawn one by one: those of the test split as they stand in the file, gaps and all."""
    checked = api.load(spec).checked
    assert checked.data is not None
    assert checked.data.source is not None
    with open_text(checked.data.source.path, "utf-8") as stream:  # decompressed where it is
        rows = list(csv.DictReader(stream))
    test = [rows[row] for row in load_dataset(checked).splits["test"].rows]
    (output,) = checked.data.outputs.values()
    found = with_paths(test, path_columns(checked.data))
    given = [{name: cell for name, cell in row.items() if name not in output.columns} for row in found]
    predictions = _predict(run, _written(folder / "test_rows.csv", given), folder)
    if checked.graph.outputs[output.name].task == "anomaly":
        truth = [float(row[output.columns[0]]) for row in test]
        return float(roc_auc_score(truth, [float(row[output.name]) for row in predictions]))
    return float(np.mean([p[output.name] == r[output.columns[0]] for p, r in zip(predictions, test, strict=True)]))


def path_columns(plan: DataPlan) -> dict[str, Path]:
    """The columns of paths, with the folder that they are relative to."""
    slots = [slot for slot in plan.inputs.values() if slot.source.source.is_per_file]
    return {slot.source.shown: slot.source.table.path.parent for slot in slots if slot.source.table is not None}


def with_paths(rows: list[Row], columns: dict[str, Path]) -> list[Row]:
    """The rows for a table in another folder."""
    return [{name: str(columns[name] / cell) if name in columns else cell for name, cell in r.items()} for r in rows]


def _rmse_of_table(spec: Path, run: Run, folder: Path) -> float:
    plan = api.load(spec).checked.data
    assert plan is not None
    assert plan.source is not None
    assert plan.window is not None
    with plan.source.path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))  # these files are in time order
    before = sum(part.fraction or 0 for part in plan.split.parts if part.name != "test")
    start = int(before * len(rows) + 1e-6) + plan.gap
    test = [_begun(rows, start), *rows[start + 1 :]]
    time, (output,) = str(plan.order_by), plan.outputs.values()
    predictions = _predict(run, _written(folder / "newest_first.csv", test[::-1]), folder)
    place = {row[time]: i for i, row in enumerate(test)}
    ahead, column = plan.window.horizon[0], output.columns[0]
    errors = []
    for row in predictions:
        target = place[row[time]] + ahead
        if target < len(test):  # the last windows have no target yet
            errors.append(float(row[output.name]) - float(test[target][column]))
    return float(np.sqrt(np.mean(np.square(errors))))


def _rmse_of_panel(spec: Path, run: Run, folder: Path) -> float:
    """Of the medians of series that are tested on as a whole: the rows of these, shuffled."""
    checked = api.load(spec).checked
    plan = checked.data
    assert plan is not None
    assert plan.source is not None
    assert plan.window is not None
    with plan.source.path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    tested = load(plan, input_slots(checked.graph), output_slots(checked.graph)).splits["test"]
    series, time, (output,) = str(plan.series), str(plan.order_by), plan.outputs.values()
    names = {rows[row][series] for row in tested.rows}
    test = [rows[i] for i in np.random.default_rng(0).permutation(len(rows)) if rows[i][series] in names]
    predictions = _predict(run, _written(folder / "shuffled.csv", test), folder)
    known = {(row[series], int(row[time])): float(row[output.columns[0]]) for row in test}
    errors = []
    for row in predictions:
        for ahead in plan.window.horizon:
            if (row[series], int(row[time]) + max(plan.window.horizon)) in known:  # the last windows lack targets
                target = known[row[series], int(row[time]) + ahead]
                errors.append(float(row[f"{output.name}+{ahead}_q0.5"]) - target)
    return float(np.sqrt(np.mean(np.square(errors))))


def _begun(rows: list[Row], start: int) -> Row:
    """The first test row; what it lacks was filled, in training, from the rows before the split."""
    return {
        name: cell or next((row[name] for row in reversed(rows[:start]) if row[name]), "")
        for name, cell in rows[start].items()
    }


def _written(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _accuracy_of_files(spec: Path, run: Run, folder: Path) -> float:
    """Of the test split's files in a folder, without their labels."""
    checked = api.load(spec).checked
    assert checked.data is not None
    test = load(checked.data, input_slots(checked.graph), output_slots(checked.graph)).splits["test"]
    (slot,) = checked.data.inputs.values()
    files = slot.source.files()
    (folder / "files").mkdir()
    labels = {}
    for row in test.rows:
        name = f"{row}{files[row].suffix}"
        shutil.copy(files[row], folder / "files" / name)
        labels[name] = files[row].parent.name
    rows = _predict(run, folder / "files", folder)
    (output,) = checked.data.outputs
    assert len(rows) == len(labels)
    return float(np.mean([row[output] == labels[row["file"]] for row in rows]))


def _metric_of_arrays(spec: Path, run: Run, folder: Path) -> float:
    checked = api.load(spec).checked
    assert checked.data is not None
    test = load(checked.data, input_slots(checked.graph), output_slots(checked.graph)).splits["test"]
    layout = runtime.load(run.onnx).metadata["layout"]
    arrays = {}
    for name, raw in test.raw.items():
        order = layout.get(name)
        is_last = order is not None and order[-1] == "batch"
        arrays[name] = np.moveaxis(raw, 0, -1) if is_last else raw
    np.savez(folder / "test_rows.npz", **arrays)
    rows = _predict(run, folder / "test_rows.npz", folder)
    ((name, target),) = test.target.items()
    wanted = target.reshape(len(target), -1)
    columns = [key for key in rows[0] if "_p_" not in key and not key.startswith(f"{name}_label")]
    found = np.array([[row[key] for key in columns] for row in rows])
    if checked.graph.outputs[name].task == "regression":
        return float(np.sqrt(np.mean((found.astype(float) - wanted) ** 2)))
    return float(np.mean(found == wanted.astype(str)))


def _predict(run: Run, data: Path, folder: Path) -> list[dict[str, Any]]:
    out = folder / "predictions.csv"
    done = CliRunner().invoke(main, ["predict", str(run.onnx), str(data), "--out", str(out)])
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
