"""JSON records, a mapping from column to value each, as a table's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nnspec.runtime.columns import words_in_one_spelling
from nnspec.runtime.csv_rules import is_missing
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.row_order import key_columns
from nnspec.runtime.samples import Samples
from nnspec.runtime.tables import require_columns, samples_of_table, table_columns
from nnspec.runtime.windows import Key

Record = Mapping[str, object]


def read_records(file: Path, records: Sequence[Record], wanted: Metadata, metadata: Metadata) -> Samples:
    """A model's samples from records. A key that one of them lacks, or that is null, is a missing value.

    Raises:
        InputError: where no record has a column, or a value is not what it takes.
    """
    keys = table_columns(file, wanted)
    names = list(dict.fromkeys(name for record in records for name in record))
    require_columns(file, keys, names)
    columns: dict[Key, Array] = {}
    for name, is_text in keys:
        values = [record.get(name) for record in records]
        columns[name, is_text] = _words(values) if is_text else _numbers(file, name, values)
    cells = {name: _words([r.get(name) for r in records]).tolist() for name in key_columns(metadata) if name in names}
    return samples_of_table(file, columns, wanted, metadata, cells)


def _words(values: Sequence[object]) -> Array:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return words_in_one_spelling(made)


def _numbers(file: Path, name: str, values: Sequence[object]) -> Array:
    found = []
    for row, value in enumerate(values, 1):
        if value is None or (isinstance(value, str) and is_missing(value)):
            found.append(np.nan)
        elif isinstance(value, int | float):
            found.append(float(value))
        else:
            raise InputError(f"`{file.name}`: column `{name}` has no number in row {row}: `{value}`")
    return np.array(found, np.float64)
