"""The cells of a table's columns that stand beside its samples: in few bytes each, as text when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.rows.kept import GAP, Coded, IsoTimes
from nnspec.runtime.rules.iso_times import DAY

_PART = 1 << 12  # cells that are spelt at a time


class Picked(Sequence[str]):
    """The cells of some rows, as a list of them would be.

    Args:
        rows: the place of each in the column, from 0.
    """

    def __init__(self, cells: Sequence[str], rows: NDArray[np.int64]) -> None:
        self._cells, self._rows = cells, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return spell_cells(self._cells, self._rows[index])
        return self._cells[int(self._rows[index])]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _PART):
            yield from self[start : start + _PART]

    def repeats(self) -> NDArray[np.bool_]:
        """Of each cell, whether it is the one before it."""
        if isinstance(self._cells, IsoTimes):  # of one form: the same moment is the same text
            moments = microseconds_of(self._cells)[self._rows]
            return np.append(np.zeros(min(1, len(self)), bool), moments[1:] == moments[:-1])
        found, before = np.zeros(len(self), bool), None
        for place, cell in enumerate(self):
            found[place], before = cell == before, cell
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def spell_cells(cells: Sequence[str], rows: NDArray[np.int64]) -> list[str]:
    """The cells of rows as text."""
    if isinstance(cells, IsoTimes):
        moments = microseconds_of(cells)[rows]
        length = len(cells.form.removesuffix("Z"))
        between, rest = cells.form[DAY : DAY + 1], cells.form[length:]
        texts: list[str] = np.datetime_as_string(moments.astype("datetime64[us]"), unit="us").tolist()
        gaps = moments == GAP
        words = [text[:DAY] + between + text[DAY + 1 : length] + rest for text in texts]
        return [cells.gap if gap else word for word, gap in zip(words, gaps, strict=True)] if gaps.any() else words
    if isinstance(cells, Coded):
        codes = codes_of(cells)[rows].tolist()
        return list(map(cells.words.__getitem__, codes))
    return [cells[row] for row in rows.tolist()]


def microseconds_of(cells: IsoTimes) -> NDArray[np.int64]:
    """Moments since 1970, without a copy."""
    return np.frombuffer(cells.moments.microseconds, np.int64) if len(cells) else np.empty(0, np.int64)


def codes_of(cells: Coded[str]) -> NDArray[np.integer]:
    """The number of each cell's word, without a copy."""
    return np.frombuffer(cells.codes, np.dtype(cells.codes.typecode)) if len(cells) else np.empty(0, np.int64)
