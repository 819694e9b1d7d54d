"""Moments in one form of ISO 8601: what Python's `datetime` reads of each cell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nnspec.runtime.rules.iso_times import IsoColumn

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CELLS = ["2024-02-29 23:59:59.123456", "0001-01-01 00:00:00.000001", "9999-12-31 12:30:00.990000"]


@pytest.mark.parametrize("zone", ["", "Z"])
@pytest.mark.parametrize("between", " T")
@pytest.mark.parametrize("length", [10, 16, 19, 23, 26])
def test_forms(length: int, between: str, zone: str) -> None:
    cells = [cell[:length].replace(" ", between) + (zone if length > 10 else "") for cell in CELLS]
    column = IsoColumn()
    found = [*(column.read(cells[:2]) or ()), *(column.read(cells[2:]) or ())]
    moments = [datetime.fromisoformat(cell) for cell in cells]
    wanted = [(m.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for m in moments]
    assert found == wanted
    assert column.is_zoned == (moments[0].tzinfo is not None)


@pytest.mark.parametrize(
    "cell",
    [
        "2023-02-29",
        "2024-1-1",
        "2024-01-01 00:00",
        "20240101",
        "٢٠٢٤-٠١-٠١",
        "2024-01-0\n",
        " 2024-01-01",
        "0000-01-01",
        "",
    ],
)
def test_others_are_left_alone(cell: str) -> None:
    assert IsoColumn().read(["2024-01-01", cell]) is None


@pytest.mark.parametrize(
    "cell", ["2024-01-01 24:00:00", "2024-01-01 00:60:00", "2024-01-01 00:00:60", "2024-13-01 00:00:00"]
)
def test_times_that_there_are_none_of(cell: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        datetime.fromisoformat(cell)
    assert IsoColumn().read([cell]) is None
