"""The base class of typed tables in files: a file, a pattern of files, or a partitioned folder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import SourceError, SourcePlan
from nnspec.data.sources.na_values import NA_VALUES
from nnspec.data.sources.promote import promote_integers
from nnspec.data.sources.typed import FillingSource, Part, TypedSource
from nnspec.data.sources.typed_fill import fill_from_parts
from nnspec.runtime.engine.types import EngineError, Table, connect
from nnspec.runtime.rules.markers import Markers
from nnspec.runtime.rules.partitions import find_files, fixed_folder, partition_of
from nnspec.runtime.tables.typed_markers import with_markers

if TYPE_CHECKING:
    import duckdb


class TypedFiles(FillingSource, TypedSource):
    """A kind of file with a typed table; of a folder, all files with the first of `suffixes`."""

    is_pattern = True
    is_folder = True
    options = NA_VALUES

    @abstractmethod
    def open_file(self, file: Path, connection: duckdb.DuckDBPyConnection) -> Table:
        """The table of a file.

        Raises:
            EngineError: where it cannot be read.
        """

    def list_files(self, path: Path) -> list[Path]:
        return find_files(path, self.suffixes[0])

    @contextmanager
    def open_parts(self, plan: SourcePlan) -> Iterator[Iterator[Part]]:
        connection = connect()
        try:
            yield iter(self._parts(plan, connection))
        finally:
            connection.close()

    def fill(self, plan: SourcePlan, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        fill_from_parts(connection, name, self._parts(plan, connection))

    def _parts(self, plan: SourcePlan, connection: duckdb.DuckDBPyConnection) -> list[Part]:
        files = plan.files()
        parts = []
        root = plan.path if plan.path.is_dir() else fixed_folder(plan.path)
        for file in files:
            plan.check_below(file)
            below = file.relative_to(root)
            try:
                table = self.open_file(file, connection)
            except EngineError as error:
                raise SourceError(str(error) if len(files) == 1 else f"`{below.as_posix()}`: {error}") from None
            table = with_markers(table, Markers.from_options(plan.options))
            parts.append(Part(table, below.as_posix(), partition_of(below.parent.parts, table.types)))
        return promote_integers(parts)
