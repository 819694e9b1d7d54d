"""Windows over rows, and gaps in them. Expected values are worked out by hand or by plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnspec.data.checks.files import probe
from tests.support.data_files import WINDOWS, W, Y, fault, run, write_table
from tests.unit.data.section.test_plan import plan_of, slot


def test_windows_by_hand(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", shuffle=True)
    data = run(WINDOWS, tmp_path, [W], [Y])
    train = data.splits["train"]
    assert train.size == 30 - (4 + 3) + 1
    t = np.arange(4)
    np.testing.assert_array_equal(train.raw["w"][0], np.stack([t, 1000 + 2 * t], axis=1))
    np.testing.assert_array_equal(train.raw["w"][5], np.stack([t + 5, 1000 + 2 * (t + 5)], axis=1))
    assert train.target["y"][:3].tolist() == [[36.0], [49.0], [64.0]]  # t + horizon = 3 + 3, squared
    # validation: rows 30 to 44, less a gap of lookback + horizon
    assert data.splits["validation"].raw["w"][0, 0, 0] == 37
    assert data.splits["validation"].size == 2
    assert data.splits["test"].raw["w"][0, 0, 0] == 52


def test_row_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", shuffle=True)
    train = run(WINDOWS, tmp_path, [W], [Y]).splits["train"]
    order = np.random.default_rng(3).permutation(60)  # the file's row r holds time order[r]
    np.testing.assert_array_equal(order[train.rows], train.raw["w"][:, -1, 0])


def test_no_row_serves_two_splits(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", rows=200)
    text = WINDOWS.replace("test: 0.25}", "test: 0.25, gap: 0}")
    touched = {}
    for name, split in run(text, tmp_path, [W], [Y]).splits.items():
        inputs = set(split.raw["w"][:, :, 0].ravel().tolist())
        targets = set(np.sqrt(split.target["y"]).ravel().tolist())
        touched[name] = inputs | targets
    assert touched["train"] == set(range(100))
    assert touched["validation"] == set(range(100, 150))
    assert touched["test"] == set(range(150, 200))


def test_stride_and_step_lists(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    text = WINDOWS.replace("horizon: 3", "horizon: [1, 3], stride: 5").replace("[c]", "[c, a]")
    head = slot("y", ("step", 2), ("unit", 2), task="regression")
    train = run(text, tmp_path, [W], [head]).splits["train"]
    assert train.raw["w"][:, 0, 0].tolist() == [0, 5, 10, 15, 20]
    assert train.target["y"][1].tolist() == [[81.0, 9.0], [121.0, 11.0]]  # last row 8; rows 9 and 11


def test_window_axes_are_matched_by_name(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    text = WINDOWS.replace("lookback: 4", "lookback: 2")
    straight = run(text, tmp_path, [slot("w", ("time", 2), ("feature", 2))], [Y]).splits["train"].raw["w"]
    turned = run(text, tmp_path, [slot("w", ("feature", 2), ("time", 2))], [Y]).splits["train"].raw["w"]
    np.testing.assert_array_equal(turned, straight.transpose(0, 2, 1))
    assert straight[0].tolist() == [[0.0, 1000.0], [1.0, 1002.0]]
    named = text.replace("{columns: [a, b]}", "{columns: [a, b], axes: [sample, p]}")
    found = run(named, tmp_path, [slot("w", ("p", 2), ("q", 2))], [Y]).splits["train"].raw["w"]
    np.testing.assert_array_equal(found, turned)


def test_input_at_the_windows_end(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    text = WINDOWS.replace("inputs: {w:", "inputs: {now: {columns: [b, a, c], window: false}, w:")
    train = run(text, tmp_path, [W, slot("now", ("feature", 3))], [Y]).splits["train"]
    assert train.raw["now"][0].tolist() == [1006.0, 3.0, 9.0]


def test_windows_stay_within_groups(tmp_path: Path) -> None:
    lines = [f"{g},{100 * g + i},{10 * g + i}" for i in range(9) for g in range(6)]  # interleaved in the file
    (tmp_path / "a.csv").write_text("g,a,c\n" + "\n".join(lines) + "\n")
    text = """
