"""Rows of long tables: words are kept once, and times are read in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.runtime.errors import InputError
from nnspec.runtime.rows import columns, row_order
from nnspec.runtime.rows.columns import words_in_one_spelling
from nnspec.runtime.rows.row_order import order_rows
from nnspec.runtime.rules import csv as rules
from nnspec.runtime.rules.csv import CellError
from nnspec.runtime.rules.csv_dialect import PLAIN
from nnspec.runtime.rules.dates import GAP
from nnspec.runtime.samples import Samples
from nnspec.runtime.tables.csv import _read_csv_columns

METADATA = {"order_by": "at"}


def test_a_word_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_BLOCK", 30)
    cells = ["LHR", "NA", "JFK", "LHR", "", "3.0"] * 20
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{cell},1\n" for cell in cells))
    parts = list(_read_csv_columns(tmp_path / "a.csv", [("a", True)], ["a", "b"], PLAIN))
    assert len(parts) > 2
    found = np.concatenate([part["a", True] for part in parts])
    assert found.tolist() == [cell if cell != "NA" else "" for cell in cells]
    assert len({id(word) for word in found.tolist()}) == 4


@pytest.mark.parametrize("part", [1, 3, 1000])
@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-05"],
        ["2024-01-05", "2024-01-02", "2024-01-01", "2024-01-02", "2023-12-31"],
        ["2024-01-05 10:00", "2024-01-05T09:00", "2024-01-05 08:00:00.5"],
        ["10", "9", "1e2", "-3"],
        ["b", "a", "c", "a"],
    ],
)
def test_order(cells: list[str], part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_order, "_PART", part)
    keys = [float(cell) if cell[-1].isdigit() and "20" not in cell else cell.replace("T", " ") for cell in cells]
    wanted = sorted(range(len(cells)), key=keys.__getitem__)  # type: ignore[arg-type]
    assert order_rows(Path("a.csv"), len(cells), {"at": cells}, METADATA).rows.tolist() == wanted


def test_a_row_without_a_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_order, "_PART", 2)
    with pytest.raises(InputError, match="has no value in row 4"):
        order_rows(Path("a.csv"), 4, {"at": ["1", "2", "3", "NA"]}, METADATA)


def test_words_of_any_type_have_one_spelling() -> None:
    values = np.array(["a", "NA", 3, 3.0, True, 1, None, float("nan"), "3.0"], dtype=object)
    assert words_in_one_spelling(values).tolist() == ["a", "", "3", "3", "true", "1", "", "", "3"]
    assert words_in_one_spelling(np.array([["True", "x"], [" ", "3.0"]], dtype=object)).tolist() == [
        ["true", "x"],
        ["", "3"],
    ]


@pytest.mark.parametrize(("width", "most"), [(1, 1024), (256, 256), (4096, 64), (2**20, 4)])
def test_batches_have_more_samples_where_they_are_small(width: int, most: int) -> None:
    rows = np.zeros((1, width), np.float32)
    samples = Samples(3000, lambda part: {"x": np.broadcast_to(rows, (part.stop - part.start, width))})
    parts = list(samples.slices())
    assert max(part.stop - part.start for part in parts) == most
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == 3000


@pytest.mark.parametrize("part", [1, 2, 100])
def test_dates_are_read_in_pieces(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "PART", part)
    body = {"encoding": "date"}
    cells = np.array([["1970-01-02"], [""], ["1970-01-01 00:01:00"], ["1970-01-01T00:00:02"]], dtype=object)
    assert columns.as_model_input(body, cells).tolist() == [[86400], [GAP], [60], [2]]
    cells[3, 0] = "no date"
    with pytest.raises(CellError) as caught:
        columns.as_model_input(body, cells)
    assert (caught.value.index, caught.value.cell) == (3, "no date")
    cells[3, 0] = "1970-01-01T00:00:02+01:00"  # of the others none has an offset
    with pytest.raises(CellError) as caught:
        columns.as_model_input(body, cells)
    assert (caught.value.index, caught.value.cell) == (3, "1970-01-01T00:00:02+01:00")
