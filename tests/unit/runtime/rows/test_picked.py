"""Cells that stand beside samples are what the file has, whatever they are kept as, and are sorted by time alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.runtime.rows.encoded import Key
from nnspec.runtime.rows.picked import Picked
from nnspec.runtime.rows.row_order import order_rows
from nnspec.runtime.tables.pieces import Piece, join_pieces

COUNT = 70_000  # more than words that are numbered
FORMS = {
    "times": [
        f"{1950 + i % 90}-01-{i % 28 + 1:02d} {i % 24:02d}:{i // 24 % 60:02d}:{i % 60:02d}" for i in range(COUNT)
    ],
    "zoned": [f"1969-{i % 12 + 1:02d}-01T00:{i // 600 % 60:02d}:{i // 10 % 60:02d}.{i % 10}00Z" for i in range(COUNT)],
    "gaps": ["" if i % 7 == 3 else f"2024-01-01 {i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}" for i in range(COUNT)],
    "words": [f"shop {i % 5}" for i in range(COUNT)],
    "ids": [f"c-{i}" for i in range(COUNT)],
}


@pytest.mark.parametrize("form", FORMS)
def test_cells_are_those_of_the_file(form: str) -> None:
    cells = FORMS[form]
    column: dict[Key, np.ndarray] = {("x", False): np.arange(10_000)}
    kept = join_pieces(Piece(column, {"at": cells[i : i + 10_000]}) for i in range(0, COUNT, 10_000)).cells["at"]
    assert isinstance(kept, list) == (form == "ids")
    rows = np.random.default_rng(2).permutation(COUNT)[:9000]
    found = Picked(kept, rows)
    wanted = [cells[row] for row in rows.tolist()]
    assert found == wanted
    assert found[5:17] == wanted[5:17]
    assert found[3] == wanted[3]
    if form in ("times", "zoned", "words"):
        metadata = {"order_by": "at"} if form != "words" else {"series": "at"}
        order = order_rows(Path("a.csv"), COUNT, {"at": kept}, metadata)
        assert order.rows.tolist() == sorted(range(COUNT), key=cells.__getitem__)
        assert len(order.starts) == (5 if form == "words" else 1)
