"""What rows of typed tables are sorted by."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.data.sources.base import Column
from nnspec.runtime.rules.csv import CellError, NumberColumn
from nnspec.runtime.rules.times import parse_times


def as_keys(chunks: Sequence[Column]) -> Column:
    """What rows are sorted by: text that is all numbers or all ISO 8601 sorts as such, as in a CSV file."""
    import numpy as np

    if not chunks:
        return Column(np.empty(0), np.empty(0, dtype=bool))
    values = np.concatenate([chunk.values for chunk in chunks])
    missing = np.concatenate([chunk.missing for chunk in chunks])
    if values.dtype.kind != "U" or missing.any():
        return Column(values, missing)
    cells = values.tolist()
    try:
        return Column(np.array(NumberColumn().read(cells)), missing)
    except CellError:
        times = parse_times(cells)
        return Column(values if times is None else np.array(times, dtype="datetime64[us]"), missing)
