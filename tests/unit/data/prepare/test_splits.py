"""Which rows go to which split. Expected values are worked out by hand or by plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.data_files import ARRAYS, WINDOWS, X, Y, fault, head_of, labelled, run
from tests.unit.data.section.test_plan import slot


def test_random_splits_share_no_row_and_repeat(tmp_path: Path) -> None:
    labelled(tmp_path / "a.npz", [0, 1, 2] * 33)
    text = ARRAYS.replace("SPLIT", "{train: 0.5, validation: 0.2, test: 0.3, seed: 4}")
    one, two = (run(text, tmp_path, [X], [head_of(3)]) for _ in range(2))
    rows = {name: set(split.rows.tolist()) for name, split in one.splits.items()}
    assert [len(found) for found in rows.values()] == [49, 20, 30]
    assert len(set.union(*rows.values())) == 99
    for name, split in one.splits.items():
        np.testing.assert_array_equal(split.x["x"], two.splits[name].x["x"])
    other = run(text.replace("seed: 4", "seed: 5"), tmp_path, [X], [head_of(3)])
    assert set(other.splits["train"].rows.tolist()) != rows["train"]


def test_split_by_a_column_with_a_stratified_share(tmp_path: Path) -> None:
    labels = [0] * 40 + [1] * 20 + [0, 1]
    labelled(tmp_path / "a.npz", labels, part=np.array(["train"] * 60 + ["test"] * 2))
    text = ARRAYS.replace("SPLIT", "{train: train, validation: 0.25, test: test, by: {array: part}}")
    data = run(text, tmp_path, [X], [head_of(2)])
    assert np.bincount(data.splits["train"].y["y"]).tolist() == [30, 15]
    assert np.bincount(data.splits["validation"].y["y"]).tolist() == [10, 5]
    assert data.splits["test"].rows.tolist() == [60, 61]


def test_a_share_of_whole_groups(tmp_path: Path) -> None:
    groups = np.repeat(np.arange(10), 3)
    parts = np.where(groups < 8, "train", "test")
    labelled(tmp_path / "a.npz", groups % 2, part=parts, group=groups)
    text = ARRAYS.replace("SPLIT", "{train: train, validation: 0.25, test: test, by: {array: part}, group: group}")
    data = run(text, tmp_path, [X], [head_of(2)])
    found = {name: set(groups[split.rows].tolist()) for name, split in data.splits.items()}
    assert {name: len(members) for name, members in found.items()} == {"train": 6, "validation": 2, "test": 2}
    assert {name: split.size for name, split in data.splits.items()} == {"train": 18, "validation": 6, "test": 6}


def test_order_by_moves_all_arrays_alike(tmp_path: Path) -> None:
    when = np.random.default_rng(1).permutation(20)
    np.savez(tmp_path / "a.npz", x=np.stack([when, when + 100], 1), label=when % 2, when=when)
    text = ARRAYS.replace("SPLIT", "{train: 0.5, test: 0.5}\norder_by: when")
    data = run(text, tmp_path, [X], [head_of(2)])
    assert data.splits["train"].raw["x"][:, 0].tolist() == list(range(10))
    assert data.splits["test"].y["y"].tolist() == [t % 2 for t in range(10, 20)]


def test_text_that_does_not_sort_by_time(tmp_path: Path) -> None:
    rows = "".join(f"{m}/1/2020,{m},{m},{m}\n" for m in range(1, 13))
    (tmp_path / "a.csv").write_text("t,a,b,c\n" + rows)
    text = WINDOWS.replace("window: {lookback: 4, horizon: 3}\n", "")
    code, message = fault(text, tmp_path, [slot("w", ("feature", 2))], [Y])
    assert (code, "order in time" in message) == ("NN514", True)
