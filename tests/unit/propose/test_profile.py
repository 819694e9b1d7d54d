"""What a column is taken for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from nnspec.propose.profile import Form, Profile
from nnspec.propose.table_file import read_table
from tests.unit.propose.tables import days, write

ROWS = 200
FORMS = {
    "height": (Form.NUMBER, [150 + (row * 37 % 91) / 2 for row in range(ROWS)]),
    "year": (Form.NUMBER, [1950 + row % 60 for row in range(ROWS)]),
    "floor": (Form.CATEGORY, [row % 4 for row in range(ROWS)]),
    "city": (Form.CATEGORY, [("Rome", "Oslo", "Bern")[row % 3] for row in range(ROWS)]),
    "known": (Form.CATEGORY, [row % 2 == 0 for row in range(ROWS)]),
    "id": (Form.IDENTIFIER, [7 * row + row % 3 for row in range(ROWS)]),
    "nr": (Form.IDENTIFIER, list(range(1, ROWS + 1))),
    "code": (Form.IDENTIFIER, [f"x{row:04d}" for row in range(ROWS)]),
    "day": (Form.DATE, days(ROWS)),
    "comment": (Form.TEXT, [f"the number {row} is all that I can say of it" for row in range(ROWS)]),
    "country": (Form.CONSTANT, ["Chile"] * ROWS),
    "empty": (Form.CONSTANT, [None] * ROWS),
}


def profiles(file: Path) -> Mapping[str, Profile]:
    return read_table(file, file.name, "").profiles


@pytest.mark.parametrize("name", FORMS)
def test_a_column_is_taken_for_what_it_is(name: str, tmp_path: Path) -> None:
    form, values = FORMS[name]
    profile = profiles(write(tmp_path / "t.csv", {name: values, "other": range(ROWS)}))[name]
    assert profile.form is form
    assert profile.missing == values.count(None)
    assert profile.distinct == len({value for value in values if value is not None})


def test_gaps_do_not_change_what_a_column_is(tmp_path: Path) -> None:
    columns = {
        name: [None if row % 5 == 3 else v for row, v in enumerate(values)] for name, (_, values) in FORMS.items()
    }
    found = profiles(write(tmp_path / "t.csv", columns))
    del found["nr"]  # with gaps the numbers of the rows are not in sequence
    assert {name: profile.form for name, profile in found.items()} == {name: FORMS[name][0] for name in found}


def test_a_few_large_values_make_a_column_skewed(tmp_path: Path) -> None:
    even = [float(row) for row in range(1, ROWS)]
    columns = {"price": [math.exp(value / 25) for value in even], "even": even, "signed": [v - 100 for v in even]}
    found = profiles(write(tmp_path / "t.csv", columns))
    assert [name for name, profile in found.items() if profile.is_skewed] == ["price"]
    assert found["even"].middle == 100.0


@pytest.mark.parametrize(
    ("name", "odd", "said"),
    [
        (
            "height",
            "tall",
            "199 of 200 values are numbers, but row 8 has `tall`: correct it, or declare it under `na_values`",
        ),
        (
            "height",
            "inf",
            "199 of 200 values are numbers, but row 8 has `inf`: correct it, or declare it under `na_values`",
        ),
        (
            "day",
            "8.1.2024",
            "199 of 200 values are dates, but row 8 has `8.1.2024`: correct it, or declare it under `na_values`",
        ),
        ("code", "y", ""),
        ("city", "3", ""),
    ],
)
def test_one_cell_of_another_kind(name: str, odd: str, said: str, tmp_path: Path) -> None:
    values = [odd if row == 7 else value for row, value in enumerate(FORMS[name][1])]
    profile = profiles(write(tmp_path / "t.csv", {name: values, "other": range(ROWS)}))[name]
    assert profile.stray == said
