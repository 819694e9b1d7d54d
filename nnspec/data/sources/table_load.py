"""Columns of CSV and Parquet files, read by pyarrow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.section.plan import Source
from nnspec.data.sources.csv_probe import NULLS
from nnspec.data.sources.probe_files import label_key
from nnspec.diagnostics import SpecError


@dataclass(frozen=True, eq=False)
class Column:
    """A column's values, one a row, and where there is none (the value there means nothing)."""

    values: NDArray[Any]
    missing: NDArray[np.bool_]


class Tables:
    """Reads each file's columns when they are first asked for, several in one go, and keeps them."""

    def __init__(self) -> None:
        self._columns: dict[tuple[Path, str, bool, bool], Column] = {}

    def columns(
        self, source: Source, names: Iterable[str], *, as_text: bool = False, is_exact: bool = False
    ) -> list[Column]:
        """The columns by these names.

        Args:
            as_text: gives the words of the file, for labels, whatever they look like.
            is_exact: keeps the spelling of words; labels have one for `3`, `3.0` and `"3"`.

        Raises:
            SpecError: NN502 where the file cannot be read, NN506 where a column has a type that is no number or date.
        """
        wanted = list(dict.fromkeys(names))
        absent = [name for name in wanted if (source.path, name, as_text, is_exact) not in self._columns]
        if absent:
            table = _read(source, absent, as_text)
            for name in absent:
                column = _convert(source, name, table.column(name).combine_chunks(), as_text, is_exact)
                self._columns[source.path, name, as_text, is_exact] = column
        return [self._columns[source.path, name, as_text, is_exact] for name in names]


def _read(source: Source, names: list[str], as_text: bool) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise _damaged(source, "reading tables needs pyarrow, which is not installed") from None
    try:
        if source.kind == "parquet":
            import pyarrow.parquet

            return pyarrow.parquet.read_table(source.path, columns=names)
        import pyarrow.csv

        types = {name: pyarrow.string() for name in names} if as_text else None
        convert = pyarrow.csv.ConvertOptions(
            include_columns=names, null_values=list(NULLS), strings_can_be_null=True, column_types=types
        )
        parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
        return pyarrow.csv.read_csv(source.path, convert_options=convert, parse_options=parse)
    except (pyarrow.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise _damaged(source, str(error).split("\n")[0]) from None


def _convert(source: Source, name: str, array: Any, as_text: bool, is_exact: bool) -> Column:
    import pyarrow
    import pyarrow.compute

    missing = np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    kinds = pyarrow.types
    if kinds.is_dictionary(array.type):
        array = array.dictionary_decode()
    if as_text:
        spell = str if is_exact else label_key
        texts = ["" if value is None else spell(value) for value in array.to_pylist()]
        return Column(np.array(texts, dtype=str), missing)
    if kinds.is_null(array.type):
        return Column(np.full(len(array), np.nan), missing)
    if kinds.is_boolean(array.type):
        array = array.cast(pyarrow.int8())
    if kinds.is_integer(array.type) or kinds.is_floating(array.type) or kinds.is_decimal(array.type):
        if kinds.is_integer(array.type) and not missing.any():
            return Column(array.to_numpy(zero_copy_only=False), missing)
        values = array.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)
        return Column(values, missing | np.isnan(values))
    if kinds.is_temporal(array.type) and not kinds.is_time(array.type):
        values = array.to_numpy(zero_copy_only=False)
        return Column(np.asarray(values, dtype="datetime64[ns]").astype(np.int64), missing)
    if kinds.is_string(array.type) or kinds.is_large_string(array.type):
        texts = ["" if value is None else value for value in array.to_pylist()]
        return Column(np.array(texts, dtype=str), missing)
    message = f"column `{name}` of `{source.shown}` has type {array.type}, which is neither number, date nor text"
    raise SpecError.single("NN506", message, source.span, path=source.where)


def _damaged(source: Source, reason: str) -> SpecError:
    return SpecError.single("NN502", f"`{source.shown}` cannot be used: {reason}", source.span, path=source.where)
