"""Gaps and doubles of series at equal steps; steps of every unit raise no alarm."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nnspec.data.checks.files import probe
from tests.unit.data.section.test_plan import plan_of, slot

TEXT = """
source: {csv: a.csv}
series: {time: t, every: EVERY}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [b]}}
"""


def told(times: list[object], every: str, folder: Path) -> list[str]:
    rows = [f"{time},{i},{i * i}" for i, time in enumerate(times)]
    (folder / "a.csv").write_text("t,a,b\n" + "\n".join(rows) + "\n", "utf-8")
    plan = plan_of(TEXT.replace("EVERY", f"'{every}'"), folder)
    y = slot("y", ("target", 1), task="regression")
    return [d.message for d in probe(plan, {"x": slot("x", ("feature", 1))}, {"y": y}) if d.code == "NN574"]


DAY = datetime(2024, 1, 31)
REGULAR: dict[str, list[object]] = {
    "30s": [DAY + timedelta(seconds=30 * i) for i in range(9)],
    "15min": [DAY + timedelta(minutes=15 * i) for i in range(9)],
    "6 h": [DAY + timedelta(hours=6 * i) for i in range(9)],
    "1d": [(DAY + timedelta(days=i)).date() for i in range(90)],
    "1w": [(DAY + timedelta(weeks=i)).date() for i in range(9)],
    "1month": ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"],
    "3month": ["2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01", "2024-01-01"],
    "1year": ["2020-02-29", "2021-02-28", "2022-02-28", "2023-02-28", "2024-02-29"],
    "2": [2, 4, 6, 8, 10],
}


@pytest.mark.parametrize("every", REGULAR)
def test_steps_of_every_unit(every: str, tmp_path: Path) -> None:
    times = REGULAR[every]
    assert told(times, every, tmp_path) == []
    assert told(times, "auto", tmp_path) == []
    (gap,) = told([*times[:2], *times[3:]], every, tmp_path)
    assert "rows 2 and 3" in gap
    (double,) = told([*times[:2], times[1], *times[2:]], every, tmp_path)
    assert ("duplicate time" in double, "rows 2 and 3" in double) == (True, True)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_changed_clocks_are_no_gap(zone: str, tmp_path: Path) -> None:
    start = datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC"))
    local = [(start + timedelta(hours=i)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for i in range(366 * 24)]
    assert told(list(local), "1h", tmp_path) == []
    assert told(local[:4000] + local[4001:], "1h", tmp_path)


@pytest.mark.parametrize(("times", "every"), [([1, 2, 3], "1d"), (["2024-01-01", "2024-01-02"], "1")])
def test_units_that_do_not_fit(times: list[object], every: str, tmp_path: Path) -> None:
    assert "does not fit" in told(times, every, tmp_path)[0]
