"""A deployed model reads a table's rows as training did: sorted, each series by itself, a batch at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.dataset import load
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_samples
from nnspec.runtime.samples import MOST_BYTES
from nnspec.runtime.writing import records
from tests.support.paths import ROOT
from tests.unit.data.section.test_plan import plan_of, slot

METADATA = {
    "inputs": {
        "w": {"axes": [["batch", None], ["time", 2], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}
    },
    "outputs": {"y": {"axes": [["batch", None], ["unit", 1]], "task": "regression"}},
    "window": {"lookback": 2, "horizon": [1], "stride": 1},
    "order_by": "t",
    "series": "g",
    "missing": "forward_fill",
}
PLAN = """
source: {csv: a.csv}
order_by: t
series: {by: g}
missing: forward_fill
split: {train: 1.0, gap: 0}
window: {lookback: 2, horizon: 0}
inputs: {w: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""


def write(folder: Path, seed: int, rows: int = 20) -> Path:
    """Two series in any order of rows, times that sort otherwise as text, gaps in b that come later."""
    rng = np.random.default_rng(seed)
    times = [f"2024-01-{day:02d}T{3 * hour:02d}:00:00+0{hour % 3}:00" for day in (1, 2) for hour in range(rows // 4)]
    lines = [
        f"{t},{g},{100 * k + i},{'' if i % 4 == 2 else 10 * i},{i}"
        for k, g in enumerate("vu")
        for i, t in enumerate(times)
    ]
    order = rng.permutation(len(lines))
    path = folder / "a.csv"
    path.write_text("\n".join(["t,g,a,b,c", *(lines[i] for i in order)]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(6))
def test_windows_are_those_of_training(seed: int, tmp_path: Path) -> None:
    path = write(tmp_path, seed)
    inputs = {"w": slot("w", ("time", 2), ("feature", 2))}
    trained = load(plan_of(PLAN, tmp_path), inputs, {"y": slot("y", ("unit", 1), task="regression")})
    deployed = read_samples(path, METADATA)
    np.testing.assert_array_equal(deployed.inputs["w"].astype(np.float32), trained.splits["train"].raw["w"])
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert deployed.keys["t"] == [rows[row][0] for row in trained.splits["train"].rows]


def test_rows_without_a_window_stay_in_file_order_and_are_filled_in_time(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,g,a,b\n3,u,30,\n1,u,10,5\n2,v,20,7\n4,v,40,\n")
    metadata = {**METADATA, "window": None}
    metadata["inputs"] = {"w": {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}}
    samples = read_samples(tmp_path / "a.csv", metadata)
    assert samples.inputs["w"].tolist() == [[30, 5], [10, 5], [20, 7], [40, 7]]
    assert samples.keys == {"t": ["3", "1", "2", "4"], "g": ["u", "u", "v", "v"]}


def test_a_table_without_the_columns_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,5\n2,6\n3,7\n")
    samples = read_samples(tmp_path / "a.csv", METADATA)
    assert samples.inputs["w"].tolist() == [[[1, 5], [2, 6]], [[2, 6], [3, 7]]]
    assert ["`t`" in samples.notes[0], "`g`" in samples.notes[1]] == [True, True]


def test_a_row_without_a_time_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,g,a,b\n1,u,1,1\n,u,2,2\n")
    with pytest.raises(InputError, match=r"column `t`.*row 2"):
        read_inputs(tmp_path / "a.csv", METADATA)


def test_steps_that_training_would_have_refused_are_told(tmp_path: Path) -> None:
    """One of two series lacks a day, the other has all: windows are counted in rows, and `every` tells of time."""
    days = [f"2024-02-{day:02d}" for day in range(1, 9)]
    lines = [f"{day},{g},1,2,3" for g in "vu" for day in days if (g, day) != ("u", "2024-02-04")]
    (tmp_path / "a.csv").write_text("t,g,a,b,c\n" + "\n".join(reversed(lines)))
    for every in ("1d", "auto"):
        (note,) = read_samples(tmp_path / "a.csv", {**METADATA, "every": every}).notes
        assert f"1 step of `t` is not `{every}`" in note
        assert "after `2024-02-03`" in note
    (tmp_path / "a.csv").write_text("t,g,a,b,c\n" + "\n".join(line for line in lines if ",v," in line))
    assert not read_samples(tmp_path / "a.csv", {**METADATA, "every": "1d"}).notes
    (note,) = read_samples(tmp_path / "a.csv", {**METADATA, "every": "2d"}).notes
    assert "7 steps" in note


def test_batches_are_bounded_in_bytes(tmp_path: Path) -> None:
    count, lookback = 1500, 1000
    columns = [f"c{i}" for i in range(30)]
    rows = "\n".join(",".join([str(i)] * 30) for i in range(count))
    (tmp_path / "a.csv").write_text(",".join(columns) + "\n" + rows + "\n")
    body = {"axes": [["batch", None], ["time", lookback], ["feature", 30]], "dtype": "float32", "columns": columns}
    samples = read_samples(tmp_path / "a.csv", {"inputs": {"w": body}, "window": {"lookback": lookback, "stride": 1}})
    parts = list(samples.slices())
    assert sum(part.stop - part.start for part in parts) == samples.count == count - lookback + 1
    for part in parts:
        assert samples.take(part)["w"].nbytes <= MOST_BYTES
    assert samples.take(parts[-1])["w"][-1, :, 0].tolist() == list(range(count - lookback, count))


def test_what_tells_samples_apart_stands_first() -> None:
    found = list(records({"y": np.array([[1.5], [2.5]])}, METADATA, {"t": ["a", "b"], "y": ["x", "x"]}))
    assert found == [{"t": "a", "y": 1.5}, {"t": "b", "y": 2.5}]


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    saved = ROOT / "tests" / "end_to_end" / "saved"
    lines = (saved / "rows.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "rows.csv").write_text("\n".join([lines[0], *(lines[1:] * 4000)]) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "nnspec.cli", "predict", str(saved / "model.onnx"), str(tmp_path / "rows.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait() == 0
    assert b"Traceback" not in said
    assert b"error" not in said
