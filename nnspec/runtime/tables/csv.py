"""CSV tables as model input, in the dialect in which training read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Key
from nnspec.runtime.rows.row_order import passed_columns
from nnspec.runtime.rules.csv import CellError, CsvError, NumberColumn, is_missing, read_columns, read_header
from nnspec.runtime.rules.csv_dialect import Dialect
from nnspec.runtime.rules.csv_sniff import propose_layout, propose_marks
from nnspec.runtime.tables.matching import options_of, require_columns, table_columns
from nnspec.runtime.tables.pieces import Piece, TableRows

_MOST_WORDS = 1 << 16  # of a column that are kept once


def read_csv(file: Path, wanted: Metadata, metadata: Metadata) -> TableRows:
    return TableRows(_pieces(file, wanted, metadata), wanted)


def _pieces(file: Path, wanted: Metadata, metadata: Metadata) -> Iterator[Piece]:
    keys = table_columns(file, wanted)
    dialect = Dialect.from_options(options_of(wanted))
    try:
        header = read_header(file, dialect)
        require_columns(file, keys, header)
        ordering = [(name, True) for name in passed_columns(metadata) if name in header]
        for columns in _read_csv_columns(file, list(dict.fromkeys([*keys, *ordering])), header, dialect):
            cells = {name: columns[name, is_text].tolist() for name, is_text in ordering}
            if metadata.get("order_by") in cells:
                cells[metadata["order_by"]] = dialect.order_cells(cells[metadata["order_by"]])
            yield Piece({key: columns[key] for key in keys}, cells)
    except (CsvError, InputError) as error:
        reason = str(error) if isinstance(error, InputError) else f"`{file.name}` cannot be read: {error}"
        proposal = propose_layout(file, dialect, [name for name, _ in keys])
        raise InputError(
            f"{reason} ({proposal.reason}; the model was trained on others)" if proposal else reason
        ) from None


def _read_csv_columns(
    file: Path, keys: Sequence[Key], header: Sequence[str], dialect: Dialect
) -> Iterator[dict[Key, Array]]:
    """The columns, some rows at a time."""
    readers = [NumberColumn(dialect) for _ in keys]
    known: list[dict[str, str]] = [{} for _ in keys]
    done = 0
    for columns in read_columns(file, header, [name for name, _ in keys], dialect):
        found: dict[Key, Array] = {}
        for (name, is_text), cells, reader, words in zip(keys, columns, readers, known, strict=True):
            try:
                found[name, is_text] = words_of(cells, words) if is_text else numbers_of(cells, reader)
            except CellError as error:
                row = done + error.index + 1
                message = f"`{file.name}`: column `{name}` has no number in row {row}: `{error.cell}`"
                proposal = propose_marks([file], dialect, [name])
                raise InputError(f"{message} ({proposal.reason})" if proposal else message) from None
        done += len(columns[0])
        yield found


def numbers_of(cells: Sequence[str], column: NumberColumn) -> Array:
    """Cells as int64 where all are integers, else as float64; NaN where one is missing. Axes `row`.

    Raises:
        CellError: where one holds text.
    """
    values = column.read(cells)
    if set(map(type, values)) == {int}:
        return np.array(values, np.int64)
    return np.array(values, np.float64)  # of None NumPy makes NaN


def words_of(cells: Sequence[str], known: dict[str, str] | None = None) -> Array:
    """Cells as they stand, axes `row`; an empty text where one is missing.

    Args:
        known: the words of a column so far, each of which is kept once.
    """
    own = {} if known is None or len(known) > _MOST_WORDS else known
    for cell in set(cells).difference(own):
        own[cell] = "" if is_missing(cell) else cell
    return np.array(list(map(own.__getitem__, cells)), dtype=object)
