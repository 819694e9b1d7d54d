"""Gaps on the line between known values, as NumPy draws it of each window by itself: no window sees what follows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.runtime.reading import read_samples
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

N = np.nan
A = [1.0, N, N, 7, 8, N, 2, N, N, N, 5, N]
B = [3.0, N, 9, N, 5, 6, N, 2, 2, N, N, 8]  # of another series
TEXT = """
source: {csv: a.csv}
order_by: t
series: {by: s}
missing: {v: interpolate, w: forward_fill}
split: {train: 0.5, test: 0.5, by: order, gap: 0}
window: {lookback: 3, horizon: 1}
inputs: {x: {columns: COLUMNS}, now: {columns: [v], window: false}}
outputs: {y: {columns: [y]}}
"""


def alone(values: list[float], end: int, lookback: int) -> list[float]:
    """What a table that ends with the window would give."""
    seen = np.array(values[: end + 1])
    known = np.flatnonzero(~np.isnan(seen))
    line = np.interp(np.arange(end + 1), known, seen[known])  # repeats the last one behind it
    return [float(value) for value in line[end + 1 - lookback :]]


def write(folder: Path) -> None:
    rows = [(t, name, values[t]) for t in range(12) for name, values in (("a", A), ("b", B))]
    lines = [f"{t},{s},{'' if np.isnan(v) else v},{'' if np.isnan(v) else v},{t}" for t, s, v in rows]
    (folder / "a.csv").write_text("\n".join(["t,s,v,w,y", *lines]) + "\n", encoding="utf-8")


def test_each_window_knows_its_own_rows(tmp_path: Path) -> None:
    for columns in ("[v, w]", "{v: number, w: number}"):
        write(tmp_path)
        plan = plan_of(TEXT.replace("COLUMNS", columns), tmp_path)
        inputs = {"x": slot("x", ("time", 3), ("feature", 2)), "now": slot("now", ("feature", 1))}
        assert [fault.message for fault in probe(plan, inputs, {"y": Y})] == []
        data = load(plan, inputs, {"y": Y})
        for split in ("train", "test"):
            first = 0 if split == "train" else 6
            wanted = [alone(values, end, 3) for values in (A, B) for end in range(first + 2, first + 5)]
            np.testing.assert_allclose(data.splits[split].x["x"][..., 0], wanted, rtol=1e-6)
            np.testing.assert_allclose(data.splits[split].x["now"][:, 0], [window[-1] for window in wanted], rtol=1e-6)
        assert data.splits["train"].x["x"][0, :, 1].tolist() == [1, 1, 1]


def test_serving_gives_the_same_windows(tmp_path: Path) -> None:
    write(tmp_path)
    x = {"axes": [["batch", None], ["time", 3], ["feature", 1]], "dtype": "float32", "columns": ["v"], "step": "time"}
    metadata = {
        "inputs": {"x": x},
        "window": {"lookback": 3, "horizon": [1], "stride": 1},
        "missing": "error",
        "missing_of": {"v": "interpolate"},
        "order_by": "t",
        "series": "s",
    }
    found = read_samples(tmp_path / "a.csv", metadata).inputs["x"][..., 0]
    wanted = [alone(values, end, 3) for values in (A, B) for end in range(2, 12)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_where_there_is_no_line(tmp_path: Path) -> None:
    """A series that begins with a gap; a row that is a sample by itself."""
    write(tmp_path)
    text = (
        TEXT.replace("COLUMNS", "[v]").replace("window: {lookback: 3, horizon: 1}", "").replace(", window: false", "")
    )
    rows = {name: slot(name, ("feature", 1)) for name in ("x", "now")}
    assert "NN550" in [fault.code for fault in probe(plan_of(text, tmp_path), rows, {"y": Y})]
    path = tmp_path / "a.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0,b,3.0,3.0,0", "0,b,,3.0,0"), encoding="utf-8")
    plan = plan_of(TEXT.replace("COLUMNS", "[v]"), tmp_path)
    inputs = {"x": slot("x", ("time", 3), ("feature", 1)), "now": slot("now", ("feature", 1))}
    (fault, *_) = [fault for fault in probe(plan, inputs, {"y": Y}) if fault.is_error]
    assert fault.code == "NN504"
    assert "rows 2, 4" in fault.message
