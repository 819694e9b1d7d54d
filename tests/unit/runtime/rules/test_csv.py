"""Columns of numbers are read in one go where they can be, and cell by cell where not: both give the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnspec.data.sources.csv_scan import scan_columns
from nnspec.runtime.rules.csv import CellError, Number, NumberColumn, read_header

CELLS = ["1", "-3", "1.5", "1e5", "3.", ".5", "9" * 20, "1e400", "+1", "-0", " 7", "NA", "", "inf", "true", "x"]
CELLS += ["1.2.3"]
Chunks = list[list[str]]


def outcome(read: Callable[[list[str]], list[Number | None]], chunks: Chunks) -> list[Any] | tuple[int, str]:
    """Numbers, each with its type, or the cell that is none."""
    try:
        return [(type(value), value) for chunk in chunks for value in read(chunk)]
    except CellError as error:
        return error.index, error.cell


def test_cells_together_are_as_cells_alone() -> None:
    chosen = random.Random(0)
    for _ in range(1000):
        some = chosen.sample(CELLS, chosen.randint(1, 4))
        chunks = [[chosen.choice(some) for _ in range(chosen.randint(1, 6))] for _ in range(2)]
        alone = NumberColumn()
        wanted = outcome(lambda cells, alone=alone: [alone._read_cell(i, c) for i, c in enumerate(cells)], chunks)
        assert outcome(NumberColumn().read, chunks) == wanted, chunks


def test_a_column_that_is_long_is_told_alike_in_all_its_parts(tmp_path: Path) -> None:
    """The range, with the first row of the lowest and the last of the highest; gaps, infinities, fractions."""
    rows = 5000
    cells = [str(i % 7) for i in range(rows)]
    cells[2000], cells[4100], cells[4500], cells[4900] = "2.5", "", "inf", "-0"
    (tmp_path / "a.csv").write_text("a\n" + "".join(f"{cell or 'NA'}\n" for cell in cells), encoding="utf-8")
    header = tuple(read_header(tmp_path / "a.csv"))
    facts = scan_columns((tmp_path / "a.csv",), ((1,),), header, ("a",), ())["a"]
    assert (facts.rows, list(facts.missing), facts.infinite) == (rows, [4101], (4501,))
    assert facts.fraction == (2.5, 2001)
    assert facts.lowest == (0, 1)
    assert facts.highest == (6, max(i for i in range(rows) if cells[i] == "6") + 1)
