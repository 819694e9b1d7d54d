"""Parquet tables: a file, a pattern of files, or a partitioned folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.typed_files import TypedFiles
from nnspec.runtime.engine.types import Table, open_parquet

if TYPE_CHECKING:
    import duckdb


class ParquetSource(TypedFiles):
    kind = "parquet"
    noun = "Parquet files"
    description = (
        "A Parquet table: a file, a pattern such as `sales/**/*.parquet`, or a folder with all such files below it. "
        "Folders such as `year=2024` add a column. Paths are relative to the spec's folder; rows are those of the "
        "files in the order of their paths."
    )
    suffixes = (".parquet",)

    def open_file(self, file: Path, connection: duckdb.DuckDBPyConnection) -> Table:
        return open_parquet(file, connection)


SOURCE = ParquetSource()
