"""A table as its file is read: some rows at a time, columns of numbers and of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Key


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows that follow each other.

    Attributes:
        columns: of words (objects) or of numbers, NaN where one is missing, by name and whether they are words.
        cells: the columns by which rows are ordered and series told apart, or that are passed on, of those that the
            file has.
    """

    columns: Mapping[Key, Array]
    cells: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0


@dataclass(frozen=True, eq=False)
class TableRows:
    """A table that is open; its rows are read as they are asked for, once.

    Attributes:
        pieces: the rows, in the order of the file.
        wanted: the inputs that are made of columns, as the metadata describe them.
        arrays: the inputs that are arrays in each row, of all rows.
    """

    pieces: Iterable[Piece]
    wanted: Mapping[str, Metadata]
    arrays: Mapping[str, Array] = field(default_factory=dict)


def join_pieces(pieces: Sequence[Piece]) -> Piece:
    """The rows of pieces, one after the other."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Piece({}, {})
    columns = {key: np.concatenate([piece.columns[key] for piece in pieces]) for key in pieces[0].columns}
    cells = {name: [cell for piece in pieces for cell in piece.cells[name]] for name in pieces[0].cells}
    return Piece(columns, cells)


def larger_pieces(pieces: Iterable[Piece], least: int) -> Iterator[Piece]:
    """The same rows, so many at a time or more."""
    waiting: list[Piece] = []
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += len(piece)
        if count >= least:
            yield join_pieces(waiting)
            waiting, count = [], 0
    if waiting:
        yield join_pieces(waiting)
