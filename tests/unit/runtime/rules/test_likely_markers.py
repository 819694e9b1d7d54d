"""Numbers that may mark missing values, in real tables and beside them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from sklearn import datasets

from nnspec.runtime.rules.likely_markers import find_likely_markers
from tests.support.paths import ROOT


def real_columns() -> Iterator[tuple[str, list[float]]]:
    """Those of tables that scikit-learn carries, and of the specs'."""
    for name in ("iris", "diabetes", "wine", "breast_cancer", "linnerud", "digits"):
        data = np.asarray(getattr(datasets, f"load_{name}")().data)
        yield from ((f"{name} {place}", data[:, place].tolist()) for place in range(data.shape[1]))
    for path in sorted((ROOT / "specs" / "data").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for name in rows[0]:
            try:
                numbers = [float(row[name]) for row in rows if row[name]]
            except ValueError:
                continue
            yield f"{path.name} {name}", numbers


def test_real_tables_have_none() -> None:
    found = {name: list(find_likely_markers(Counter(numbers))) for name, numbers in real_columns()}
    assert len(found) > 100
    assert {name: markers for name, markers in found.items() if markers} == {}


@pytest.mark.parametrize("value", [-9999.0, 9999999.0, -999999.9])
def test_planted_in_real_tables(value: float) -> None:
    count = 0
    for name, numbers in real_columns():
        if len(numbers) < 10 or len(set(numbers)) < 2 or 5 * (max(numbers) - min(numbers)) > abs(value):
            continue  # there it is not far
        found = [(m.value, m.count, m.low, m.high) for m in find_likely_markers(Counter([*numbers, *[value] * 3]))]
        assert found == [(value, 3, min(numbers), max(numbers))], name
        count += 1
    assert count > 80


@pytest.mark.parametrize(
    ("others", "value", "count", "is_told"),
    [
        (range(80), -999, 5, True),
        (range(80), -99, 5, True),
        (range(80), 999, 2, True),
        (range(80), -999.25, 2, True),
        (range(28), 999, 40, True),  # days since a call, and 999 for nobody who was called
        (range(-30, 45), -99, 3, True),
        (range(80), -999, 1, False),  # once is an outlier
        (range(80), -1000, 5, False),
        (range(100), 99, 3, False),
        (range(9000), 9999, 4, False),
        (range(0, 41310, 10), 99999, 4, False),  # a bound of amounts that have no other
        (range(-90, 90), -99, 4, False),
        ([2**place for place in range(30)], 999999999, 2, False),
        (range(8), -999, 5, False),  # too few others
        ([0] * 50, 99, 50, False),
    ],
)
def test_far_and_often(others: Sequence[int], value: float, count: int, is_told: bool) -> None:
    found = [marker.value for marker in find_likely_markers(Counter([*map(float, others), *[float(value)] * count]))]
    assert found == ([value] if is_told else [])


def test_several_of_one_column() -> None:
    """Codes for each reason, on both sides: all lie far from the values, if not from one another."""
    numbers = [*range(80), *[-999] * 3, *[-888] * 4, *[999] * 2]
    found = {marker.value: marker.count for marker in find_likely_markers(Counter(map(float, numbers)))}
    assert found == {-999: 3, -888: 4, 999: 2}
