"""Dates as people write them are dates to a proposal, with the format that reads them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from nnspec.pipeline import diagnose
from nnspec.propose.profile import Form, profile_column
from nnspec.propose.propose import propose_table

ROWS = 300
DAYS = [date(2019, 3, 1) + timedelta(days=row * 5 % 900) for row in range(ROWS)]
SECOND_OF_MONTHS = [date(2020 + row % 3, row % 11 + 1, row % 12 + 1) for row in range(ROWS)]  # days and months up to 12


def european(path: Path, columns: dict[str, list[str]], *, is_european: bool = True) -> Path:
    """A table in Latin-1 with `;` and decimal commas, or with `,` and points."""
    mark = ";" if is_european else ","
    lines = [mark.join(columns), *(mark.join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    return path


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%d.%m.%y"]
)
def test_what_a_column_of_dates_is_written_in(form: str) -> None:
    for is_day_first in (False, True):  # the values tell
        cells = [day.strftime(form) for day in DAYS]
        profile = profile_column("begun", [*cells, ""], is_day_first=is_day_first)
        assert (profile.form, profile.date_formats) == (Form.DATE, (form,))
        assert profile.parts == ("year", "month", "weekday", "day_of_year")
    assert profile_column("begun", list(map(str, DAYS))).date_formats == ()  # ISO 8601 needs none


def test_days_and_months_that_the_values_do_not_tell_apart(tmp_path: Path) -> None:
    cells = [day.strftime("%d/%m/%Y") for day in SECOND_OF_MONTHS]
    told = {}
    for is_european in (True, False):
        prices = [f"{row * 7 % 31},5" if is_european else f"{row * 7 % 31}.5" for row in range(ROWS)]
        file = european(tmp_path / "t.csv", {"begun": cells, "price": prices}, is_european=is_european)
        text = propose_table("t", file, "t.csv", "price")
        (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
        assert diagnose(tmp_path / "t.yaml") == []
        columns = yaml.safe_load(text)["data"]["inputs"]["row"]["columns"]
        told[columns["begun"]["date"]["format"]] = [line.strip() for line in text.splitlines() if "tells days" in line]
    start = "# no value of `begun` tells days from months; the "
    assert told == {
        "%d/%m/%Y": [f'{start}day is taken to be first: if the month is, write `format: "%m/%d/%Y"`'],
        "%m/%d/%Y": [f'{start}month is taken to be first: if the day is, write `format: "%d/%m/%Y"`'],
    }


def test_a_european_table(tmp_path: Path) -> None:
    columns = {
        "Beginn": ["k.A." if row % 17 == 3 else day.strftime("%d.%m.%Y") for row, day in enumerate(DAYS)],
        "Gebühr": [f"{row * 7 % 91},{row % 10}" for row in range(ROWS)],
        "Ende": [(day + timedelta(days=row)).strftime("%d.%m.%Y") for row, day in enumerate(DAYS)],
    }
    text = propose_table("t", european(tmp_path / "t.csv", columns), "t.csv", "Gebühr")
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    assert diagnose(tmp_path / "t.yaml") == []
    data = yaml.safe_load(text)["data"]
    assert data["source"]["na_values"] == {"Beginn": ["k.A."]}
    assert data["missing"] == {"Beginn": "median"}
    formats = {name: encoding["date"]["format"] for name, encoding in data["inputs"]["row"]["columns"].items()}
    assert formats == {"Beginn": "%d.%m.%Y", "Ende": "%d.%m.%Y"}
    active = text  # what a comment says about rows in time is right
    for line in ("query: ", "  SELECT ", "  FROM ", "order_by: "):
        active = active.replace(f"  # {line}", f"  {line}")
    active = active.replace(
        'Ende: {date: {parts: [year, month, weekday, day_of_year], format: "%d.%m.%Y", ',
        "Ende: {date: {parts: [year], ",
    )
    assert active.count("\n  order_by: Ende\n") == 1
    (tmp_path / "t.yaml").write_text(active, encoding="utf-8")
    assert diagnose(tmp_path / "t.yaml") == []


def test_a_few_cells_that_are_no_dates_are_told() -> None:
    cells = [day.strftime("%d.%m.%Y") for day in DAYS]
    cells[7] = "in May"
    said = "299 of 300 values are dates, but row 8 has `in May`: correct it, or declare it under `na_values`"
    assert profile_column("begun", cells).stray == said
