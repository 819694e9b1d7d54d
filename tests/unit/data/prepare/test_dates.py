"""Columns of dates: their parts are those of Python's `datetime`, in NumPy and in the deployed graph alike."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.date import DateEncoding
from nnspec.data.section.column_plan import PARTS
from nnspec.runtime.rules.csv import CellError
from nnspec.runtime.rules.dates import GAP, propose_formats, read_dates
from tests.support.data_files import Y
from tests.support.encoded_columns import run_graph
from tests.unit.data.section.test_plan import plan_of, slot

EPOCH = datetime(1970, 1, 1)
MOMENTS = [
    *(datetime(*moment) for moment in ((1969, 12, 31, 23, 59, 59), (1970, 1, 1), (2000, 2, 29), (2000, 12, 31))),
    *(datetime(*moment) for moment in ((1900, 2, 28), (1900, 3, 1), (2100, 12, 31), (2021, 1, 3), (2020, 12, 28, 7))),
    *(datetime(1850, 1, 1) + timedelta(seconds=1_234_567_891 * i // 7) for i in range(90)),
]
ZERO = (0.0,) * len(PARTS)
ONE = (1.0,) * len(PARTS)


def part(moment: datetime, name: str) -> int:
    """By the standard library."""
    if name == "quarter":
        return (moment.month - 1) // 3 + 1
    if name == "week":
        return moment.isocalendar().week
    if name == "weekday":
        return moment.weekday()
    if name == "day_of_year":
        return moment.timetuple().tm_yday
    return (moment - EPOCH).days if name == "days" else int(getattr(moment, name))


SECONDS = np.array([int((moment - EPOCH).total_seconds()) for moment in MOMENTS], np.int64)


@pytest.mark.parametrize("is_cyclic", [False, True])
def test_parts_are_those_of_the_standard_library(is_cyclic: bool) -> None:
    wanted = []
    for moment in MOMENTS:
        row: list[float] = []
        for name, period in PARTS.items():
            number = part(moment, name)
            if not is_cyclic or period is None:
                row.append(number)
                continue
            begin = 0 if name in ("weekday", "hour", "minute", "second") else 1
            angle = 2 * math.pi * (number - begin) / period
            row += [math.sin(angle), math.cos(angle)]
        wanted.append(row)
    date = DateEncoding(name="d", parts=tuple(PARTS), is_cyclic=is_cyclic, offsets=ZERO, divisors=ONE)
    np.testing.assert_allclose(date.apply(SECONDS), np.array(wanted), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(run_graph(date, SECONDS), np.array(wanted), rtol=1e-6, atol=1e-6)
    steps = SECONDS[:98].reshape(14, 7)
    np.testing.assert_array_equal(run_graph(date, steps), date.apply(steps))


def test_gaps_and_scales_in_the_graph() -> None:
    date = DateEncoding(
        name="d",
        parts=("year", "month"),
        is_cyclic=True,
        offsets=(2000.0, 0.0),
        divisors=(40.0, 1.0),
        fill=int(SECONDS[2]),
        has_indicator=True,
    )
    raw = np.array([GAP, SECONDS[2], SECONDS[6]])
    found = run_graph(date, raw)
    np.testing.assert_array_equal(found, date.apply(raw))
    np.testing.assert_array_equal(found[0, :3], found[1, :3])
    assert found[:, 3].tolist() == [1, 0, 0]
    assert found[2, 0] == 2.5


TEXT = """
source: {csv: a.csv}
missing: {when: RULE}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: {when: {date: {parts: [year, weekday], scale: standard}}, size: number}}}
outputs: {y: {columns: [y]}}
"""
CELLS = ["2020-01-01", "2021-06-05 13:00", "", "2021-06-06T00:00:00", "2019-02-28", "NA", "2030-01-01", "2020-01-01"]


@pytest.mark.parametrize(
    ("rule", "filled"),
    [
        ("median", "2021-06-05 13:00"),
        ("most_frequent", "2020-01-01"),
        ("{constant: 2000-05-05}", "2000-05-05"),
        ("forward_fill", "2021-06-05 13:00"),
    ],
)
def test_training_and_gaps(rule: str, filled: str, tmp_path: Path) -> None:
    rows = [f"{cell},{i},{i}" for i, cell in enumerate(CELLS)]
    (tmp_path / "a.csv").write_text("\n".join(["when,size,y", *rows]) + "\n", encoding="utf-8")
    plan, x = plan_of(TEXT.replace("RULE", rule), tmp_path), slot("x", ("feature", 3))
    assert probe(plan, {"x": x}, {"y": Y}) == []
    data = load(plan, {"x": x}, {"y": Y})
    moments = [datetime.fromisoformat(cell) for cell in (CELLS[0], CELLS[1], filled, CELLS[3])]
    parts = np.array([[moment.year, moment.weekday()] for moment in moments], float)
    wanted = (parts - parts.mean(axis=0)) / np.where(parts.std(axis=0) > 0, parts.std(axis=0), 1)
    np.testing.assert_allclose(data.splits["train"].x["x"][:, :2], wanted, rtol=1e-5, atol=1e-5)
    again = Deployment.from_json(data.deployment.to_json())
    np.testing.assert_array_equal(again.to_network(data.splits["test"].raw)["x"], data.splits["test"].x["x"])
    assert data.deployment.columns["x"].features == ("when.year", "when.weekday", "size")


@pytest.mark.parametrize(
    ("cells", "form", "seconds"),
    [
        (["1970-01-02", "NA", ""], None, [86400, None, None]),
        (["1970-01-01T02:00+02:00", "1970-01-01T01:00Z"], None, [0, 3600]),
        (["02.01.1970", "null"], "%d.%m.%Y", [86400, None]),
        (["86400", "-1", "12.9"], "unix", [86400, -1, 12]),
        (["86400000"], "unix_ms", [86400]),
        (["01/02/70 01:00 PM"], "%d/%m/%y %I:%M %p", [86400 * 31 + 13 * 3600]),
    ],
)
def test_how_dates_are_written(cells: list[str], form: str | None, seconds: list[int | None]) -> None:
    assert read_dates(cells, form) == seconds


@pytest.mark.parametrize(
    ("cells", "form", "index"),
    [
        (["2020-01-01", "", "31/12/2020"], None, 2),
        (["2020-01-01", "2020-01-01T00:00Z", "2020-01-02"], None, 1),
        (["01.02.2020", "2020-02-01"], "%d.%m.%Y", 1),
        (["1e30"], "unix", 0),
        (["nano"], "unix", 0),
    ],
)
def test_the_first_cell_that_is_no_date(cells: list[str], form: str | None, index: int) -> None:
    with pytest.raises(CellError) as caught:
        read_dates(cells, form)
    assert caught.value.index == index


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["31/12/2020", ""], ["%d/%m/%Y"]),
        (["03/04/2020", "05/06/2020"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["Jan 5, 2020 01:30 PM"], ["%b %d, %Y %I:%M %p"]),
        (["964982703", "964981247"], ["unix"]),
        (["soon"], []),
    ],
)
def test_formats_that_fit(cells: list[str], forms: list[str]) -> None:
    assert propose_formats(cells) == forms
