"""Rows of a table as a model's inputs take them: numbers of its dtype, words in one spelling, seconds of dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.files import columns_of, is_read_as_words, takes_files
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.columns import as_model_input, takes_cells
from nnspec.runtime.rows.row_order import RowOrder
from nnspec.runtime.rows.stand_ins import stand_in
from nnspec.runtime.rules.csv import CellError

Key = tuple[str, bool]  # a column's name, and whether it is read as words
Gaps = dict[Key, NDArray[np.bool_]]  # the rows that have no value, axes `row`


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows in the order of training.

    Attributes:
        values: by input, axes `row column`.
        paths: by column, the files that rows name.
    """

    values: Mapping[str, Array]
    paths: Mapping[str, Array]


def encode_columns(
    file: Path,
    columns: Mapping[Key, Array],
    order: RowOrder,
    wanted: Mapping[str, Metadata],
    measured: Mapping[Key, Array] | None = None,
    gaps: Gaps | None = None,
    dates: dict[str, list[str]] | None = None,
) -> Encoded:
    """The rows of columns, as `samples_of_columns` has them.

    Args:
        gaps: rows of columns in which a stand-in takes the place of a value that is not there.
        dates: of a table that is read in parts, by input, a date of the parts so far; all are written alike.

    Raises:
        InputError: where a cell is not what the input takes.
    """
    values: dict[str, Array] = {}
    paths: dict[str, Array] = {}
    for name, body in wanted.items():
        if takes_files(body):
            (column,) = columns_of(name, body)
            paths[column] = columns[column, True]
            continue
        read = columns if measured is None or not body.get("is_measured") else measured
        values[name] = np.stack([read[c, is_read_as_words(body)] for c in body["columns"]], axis=1)
        if takes_cells(body.get("encoding")):
            before = None if dates is None else dates.setdefault(name, [])
            try:
                values[name] = as_model_input(body, values[name], before)
            except CellError as error:
                row = int(order.numbers[error.index])
                wanted_is = "date" if body["encoding"] == "date" else "yes or no"
                raise InputError(
                    f"`{file.name}`: column `{body['columns'][0]}` has no {wanted_is} in row {row}: `{error.cell}`"
                ) from None
        elif body["dtype"].startswith(("int", "uint")):
            values[name] = _integers(file, name, body["dtype"], values[name])
        for place, column in enumerate(body["columns"] if gaps is not None else ()):
            missing = (gaps or {}).get((column, is_read_as_words(body)))
            if missing is not None:
                values[name][missing, place] = stand_in(body, column)
    return Encoded(values, paths)


def first_gap(file: Path, gaps: Gaps, order: RowOrder) -> str:
    """The first value that is not there, in words."""
    row, name, is_text = min(
        (int(order.numbers[missing].min()), name, is_text) for (name, is_text), missing in gaps.items()
    )
    return f"`{file.name}`: column `{name}` has no {'text' if is_text else 'number'} in row {row}"


def _integers(file: Path, name: str, dtype: str, values: Array) -> Array:
    """A table's numbers, which are read as floats, in the integer dtype of the input that takes them.

    Raises:
        InputError: where one has a fraction or does not fit.
    """
    with np.errstate(invalid="ignore"):
        made = values.astype(dtype)
    strange = values[made != values]
    if strange.size:
        raise InputError(f"`{file.name}`: input `{name}` takes {dtype}, but the table has {strange[0]:g}")
    return made
