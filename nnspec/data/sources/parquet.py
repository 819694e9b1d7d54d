"""Parquet tables, read by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.sources.base import (
    Column,
    ColumnFacts,
    MisfitError,
    Reading,
    SourceError,
    SourceFacts,
    SourcePlan,
    TableFacts,
    TableSource,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK_ROWS = 65_536
_NO_PYARROW = "reading Parquet needs pyarrow, which is not installed"


class ParquetSource(TableSource):
    kind = "parquet"
    noun = "Parquet files"
    description = "A Parquet table; the path is relative to the spec's folder."
    suffixes = (".parquet",)

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        """Names, row count and types, from the file's footer; the one format that the standard library cannot read."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise SourceError(_NO_PYARROW) from None
        try:
            with pyarrow.parquet.ParquetFile(plan.path) as file:
                schema, rows = file.schema_arrow, file.metadata.num_rows
        except (pyarrow.ArrowException, OSError) as error:
            raise SourceError(str(error).split("\n")[0]) from None
        if rows == 0:
            raise SourceError("it has no rows")
        texts = (pyarrow.string(), pyarrow.large_string())
        columns = {
            each.name: ColumnFacts(rows=rows, is_text=each.type in texts or pyarrow.types.is_dictionary(each.type))
            for each in schema
        }
        return TableFacts(columns, list(schema.names))

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise SourceError(_NO_PYARROW) from None
        try:
            with pyarrow.parquet.ParquetFile(plan.path) as file:
                for batch in file.iter_batches(_CHUNK_ROWS, columns=list(dict.fromkeys(names))):
                    yield [_convert(plan, name, batch.column(name), reading) for name in names]
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            raise SourceError(str(error).split("\n")[0]) from None

    def read_inputs(
        self, file: Path, wanted: Mapping[str, Any], metadata: Mapping[str, Any]
    ) -> dict[str, NDArray[Any]]:
        from nnspec.runtime.tables import read_parquet

        return read_parquet(file, wanted, metadata).inputs


def _convert(plan: SourcePlan, name: str, array: Any, reading: Reading) -> Column:
    import numpy as np
    import pyarrow

    from nnspec.data.sources.label_keys import label_key

    missing = np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    kinds = pyarrow.types
    if kinds.is_dictionary(array.type):
        array = array.dictionary_decode()
    if reading in (Reading.LABEL, Reading.WORD):
        spell = label_key if reading is Reading.LABEL else str
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
    raise MisfitError(f"column `{name}` of `{plan.shown}` has type {array.type}, which is not a number, date or text")


SOURCE = ParquetSource()
