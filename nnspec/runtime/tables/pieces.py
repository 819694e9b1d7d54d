"""A table as its file is read: some rows at a time, columns of numbers and of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Key
from nnspec.runtime.rows.kept import TextKeeper, Texts


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


def join_pieces(pieces: Iterable[Piece]) -> Piece:
    """The rows of pieces, one after the other; cells are kept in few bytes each."""
    columns: dict[Key, list[Array]] = {}
    keepers: dict[str, TextKeeper] = {}
    for piece in pieces:
        for key, values in piece.columns.items():
            columns.setdefault(key, []).append(values)
        for name, cells in piece.cells.items():
            keepers.setdefault(name, TextKeeper()).add(cells)
    joined = {}
    while columns:  # a column at a time: its parts are given back before the next one is joined
        key, parts = columns.popitem()
        joined[key] = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return Piece(dict(reversed(joined.items())), {name: _as_list(keeper.finish()) for name, keeper in keepers.items()})


def _as_list(cells: Sequence[str]) -> Sequence[str]:
    """Cells that are found quickly in any order: texts that stand end to end are not."""
    return list(cells) if isinstance(cells, Texts) else cells


def _join_few(pieces: Sequence[Piece]) -> Piece:
    """The same of pieces that are small."""
    if len(pieces) == 1:
        return pieces[0]
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
            yield _join_few(waiting)
            waiting, count = [], 0
    if waiting:
        yield _join_few(waiting)
