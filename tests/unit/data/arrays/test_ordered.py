"""Sorting, distinct values and codes by stretches are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.arrays import mapped, ordered

RNG = np.random.default_rng(3)
KEYS = {
    "numbers": RNG.normal(size=701).round(1),
    "with gaps": np.where(RNG.random(701) < 0.1, np.nan, RNG.normal(size=701).round(1)),
    "integers": RNG.integers(0, 5, 701),
    "one": np.zeros(701, np.int64),
    "words": RNG.choice(["a", "bb", "ccc", "dddd"], 701),
    "moments": RNG.integers(0, 90, 701).astype("datetime64[h]").astype("datetime64[us]"),
}


@pytest.fixture(autouse=True)
def _small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "LARGE", 64)
    monkeypatch.setattr(mapped, "STRETCH", 50)


@pytest.mark.parametrize("name", KEYS)
def test_stretches_give_what_numpy_gives(name: str) -> None:
    values = KEYS[name]
    assert mapped.is_long(values)
    assert ordered.argsort(values).tolist() == np.argsort(values, kind="stable").tolist()
    known, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    assert np.array_equal(ordered.distinct(values), known, equal_nan=values.dtype.kind == "f")
    assert ordered.codes(values, known).tolist() == inverse.tolist()
    in_order = np.argsort(np.argsort(first))
    assert ordered.group_codes(values).tolist() == in_order[inverse].tolist()


def test_rows_and_numbers() -> None:
    flags = RNG.random(301) < 0.5
    assert mapped.flatnonzero(flags).tolist() == np.flatnonzero(flags).tolist()
    assert mapped.joined_ranges([range(5, 200), range(2), range(0)]).tolist() == [*range(5, 200), 0, 1]
    columns = [RNG.normal(size=99).astype(np.float32), np.arange(99)]
    assert np.array_equal(mapped.stack(columns), np.stack(columns, axis=1))
    rows = RNG.integers(0, 99, 400)
    assert np.array_equal(mapped.map_row_numbers(lambda at: columns[0][at][:, None], rows), columns[0][rows][:, None])
