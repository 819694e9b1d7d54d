"""Series that several columns tell apart: the same as one column with both would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.diagnostics import Diagnostic
from nnspec.runtime.reading import read_samples
from nnspec.runtime.rules.series_keys import join_names
from tests.unit.data.section.test_plan import plan_of, slot

TEXT = """
source: {csv: a.csv}
series: {by: BY, time: day, every: 1}
missing: forward_fill
split: {SPLIT}
window: {lookback: 2, horizon: 1}
inputs: {x: {columns: [sales]}}
outputs: {y: {columns: [sales]}}
"""
PAIRS = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]


def write(folder: Path) -> None:
    """Rows of four series, in the order of days; each begins with a gap but the first."""
    lines = [
        f"{day},{shop},{item},{shop}{item},{100 * place + day if day != 4 else ''}"
        for day in range(8)
        for place, (shop, item) in enumerate(PAIRS)
    ]
    (folder / "a.csv").write_text("\n".join(["day,shop,item,both,sales", *lines]) + "\n", encoding="utf-8")


def checked(folder: Path, by: str, split: str) -> tuple[list[Diagnostic], Dataset]:
    plan = plan_of(TEXT.replace("BY", by).replace("SPLIT", split), folder)
    x, y = slot("x", ("time", 2), ("feature", 1)), slot("y", ("target", 1), task="regression")
    faults = [fault for fault in probe(plan, {"x": x}, {"y": y}) if fault.is_error]
    assert faults == []
    return faults, load(plan, {"x": x}, {"y": y})


@pytest.mark.parametrize(
    "split",
    [
        "train: 0.5, test: 0.5, by: time, gap: 0",
        "train: 0.5, test: 0.5, by: random",
        "by: {time: day, test: 5}, gap: 0",
    ],
)
def test_pairs_are_series(split: str, tmp_path: Path) -> None:
    write(tmp_path)
    _, alone = checked(tmp_path, "both", split)
    _, pairs = checked(tmp_path, "[shop, item]", split)
    for name in ("train", "test"):
        assert len(pairs.splits[name].rows)
        if "random" not in split:  # whose draw depends on the names
            np.testing.assert_array_equal(pairs.splits[name].rows, alone.splits[name].rows)
            np.testing.assert_array_equal(pairs.splits[name].x["x"], alone.splits[name].x["x"])
        windows = pairs.splits[name].x["x"].reshape(-1, 2) // 100
        assert (windows[:, 0] == windows[:, 1]).all()  # none joins two series
    if "random" not in split:
        assert sorted(pairs.past.names.values()) == ["a, 1", "a, 2", "b, 1", "b, 2"]


def test_gaps_and_doubles_name_both(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "a.csv"
    text = path.read_text(encoding="utf-8")
    text = text.replace("3,b,1,b1,203\n", "").replace("6,a,2,a2,106\n", "6,a,2,a2,106\n6,a,2,a2,0\n")
    path.write_text(text, encoding="utf-8")
    split = "train: 0.5, test: 0.5, by: time, gap: 0"
    plan = plan_of(TEXT.replace("BY", "[shop, item]").replace("SPLIT", split), tmp_path)
    x, y = slot("x", ("time", 2), ("feature", 1)), slot("y", ("target", 1), task="regression")
    told = [fault.message for fault in probe(plan, {"x": x}, {"y": y}) if fault.code == "NN574"]
    assert any("of `b, 1` (2.0 to 4.0)" in message or "of `b, 1` (2 to 4)" in message for message in told), told
    assert any("of `a, 2`" in message for message in told), told


def test_serving_keeps_them_apart(tmp_path: Path) -> None:
    write(tmp_path)
    x = {
        "axes": [["batch", None], ["time", 2], ["feature", 1]],
        "dtype": "float32",
        "columns": ["sales"],
        "step": "time",
    }
    metadata = {
        "inputs": {"x": x},
        "window": {"lookback": 2, "horizon": [1], "stride": 1},
        "missing": "forward_fill",
        "order_by": "day",
        "series": ["shop", "item"],
    }
    found = read_samples(tmp_path / "a.csv", metadata)
    windows = found.inputs["x"].reshape(-1, 2)
    assert len(windows) == 4 * 7
    assert (windows[:, 0] // 100 == windows[:, 1] // 100).all()
    assert list(found.keys) == ["day", "shop", "item"]
    assert [found.keys["shop"][0], found.keys["item"][0]] == ["a", "1"]


def test_no_two_series_have_one_name() -> None:
    assert join_names(["a, b", "c"]) != join_names(["a", "b, c"])
    assert join_names(['"a', "c"]) != join_names(["a", "c"])
