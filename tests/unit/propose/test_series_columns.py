"""Every column of a table of series has a role in the proposal, or a reason why it has none; gaps in time are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from nnspec.diagnostics import Diagnostic
from nnspec.pipeline import diagnose
from nnspec.propose.propose import propose_series
from tests.unit.propose.tables import days, write

DAYS = 120
STORES = ("a", "b", "c")


def shop(*, coming: int = 0) -> dict[str, list[object]]:
    """A row a day of three stores; the last have no sales yet."""
    rows = [(store, day) for store in range(3) for day in range(DAYS)]
    weekdays = [(date(2020, 1, 1) + timedelta(days=day)).strftime("%A") for day in range(DAYS)]
    return {
        "store": [STORES[store] for store, _ in rows],
        "day": [str(date(2020, 1, 1) + timedelta(days=day)) for _, day in rows],
        "sold": [None if day >= DAYS - coming else (store * 40 + day * 7) % 31 for store, day in rows],
        "price": [((day * 5 + store) % 23) / 2 for store, day in rows],
        "promo": [int((day + store) % 9 == 0) for store, day in rows],
        "region": [("north", "south", "north")[store] for store, _ in rows],
        "size": [(300, 700, 550)[store] for store, _ in rows],
        "town": [("Ulm", "Bonn", "Kiel")[store] for store, _ in rows],
        "weekday": [weekdays[day] for _, day in rows],
        "weather": [("sun", "rain", "snow")[(day * day + store) % 3] for store, day in rows],
        "country": ["DE"] * len(rows),
        "note": [f"n{row}" for row in range(len(rows))],
    }


def proposal(tmp_path: Path, columns: Mapping[str, Sequence[object]], **options: object) -> str:
    file = write(tmp_path / "shop.csv", columns)
    text = propose_series("shop", file, "shop.csv", "sold", **options)  # type: ignore[arg-type]
    assert faults(tmp_path, text) == []
    return text


def faults(tmp_path: Path, text: str) -> list[Diagnostic]:
    (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
    return list(diagnose(tmp_path / "shop.yaml"))


def left_out(text: str) -> set[str]:
    return {line.split()[1] for line in text.splitlines() if " is left out: " in line}


def test_a_role_for_each_column(tmp_path: Path) -> None:
    text = proposal(tmp_path, shop(), by="store", horizon=3)
    inputs = yaml.safe_load(text)["data"]["inputs"]
    assert inputs == {
        "past": {"columns": ["sold", "price", "promo"], "scale": "standard"},
        "known": {"columns": {"weekday": "one_hot"}, "ahead": "only"},  # it follows from the dates
        "static": {"columns": {"region": "one_hot", "size": "standard"}, "static": True},
    }
    assert left_out(text) == {"town", "weather", "country", "note"}
    assert "known: {columns: [promo], ahead: only}, an input with `axes: {ahead: 3, known: 1}`" in text


def test_what_has_values_where_the_target_has_none_is_known_ahead(tmp_path: Path) -> None:
    text = proposal(tmp_path, shop(coming=4), by="store", horizon=4)
    inputs = yaml.safe_load(text)["data"]["inputs"]
    assert inputs["known"]["columns"] == {
        "price": "standard",
        "promo": "standard",
        "weekday": "one_hot",
        "weather": "one_hot",
    }
    assert inputs["past"]["columns"] == ["sold"]
    assert yaml.safe_load(text)["data"]["missing"] == "drop"
    assert text.count("# it has values where the target has none yet") == 4


def test_rows_without_gaps_declare_their_interval(tmp_path: Path) -> None:
    data = yaml.safe_load(proposal(tmp_path, shop(), horizon=3))["data"]
    assert data["series"] == {"by": "store", "every": "1d"}
    single = {name: shop()[name][:DAYS] for name in ("day", "sold")}
    assert yaml.safe_load(proposal(tmp_path, single))["data"]["series"] == {"every": "1d"}


def test_gaps_are_counted_and_the_query_that_fills_them_is_right(tmp_path: Path) -> None:
    columns = shop()
    kept = [row for row in range(3 * DAYS) if row not in (10, 11, DAYS + 50, DAYS + 90)]  # 3 gaps of 2 stores
    text = proposal(tmp_path, {name: [values[row] for row in kept] for name, values in columns.items()}, horizon=3)
    assert "# 4 rows are missing in 2 of 3 series, the first after 2020-01-10: " in text
    assert yaml.safe_load(text)["data"]["series"] == {"by": "store"}
    lines = text.splitlines()
    start = next(row for row, line in enumerate(lines) if line == "  # query: |")
    end = next(row for row, line in enumerate(lines) if line.startswith("  # missing: "))
    lines[start : end + 1] = ["  " + line[4:] for line in lines[start : end + 1]]
    filled = "\n".join(line for line in lines if not line.startswith("  series: {by: store}")) + "\n"
    data = yaml.safe_load(filled)["data"]
    assert data["series"] == {"by": "store", "every": "1d"}  # of which a gap would be an error
    (told,) = faults(tmp_path, filled)
    assert told.code == "NN523"  # the added rows have no target
    assert told.message.startswith("4 rows have no value in column `sold`")


def test_rows_of_no_one_interval(tmp_path: Path) -> None:
    columns = shop()
    kept = [row for row in range(DAYS) if row % 7 < 5]  # working days
    text = proposal(tmp_path, {name: [columns[name][row] for row in kept] for name in ("day", "sold")})
    steps = len(kept) - 1
    odd = sum(later - row != 1 for row, later in pairwise(kept))
    assert f"# {steps - odd} of {steps} steps from row to row are of 1d: " in text
    assert "query" not in text


@pytest.mark.parametrize(
    ("interval", "lookback", "told"),
    [
        (timedelta(days=1), 14, "2 weeks"),
        (timedelta(days=7), 26, "26 weeks"),
        (timedelta(hours=1), 24, "1 day"),
        (timedelta(minutes=15), 96, "1 day"),
        (timedelta(minutes=1), 60, "1 hour"),
        (timedelta(hours=8), 42, "2 weeks"),
    ],
)
def test_what_a_window_is_in_time(interval: timedelta, lookback: int, told: str, tmp_path: Path) -> None:
    times = [str(datetime(2020, 1, 1) + row * interval) for row in range(600)]
    text = proposal(tmp_path, {"day": times, "sold": [row * 7 % 31 for row in range(600)]})
    assert yaml.safe_load(text)["vars"]["lookback"] == lookback
    assert f"# a window is {told} long" in text


def test_a_window_shorter_than_its_season_says_its_own_length(tmp_path: Path) -> None:
    text = proposal(tmp_path, {"day": days(50), "sold": [row * 7 % 31 for row in range(50)]})
    assert yaml.safe_load(text)["vars"]["lookback"] == 10
    assert "# a window is 10 days long" in text


def test_many_rows_ahead_are_written_as_a_range(tmp_path: Path) -> None:
    text = proposal(tmp_path, shop(), by="store", horizon=6)
    assert yaml.safe_load(text)["data"]["window"]["horizon"] == "$(range(1, 7))"
    assert "# each of the rows 1 to 6 after the window" in text
