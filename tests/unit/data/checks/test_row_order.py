"""Windows over rows without `order_by`: what the table's other columns say of their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from nnspec.pipeline import diagnose

SPEC = """
nnspec: 1
inputs: {past: {axes: {time: 5, feature: 1}}}
model: [Flatten, {Dense: 1}]
outputs: {y: {task: regression}}
data:
  source: {csv: table.csv}
  split: {train: 0.5, test: 0.5, by: order, gap: 0}
  window: {lookback: 5, horizon: 1}
  inputs: {past: {columns: [value]}}
  outputs: {y: {columns: [value]}}
"""
DAYS = [str(date(2024, 1, 1) + timedelta(days=i)) for i in range(40)]
VALUES = [(7 * i) % 11 for i in range(80)]
ONE_AFTER_ANOTHER = ["a"] * 40 + ["b"] * 40
EVENTS = ["open", "close"] * 10 + ["open"] * 30  # ten days have two: kinds of what happens, in its order
MIXED = [DAYS[(17 * i) % 40] for i in range(40)]


def found(folder: Path, spec: str = SPEC, **columns: Sequence[object]) -> list[tuple[str, bool, str]]:
    rows = len(next(iter(columns.values())))
    named = {**columns, "value": VALUES[:rows]}
    lines = [",".join(named), *(",".join(map(str, row)) for row in zip(*named.values(), strict=True))]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    return [(d.code, d.is_error, d.message) for d in diagnose(folder / "spec.yaml")]


@pytest.mark.parametrize(
    ("columns", "is_error", "message"),
    [
        ({"shop": ONE_AFTER_ANOTHER, "day": DAYS * 2}, True, "`day` goes back where `shop` changes"),
        ({"key": [1] * 40 + [2] * 40, "t": [*range(40)] * 2}, True, "`t` goes back where `key` changes"),
        ({"country": ONE_AFTER_ANOTHER, "year": [*range(1980, 2020)] * 2}, True, "`year` goes back where `country`"),
        ({"shop": ["a", "b"] * 40, "day": sorted(DAYS * 2)}, True, "rows with the same `day` have several `shop`"),
        ({"store_id": [1, 2] * 40, "day": sorted(DAYS * 2)}, True, "rows with the same `day` have several `store_id`"),
        ({"region": ["a", "b"] * 40, "day": sorted(DAYS * 2)}, True, "rows with the same `day` have several `region`"),
        ({"event": EVENTS, "day": sorted(DAYS + DAYS[:10])}, False, "rows with the same `day` have several `event`"),
        ({"day": DAYS * 2}, False, "`day` goes back once (rows 40 and 41)"),
        ({"moment": [f"{day}T10:00" for day in DAYS] * 2}, False, "`moment` goes back once"),
        ({"day": DAYS[::-1]}, False, "rows run from the latest `day` to the earliest"),
        ({"date": MIXED}, False, "rows are not in the order of `date`"),
        ({"shop": ONE_AFTER_ANOTHER}, False, "windows join rows of several `shop`"),
        ({"patient_id": [1] * 40 + [2] * 40}, False, "windows join rows of several `patient_id`"),
    ],
)
def test_told(columns: dict[str, Sequence[object]], is_error: bool, message: str, tmp_path: Path) -> None:
    ((code, was_error, said),) = found(tmp_path, **columns)
    assert (code, was_error) == ("NN592", is_error)
    assert message in said


@pytest.mark.parametrize(
    "columns",
    [
        {"day": DAYS},  # in order
        {"day": sorted(DAYS * 2)},  # two rows a day
        {"hour": [i % 24 for i in range(80)]},  # begins anew each day
        {"day": sorted(DAYS * 2), "time": [i % 2 for i in range(80)]},  # of two columns one is in order
        {"day": sorted(DAYS * 2), "hour": [6, 18] * 40, "clock": ["06:00", "18:00"] * 40},
        {"born": MIXED},  # dates of something else
        {"season": ["winter"] * 30 + ["spring"] * 50},  # one series
        {"weekday": [i % 7 for i in range(80)], "city": ["x"] * 80},
        {"t": VALUES},  # a temperature
        {"shop": ["a", "b"] * 40},
        {"day": ["", *DAYS[1:]]},  # with a gap
    ],
)
def test_silent(columns: dict[str, Sequence[object]], tmp_path: Path) -> None:
    assert not found(tmp_path, **columns)


def test_series_that_are_named_are_not_told_of(tmp_path: Path) -> None:
    spec = SPEC.replace("  split:", "  series: {by: shop}\n  split:")
    assert not found(tmp_path, spec, shop=ONE_AFTER_ANOTHER, day=DAYS * 2)
