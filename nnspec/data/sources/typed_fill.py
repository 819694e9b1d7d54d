"""Makes one table of an engine from the parts of a source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.data.sources.typed import Part, check_alike
from nnspec.runtime.engine.filling import fill_from_tables

if TYPE_CHECKING:
    import duckdb


def fill_from_parts(connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[Part]) -> None:
    """Makes the table `name` of the parts' rows, one after the other.

    Raises:
        SourceError: where a column changes its type, or is not in all of them.
    """
    for part in parts[1:]:
        check_alike(parts[0], part, parts[0].names)
    fill_from_tables(connection, name, [(part.table, part.constants) for part in parts])
