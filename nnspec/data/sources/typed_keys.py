"""What rows of typed tables are sorted by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from nnspec.data.sources.base import Column
from nnspec.data.sources.order_keys import order_values

if TYPE_CHECKING:
    import numpy as np


def read_keys(read: Callable[[], Iterator[Column]]) -> Iterator[Column]:
    """What rows are sorted by, in chunks: text that is all numbers or all ISO 8601 sorts as such, as in a CSV file.

    Args:
        read: the column in chunks, each time anew.
    """
    rest = read()
    first = next(rest, None)
    if first is None:
        return
    if first.values.dtype.kind != "U":
        yield from chain([first], rest)
        return
    if first.missing.any() or any(chunk.missing.any() for chunk in rest):
        yield from read()
        return

    def texts() -> Iterator[list[str]]:
        for chunk in read():
            if len(chunk.values):
                yield chunk.values.tolist()

    values = order_values(texts)
    if values is None:
        yield from read()
    else:
        yield Column(values, _none_missing(len(values)))


def join_keys(chunks: Iterator[Column]) -> Column:
    """All rows at once."""
    import numpy as np

    found = list(chunks) or [Column(np.empty(0), np.empty(0, dtype=bool))]
    return Column(np.concatenate([each.values for each in found]), np.concatenate([each.missing for each in found]))


def _none_missing(count: int) -> np.ndarray:
    import numpy as np

    return np.broadcast_to(np.False_, (count,))
