"""Moments are what `datetime.fromisoformat` reads, in UTC, whatever is done to read many of one form quickly."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from nnspec.runtime.rules.times import parse_times

CELLS = [
    "2020-12-31",
    "2020-12-31T13:00",
    "2020-12-31T13:00:00Z",
    "2020-12-31 13Z",
    "20201231T130000Z",
    "2020-W01-1T10:00Z",
    " 2020-12-31T13:00Z",
    "2020-12-31T13:00Z ",
    "2020-12-31T13:00:00.123456Z",
    "2020-12-31T13:00+01:00",
    "2020-12-31Z",
    "2020-12-31T13:00ZZ",
    "2020-12-31T13:00+02:00Z",
    "2020-12-31T13:00-02Z",
    "20201231T13-0200Z",
    "x2020-12-31T13:00Z",
]


def read_alone(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell.strip())
    except ValueError:
        return None


@pytest.mark.parametrize(("first", "second"), list(product(CELLS, repeat=2)))
def test_every_pair_of_forms(first: str, second: str) -> None:
    alone = [read_alone(first), read_alone(second)]
    known = [time for time in alone if time is not None]
    is_mixed = len({time.tzinfo is None for time in known}) == 2
    wanted = [time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None) for time in known]
    assert parse_times([first, second]) == (wanted if len(known) == 2 and not is_mixed else None)
