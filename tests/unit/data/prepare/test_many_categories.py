"""Columns of thousands of words: what they become is gathered from their numbers, so memory grows with the words."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np

from nnspec.data.arrays.gathered import is_gathered
from nnspec.data.dataset import load
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

COUNT = 4096
TEXT = """
source: {csv: a.csv}
missing: {shop: category, tags: category}
split: {train: 1.0, by: order}
inputs: {x: {columns: {shop: one_hot, number: index, tags: {multi_hot: {separator: ";"}}, size: number}}}
outputs: {y: {columns: [y]}}
"""


def test_one_hot_multi_hot_and_index_of_thousands(tmp_path: Path) -> None:
    """A table of what each category becomes had COUNT² values: 67 MB a column, and as much for cells of words."""
    numbers = np.arange(COUNT + 1)
    lines = [f"s{i:05},n{i:05},t{i:05};t{(7 * i) % COUNT:05},{i / 2},{i}" for i in numbers[:-1].tolist()]
    (tmp_path / "a.csv").write_text("\n".join(["shop,number,tags,size,y", *lines, ",n00000,,3,4"]) + "\n")
    width = COUNT + 2  # a place for unknown words, and one for gaps
    plan = plan_of(TEXT, tmp_path)
    tracemalloc.start()
    data = load(plan, {"x": slot("x", ("feature", 2 * width + 2))}, {"y": Y})
    found = data.splits["train"].x["x"]
    some = found[np.array([5, COUNT, 0, 5])]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert is_gathered(found)
    assert peak < 4 * COUNT**2 / 2
    shops, words = some[:, :width], some[:, width + 1 : -1]
    np.testing.assert_array_equal(shops, np.eye(width)[[5, width - 1, 0, 5]])
    assert [np.flatnonzero(row).tolist() for row in words] == [[5, 35], [width - 1], [0], [5, 35]]
    np.testing.assert_array_equal(some[:, width], [6, 1, 1, 6])
    np.testing.assert_array_equal(some[:, -1], [2.5, 3, 0, 2.5])
