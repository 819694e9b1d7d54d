"""Single arrays are mapped: rows that stay in file order are not copied as they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnspec.data.prepare.loading import ColumnCache
from nnspec.data.prepare.rows import read_rows
from nnspec.data.sources.array_load import load_npy
from tests.unit.data.section.test_plan import plan_of, slot

PLAN = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {npy: x.npy}}
outputs: {y: {npy: y.npy}}
"""


def test_rows_in_file_order_stay_in_the_file(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(8, 3)
    np.save(tmp_path / "x.npy", values)
    assert isinstance(load_npy(tmp_path / "x.npy").base, np.memmap)
    plan = plan_of(PLAN, tmp_path)
    rows = read_rows(plan, plan.inputs["x"], slot("x", ("feature", 3)), ColumnCache())
    same, turned = rows.take(np.arange(8)), rows.take(np.arange(8)[::-1])
    assert np.shares_memory(same.values, rows.values)
    assert turned.values.tolist() == values[::-1].tolist()
    assert rows.take(np.arange(4)).values.tolist() == values[:4].tolist()
