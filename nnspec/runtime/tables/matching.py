"""Tables as model input: columns matched by the names in the metadata, gaps filled as in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.media.files import columns_of, is_read_as_words
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rows.encoded import Gaps, Key
from nnspec.runtime.rows.row_order import RowOrder, order_rows
from nnspec.runtime.rows.windows import needed_rows, samples_of_columns
from nnspec.runtime.rules.interpolation import Between, interpolate_gaps
from nnspec.runtime.samples import Samples


def options_of(wanted: Metadata) -> Metadata:
    """How training's table is written, which its inputs say."""
    return next((body["options"] for body in wanted.values() if body.get("options")), {})


def inputs_from_columns(
    file: Path, columns: Mapping[Key, Array], wanted: Metadata, metadata: Metadata
) -> dict[str, Array]:
    """Each input of the model from a table's columns, gaps filled as in training, windows cut in file order.

    Args:
        columns: of words (objects) or of numbers, NaN where one is missing, by name and whether they are words.

    Raises:
        InputError: where a gap is left, a value is infinite, or there are too few rows.
    """
    return samples_of_table(file, columns, wanted, {**metadata, "order_by": None, "series": None}, {}).inputs


def samples_of_table(
    file: Path,
    columns: Mapping[Key, Array],
    wanted: Metadata,
    metadata: Metadata,
    cells: Mapping[str, Sequence[str]],
) -> Samples:
    """A model's samples from a table's columns: rows in the order of training, gaps filled, windows cut.

    Args:
        columns: of words (objects) or of numbers, NaN where one is missing, by name and whether they are words.
        cells: the columns by which rows are ordered and series told apart, those that the file has.

    Raises:
        InputError: where a gap is left, a value is infinite, or there are too few rows.
    """
    count = len(next(iter(columns.values()))) if columns else 0
    order = order_rows(file, count, cells, metadata)
    needed = needed_rows(order, wanted, metadata)
    is_scored = any(body.get("is_measured") for body in wanted.values())
    gaps: Gaps | None = None if metadata.get("states") and not is_scored else {}  # a state goes on from every sample
    filled = fill_gaps(file, columns, order, wanted, metadata, needed, gaps)
    lines = _lines(columns, order, metadata)
    measured = {key: values[order.rows] for key, values in columns.items()} if is_scored else None
    return samples_of_columns(file, filled, order, wanted, metadata, lines, measured, gaps)


def _lines(columns: Mapping[Key, Array], order: RowOrder, metadata: Metadata) -> dict[Key, Between]:
    """By column, what gaps hold in windows that have a later known value, where training filled them so."""
    found: dict[Key, Between] = {}
    rules = metadata.get("missing_of") or {}
    for (name, is_text), unordered in columns.items():
        if rules.get(name, metadata.get("missing")) == "interpolate" and not is_text:
            values = unordered[order.rows]
            found[name, is_text] = interpolate_gaps(values, np.isnan(values), order.starts)
    return found


def fill_gaps(
    file: Path,
    columns: Mapping[Key, Array],
    order: RowOrder,
    wanted: Metadata,
    metadata: Metadata,
    needed: Mapping[Key, NDArray[np.bool_]] | None = None,
    gaps: Gaps | None = None,
) -> dict[Key, Array]:
    """The columns in order, forward-filled within a series where the model was trained on such.

    Gaps are left in those columns alone that the model fills itself.

    Args:
        needed: by column, the rows in which it must have a value; elsewhere zeros stand for what is missing. None: all.
        gaps: takes the rows that columns lack which training left out; zeros stand for them. None: they are errors.
    """
    filled: dict[Key, Array] = {}
    rules = metadata.get("missing_of") or {}
    begin = np.repeat(order.starts, [stop - start for start, stop in order.stretches])
    for (name, is_text), unordered in columns.items():
        values = unordered[order.rows]
        known = np.array([bool(word) for word in values], dtype=bool) if is_text else ~np.isnan(values)
        if rules.get(name, metadata.get("missing")) in ("forward_fill", "interpolate") and len(values):
            latest = np.maximum.accumulate(np.where(known, np.arange(len(values)), begin))
            values, known = values[latest], known[latest]
        if may_have_gaps(name, wanted):
            known = np.ones(len(values), bool)
        if gaps is not None and rules.get(name, metadata.get("missing")) == "drop" and not known.all():
            gaps[name, is_text] = ~known
            values, known = np.where(known, values, "" if is_text else 0), np.ones(len(values), bool)
        if not is_text:
            known &= ~np.isinf(values)
        if needed is not None and (name, is_text) in needed:
            spare = ~known & ~needed[name, is_text]
            values, known = np.where(spare, "" if is_text else 0, values), known | spare
        if not known.all():
            row = int(order.numbers[~known].min())
            raise InputError(f"`{file.name}`: column `{name}` has no {'text' if is_text else 'number'} in row {row}")
        filled[name, is_text] = values
    return filled


def may_have_gaps(column: str, wanted: Metadata) -> bool:
    """Whether every input that takes a column fills its gaps itself; targets are taken as they are."""
    readers = [body for body in wanted.values() if column in (body.get("columns") or ())]
    inputs = [body for body in readers if not body.get("is_measured")]
    return bool(readers) and all(column in (body.get("gaps") or ()) for body in inputs)


def table_columns(file: Path, wanted: Metadata) -> list[Key]:
    """The columns that the inputs take, each once as words and once as numbers at most."""
    keys: list[Key] = []
    for name, body in wanted.items():
        columns = columns_of(name, body)
        if not columns:
            raise InputError(
                f"the model does not record which columns input `{name}` takes: use {file.stem}.npz instead"
            )
        keys += [(column, is_read_as_words(body)) for column in columns]
    return list(dict.fromkeys(keys))


def require_columns(file: Path, keys: Sequence[Key], header: Sequence[str]) -> None:
    missing = list(dict.fromkeys(name for name, _ in keys if name not in header))
    if missing:
        raise InputError(f"`{file.name}` has no column {quote_names(missing)}; it has: {', '.join(header[:20])}")
