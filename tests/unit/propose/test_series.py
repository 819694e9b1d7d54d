"""The spec that is proposed for series checks clean and says what the data are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nnspec.pipeline import diagnose
from nnspec.propose.propose import propose_series
from tests.unit.propose.tables import days, write


def proposed(tmp_path: Path, columns: dict[str, object], target: str = "sold", **options: object) -> dict[str, object]:
    """The spec, which checks clean."""
    file = write(tmp_path / "shop.csv", columns)  # type: ignore[arg-type]
    spec = tmp_path / "shop.yaml"
    spec.write_text(propose_series("shop", file, "shop.csv", target, **options), encoding="utf-8")  # type: ignore[arg-type]
    assert diagnose(spec) == []
    read = yaml.safe_load(spec.read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("horizon", [1, 7])
def test_one_series(tmp_path: Path, horizon: int) -> None:
    columns = {"day": days(400), "sold": [row * 7 % 31 for row in range(400)], "rain": [row % 13 for row in range(400)]}
    spec = proposed(tmp_path, columns, horizon=horizon)
    data = spec["data"]
    assert data["order_by"] == "day"  # type: ignore[index]
    assert data["series"] == {"every": "1d"}  # type: ignore[index]
    assert data["inputs"] == {"past": {"columns": ["sold", "rain"], "scale": "standard"}}  # type: ignore[index]
    assert data["window"]["horizon"] == (1 if horizon == 1 else "$(range(1, 8))")  # type: ignore[index]
    assert spec["vars"] == {"lookback": 14, "features": 2}  # rows a day apart: two weeks


def test_several_series_are_found_by_what_makes_times_unique(tmp_path: Path) -> None:
    count = 3 * 200
    columns = {
        "day": days(200) * 3,
        "weather": [("sun", "rain")[row % 2] for row in range(count)],
        "shop": [name for name in ("a", "b", "c") for _ in range(200)],
        "sold": [row * 7 % 31 + 0.5 for row in range(count)],
    }
    assert proposed(tmp_path, columns)["data"]["series"] == {"by": "shop", "every": "1d"}  # type: ignore[index]


def test_a_column_that_begins_with_a_gap_is_left_out(tmp_path: Path) -> None:
    values = [row * 7 % 31 + 0.5 for row in range(300)]
    columns = {
        "day": days(300)[::-1],  # the newest first, so the last row is the first in time
        "sold": values,
        "late": [*values[:-1], None],
        "holey": [None if row % 9 == 4 else value for row, value in enumerate(values)],
    }
    data = proposed(tmp_path, columns)["data"]
    assert data["inputs"]["past"]["columns"] == ["sold", "holey"]  # type: ignore[index]
    assert data["missing"] == "forward_fill"  # type: ignore[index]
    assert "# late is left out" in (tmp_path / "shop.yaml").read_text(encoding="utf-8")


def test_hours_have_windows_of_a_day(tmp_path: Path) -> None:
    times = [f"{day}T{hour:02d}:00" for day in days(30) for hour in range(24)]
    columns = {"when": times, "sold": [row * 7 % 31 for row in range(len(times))]}
    assert proposed(tmp_path, columns)["vars"] == {"lookback": 24, "features": 1}


def test_two_columns_tell_series_apart(tmp_path: Path) -> None:
    count = 60
    rows = [(day, shop, item) for day in days(count) for shop in ("a", "b") for item in ("x", "y")]
    columns: dict[str, list[object]] = {
        "day": [day for day, _, _ in rows],
        "shop": [shop for _, shop, _ in rows],
        "item": [item for _, _, item in rows],
        "sales": [float(i % 17) + 0.5 for i in range(len(rows))],
    }
    file = write(tmp_path / "t.csv", columns)
    for by in (None, "shop,item"):
        spec = tmp_path / "t.yaml"
        text = propose_series("t", file, "t.csv", "sales", time=None, by=by, horizon=2)
        spec.write_text(text, encoding="utf-8")
        assert diagnose(spec) == [], text
        assert "series: {by: [shop, item], every: 1d}" in text
    (spec.parent / "bare.yaml").write_text(text.replace("series: {by: [shop, item], every: 1d}", ""))
    (fault,) = [found for found in diagnose(spec.parent / "bare.yaml") if found.code == "NN524"]
    assert "`series: {by: [shop, item]}`" in fault.fixes[0].message


def test_a_series_column_of_an_unusual_name(tmp_path: Path) -> None:
    days_of = days(60)
    for name in ('"shop"', "shop, where", "<<", "select"):
        columns = {"day": days_of * 2, name: ["a"] * 60 + ["b"] * 60, "sold": [row * 7 % 31 for row in range(120)]}
        spec = tmp_path / "t.yaml"
        spec.write_text(propose_series("t", write(tmp_path / "t.csv", columns), "t.csv", "sold"), encoding="utf-8")
        assert diagnose(spec) == [], spec.read_text(encoding="utf-8")
