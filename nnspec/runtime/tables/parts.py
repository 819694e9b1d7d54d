"""A table's samples, some at a time: of a model that reads each row by itself, a table of any length takes no more
memory than some of its rows.

Predictions are those of the whole table at once, bit for bit: batches have the same samples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.files import columns_of, decode_files, locate, takes_files
from nnspec.runtime.ports import BATCH, Array, Metadata
from nnspec.runtime.rows.encoded import Gaps, encode_columns
from nnspec.runtime.rows.row_order import rows_of_file
from nnspec.runtime.rows.windows import are_whole, describe_gaps, place_columns
from nnspec.runtime.samples import Samples
from nnspec.runtime.tables.matching import fill_gaps, samples_of_table
from nnspec.runtime.tables.pieces import TableRows, join_pieces, larger_pieces

MOST_ROWS = 1 << 14  # that are looked at at a time
MOST_CELLS = 1 << 20
_CARRIED = ("forward_fill", "interpolate")  # rules of missing values that look at other rows


def is_row_wise(table: TableRows, metadata: Metadata) -> bool:
    """Whether a sample is what one row says, whatever the others say."""
    if metadata.get("window") or metadata.get("states") or table.arrays:
        return False
    ports = [*table.wanted.values(), *metadata["outputs"].values()]
    sizes = [dict(body.get("axes") or ()).get(BATCH, 1) for body in ports]
    rules = metadata.get("missing_of") or {}
    columns = [str(column) for body in table.wanted.values() for column in body.get("columns") or ()]
    return (
        not any(isinstance(size, int) for size in sizes)
        and not any(body.get("past") for body in table.wanted.values())
        and not any(rules.get(column, metadata.get("missing")) in _CARRIED for column in columns)
    )


def whole_table(file: Path, table: TableRows, metadata: Metadata) -> Samples:
    """The samples of all rows, but for arrays in rows."""
    joined = join_pieces(table.pieces)
    return samples_of_table(file, joined.columns, table.wanted, metadata, joined.cells)


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Samples that are a row each.

    Attributes:
        values: by input, axes `row column`.
        paths: by column, the files that rows name.
        numbers: of their rows in the file, from 1.
        keys: the columns that tell them apart.
        incomplete: those that lack a value without which training left samples out.
    """

    values: Mapping[str, Array]
    paths: Mapping[str, Array]
    numbers: NDArray[np.int64]
    keys: Mapping[str, Array]
    incomplete: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.numbers)

    def part(self, which: slice | NDArray[np.bool_]) -> _Stretch:
        values, paths, keys = (
            {name: array[which] for name, array in each.items()} for each in (self.values, self.paths, self.keys)
        )
        return _Stretch(values, paths, self.numbers[which], keys, self.incomplete[which])


def _join(stretches: Sequence[_Stretch]) -> _Stretch:
    if len(stretches) == 1:
        return stretches[0]
    first = stretches[0]
    return _Stretch(
        {name: np.concatenate([each.values[name] for each in stretches]) for name in first.values},
        {name: np.concatenate([each.paths[name] for each in stretches]) for name in first.paths},
        np.concatenate([each.numbers for each in stretches]),
        {name: np.concatenate([each.keys[name] for each in stretches]) for name in first.keys},
        np.concatenate([each.incomplete for each in stretches]),
    )


class RowReader:
    """Reads a table for a model that is row-wise.

    Args:
        beside: inputs in the metadata that the model does not take, which are read beside those that it does.

    Attributes:
        closing: what is said of the file once it is read to its end.
    """

    def __init__(self, file: Path, table: TableRows, metadata: Metadata, beside: Collection[str] = ()) -> None:
        self.file, self.table, self.metadata, self.beside = file, table, metadata, beside
        self.closing: tuple[str, ...] = ()
        self._is_scored = any(body.get("is_measured") for body in table.wanted.values())
        self._notes: tuple[str, ...] = ()

    def parts(self) -> Iterator[Samples]:
        """All samples, in the order of the rows: of each part but the last as many as are some whole batches.

        Raises:
            InputError: where a row is not what the inputs take, or there is none.
        """
        waiting: list[_Stretch] = []
        held = batch = size = 0
        for stretch in self._stretches():
            if not batch:
                batch = self._samples(stretch.part(slice(0, 1))).batch_size(self.beside)
                size = -(-len(stretch) // batch) * batch
            waiting.append(stretch)
            held += len(stretch)
            while held >= size:
                joined = _join(waiting)
                yield self._samples(joined.part(slice(0, size)), batch)
                waiting, held = [joined.part(slice(size, None))], held - size
        if held:
            yield self._samples(_join(waiting), batch)

    def _stretches(self) -> Iterator[_Stretch]:
        """The samples as the rows come, without those that are left out."""
        width = sum(len(body.get("columns") or ()) or 1 for body in self.table.wanted.values())
        done = lacking = 0
        dates: dict[str, list[str]] = {}
        gone: dict[tuple[str, bool], None] = {}
        for piece in larger_pieces(self.table.pieces, max(1, min(MOST_ROWS, MOST_CELLS // max(1, width)))):
            order = rows_of_file(self.file, len(piece), piece.cells, self.metadata, done)
            self._notes = order.notes
            gaps: Gaps = {}
            filled = fill_gaps(self.file, piece.columns, order, self.table.wanted, self.metadata, None, gaps)
            measured, stood_in = (piece.columns, None) if self._is_scored else (None, gaps)
            made = encode_columns(self.file, filled, order, self.table.wanted, measured, stood_in, dates)
            whole = are_whole(order.rows, gaps, self.table.wanted, 1, has_steps=False)
            gone = {key: None for key in piece.columns if key in gone or key in gaps}
            keys = {name: _as_objects(cells) for name, cells in piece.cells.items()} | dict(made.paths)
            stretch = _Stretch(made.values, made.paths, order.numbers, keys, ~whole)
            done += len(piece)
            lacking += int((~whole).sum())
            if not self._is_scored or whole.all():
                yield stretch
            elif whole.any():
                yield stretch.part(whole)
        names = [name for name, _ in gone]
        self.closing = describe_gaps(self.file, names, lacking, done, is_scored=self._is_scored)
        if not done:
            raise InputError(f"`{self.file.name}` has 0 rows, but at least one is needed")

    def _samples(self, stretch: _Stretch, batch: int | None = None) -> Samples:
        def take(part: slice) -> dict[str, Array]:
            found = {}
            for name, body in self.table.wanted.items():
                if takes_files(body):
                    cells = stretch.paths[columns_of(name, body)[0]][part].tolist()
                    files = locate(self.file, cells, stretch.numbers[part].tolist())
                    found[name] = decode_files(files, cells, body)
                else:
                    found[name] = place_columns(name, body, stretch.values[name][part], [None])
            return found

        keys = {name: cells.tolist() for name, cells in stretch.keys.items()}
        incomplete = stretch.incomplete if not self._is_scored and stretch.incomplete.any() else None
        return Samples(len(stretch), take, keys=keys, notes=self._notes, incomplete=incomplete, batch=batch)


def _as_objects(cells: Sequence[str]) -> Array:
    found = np.empty(len(cells), dtype=object)
    found[:] = cells
    return found
