"""Arrow tables (the IPC format, file or stream, also called Feather 2), decoded by nanoarrow into DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.typed_files import TypedFiles
from nnspec.runtime.engine.arrow import open_arrow
from nnspec.runtime.engine.types import Table

if TYPE_CHECKING:
    import duckdb


class ArrowSource(TypedFiles):
    kind = "arrow"
    noun = "Arrow files"
    description = (
        "An Arrow table (IPC or Feather 2): a file, a pattern such as `sales/*.arrow`, or a folder with all such files "
        "below it, as for `parquet`."
    )
    suffixes = (".arrow", ".feather", ".ipc")

    def open_file(self, file: Path, connection: duckdb.DuckDBPyConnection) -> Table:
        return open_arrow(file, connection)


SOURCE = ArrowSource()
