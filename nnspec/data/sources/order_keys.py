"""What text sorts rows by, read in chunks: of one column all are of one kind, as in `runtime.rules.times`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nnspec.runtime.rules.csv import CellError, NumberColumn
from nnspec.runtime.rules.iso_times import IsoColumn
from nnspec.runtime.rules.times import is_zoned, parse_times

if TYPE_CHECKING:
    import numpy as np


def order_values(read: Callable[[], Iterable[Sequence[str]]]) -> np.ndarray | None:
    """Numbers where all cells are, moments where all are ISO 8601; None where they sort as text.

    Args:
        read: the cells in chunks, each time anew.
    """
    from nnspec.data.arrays.growing import join_parts
    from nnspec.runtime.tables.csv import numbers_of

    numbers = NumberColumn()
    for values in ((numbers_of(cells, numbers) for cells in read()), _moments(read())):
        try:
            return join_parts(values)
        except CellError:
            continue
    return None


def _moments(chunks: Iterable[Sequence[str]]) -> Iterator[np.ndarray]:
    """The moments of cells; all are zoned, or none is.

    Raises:
        CellError: where one is no moment in ISO 8601, or some are zoned and others not.
    """
    import numpy as np

    column, zoned = IsoColumn(), set[bool]()
    for cells in chunks:
        found = column.read(cells)
        times = None if found is not None else parse_times(cells)
        if found is None and times is None:
            raise CellError(0, cells[0])
        zoned.add(column.is_zoned if found is not None else is_zoned(cells[0]))
        if len(zoned) > 1:
            raise CellError(0, cells[0])
        yield np.array(times if found is None else found, dtype="datetime64[us]")