source: {csv: a.csv}
split: {train: 0.67, test: 0.33, by: random, group: g, seed: 5}
window: {lookback: 3, horizon: 1}
inputs: {w: {columns: [a]}}
outputs: {y: {columns: [a]}}
"""
    data = run(text, tmp_path, [slot("w", ("time", 3), ("feature", 1))], [Y])
    seen = {}
    for name, split in data.splits.items():
        everything = np.concatenate([split.raw["w"][:, :, 0], split.target["y"]], axis=1)
        assert (everything // 100 == everything[:, :1] // 100).all()
        assert (np.diff(everything, axis=1) == 1).all()
        seen[name] = set((everything // 100).ravel().tolist())
    assert len(seen["train"]) == 4
    assert len(seen["test"]) == 2
    assert not seen["train"] & seen["test"]


def _gappy(path: Path) -> None:
    write_table(path)
    lines = path.read_text().split("\n")
    for row in (11, 12, 40):  # t = 10, 11, 39
        cells = lines[row].split(",")
        lines[row] = ",".join([*cells[:2], "", cells[3]])
    path.write_text("\n".join(lines))


def test_missing_values_are_an_error(tmp_path: Path) -> None:
    _gappy(tmp_path / "a.csv")
    code, message = fault(WINDOWS, tmp_path, [W], [Y])
    assert code == "NN504"
    assert "`b`" in message
    assert "3 values missing: rows 11, 12, 40" in message


def test_forward_fill_looks_back_only(tmp_path: Path) -> None:
    _gappy(tmp_path / "a.csv")
    train = run(WINDOWS + "missing: forward_fill", tmp_path, [W], [Y]).splits["train"]
    assert train.raw["w"][9, :, 1].tolist() == [1018.0, 1018.0, 1018.0, 1024.0]


def test_drop_leaves_out_what_touches_a_gap(tmp_path: Path) -> None:
    _gappy(tmp_path / "a.csv")
    text = WINDOWS.replace("validation: 0.25, test: 0.25", "test: 0.5") + "missing: drop"
    train = run(text, tmp_path, [W], [Y]).splits["train"]
    starts = train.raw["w"][:, 0, 0].astype(int).tolist()
    assert starts == [t for t in range(24) if not {10, 11} & set(range(t, t + 4))]
    np.testing.assert_array_equal(np.diff(train.raw["w"][:, :, 0], axis=1), 1)


def test_drop_leaves_out_targets_that_are_missing(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(content.replace(",121\n", ",\n"))  # c at t = 11
    train = run(WINDOWS + "missing: drop", tmp_path, [W], [Y]).splits["train"]
    assert train.raw["w"][:, 0, 0].astype(int).tolist() == [t for t in range(24) if t + 6 != 11]


def test_nothing_to_fill_with(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,a,b,c\n" + "".join(f"{t},{t or ''},{t},{t}\n" for t in range(60)))
    code, message = fault(WINDOWS + "missing: forward_fill", tmp_path, [W], [Y])
    assert (code, "row 1" in message) == ("NN504", True)


def test_missing_and_infinite_values_in_arrays(tmp_path: Path) -> None:
    x = np.arange(22.0).reshape(11, 2)
    x[4, 1] = np.nan
    text = "split: {train: 0.6, test: 0.4, by: order}\ninputs: {x: {npy: x.npy}}\noutputs: {y: {npy: y.npy}}\n"
    np.save(tmp_path / "y.npy", np.arange(11.0))
    np.save(tmp_path / "x.npy", x)
    inputs = [slot("x", ("feature", 2))]
    assert fault(text, tmp_path, inputs, [Y])[0] == "NN504"
    filled = run(text + "missing: forward_fill", tmp_path, inputs, [Y]).splits["train"]
    assert filled.raw["x"][4].tolist() == [8.0, 7.0]
    dropped = run(text + "missing: drop", tmp_path, inputs, [Y]).splits["train"]
    assert dropped.rows.tolist() == [0, 1, 2, 3, 5]
    x[4, 1] = np.inf
    np.save(tmp_path / "x.npy", x)
    assert "infinite" in fault(text + "missing: drop", tmp_path, inputs, [Y])[1]


def test_forward_fill_never_fills_targets(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(content.replace(",121\n", ",\n").replace(",1010,", ",,"))  # c at t = 11, b at t = 5
    data = run(WINDOWS + "missing: forward_fill", tmp_path, [W], [Y])
    starts = data.splits["train"].raw["w"][:, 0, 0].astype(int).tolist()
    assert starts == [t for t in range(24) if t + 6 != 11]
    assert data.left_out == {"train": 1, "validation": 0, "test": 0}
    assert data.splits["train"].raw["w"][2, :, 1].tolist() == [1004.0, 1006.0, 1008.0, 1008.0]  # inputs are


def test_targets_with_gaps_are_told_by_check(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text((tmp_path / "a.csv").read_text().replace(",121\n", ",\n").replace(",9\n", ",\n"))
    (found,) = probe(plan_of(WINDOWS + "missing: forward_fill", tmp_path), {"w": W}, {"y": Y})
    assert (found.code, found.is_error, found.path) == ("NN523", False, "data.outputs.y.columns")
    assert "2 rows" in found.message
    assert not probe(plan_of(WINDOWS + "missing: drop", tmp_path), {"w": W}, {"y": Y})


def test_each_series_is_cut_in_time(tmp_path: Path) -> None:
    lines = [f"{i},{g},{100 * g + i}" for i in reversed(range(10)) for g in (3, 1)]  # newest first, series in turn
    (tmp_path / "a.csv").write_text("t,g,a\n" + "\n".join(lines) + "\n")
    text = """
source: {csv: a.csv}
order_by: t
series: {by: g}
split: {train: 0.6, test: 0.4, gap: 0}
window: {lookback: 2, horizon: 1}
inputs: {w: {columns: [a]}}
outputs: {y: {columns: [a]}}
"""
    data = run(text, tmp_path, [slot("w", ("time", 2), ("feature", 1))], [Y])
    for name, times in (("train", range(4)), ("test", range(6, 8))):
        wanted = [[[100.0 * g + t], [100.0 * g + t + 1]] for g in (3, 1) for t in times]
        assert data.splits[name].raw["w"].tolist() == wanted
        assert data.splits[name].target["y"].tolist() == [[100.0 * g + t + 2] for g in (3, 1) for t in times]
    drawn = text.replace("gap: 0", "by: random").replace("order_by: t\n", "order_by: t\n")
    for split in run(drawn, tmp_path, [slot("w", ("time", 2), ("feature", 1))], [Y]).splits.values():
        assert len(set((split.raw["w"] // 100).ravel().tolist())) == 1  # a whole series
