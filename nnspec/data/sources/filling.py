"""Puts a table of any kind into an engine, read by its own rules: a CSV file in a query is read as one alone is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.data.sources.base import Column, Reading, SourceError, SourceFacts, SourcePlan
from nnspec.data.sources.typed import FillingSource
from nnspec.runtime.engine.types import quote_name

if TYPE_CHECKING:
    import duckdb


def fill_table(connection: duckdb.DuckDBPyConnection, name: str, plan: SourcePlan) -> None:
    """Makes the table `name` of a source's rows.

    Raises:
        SourceError: where the source cannot be read.
        EngineError: as well.
    """
    if isinstance(plan.source, FillingSource):
        plan.source.fill(plan, connection, name)
        return
    names = list(plan.source.probe(plan, (), ()).names)
    facts = plan.source.probe(plan, names, ())
    columns: dict[str, Column] = {}
    for reading, is_text in ((Reading.NUMBER, False), (Reading.WORD, True)):
        chosen = [each for each in names if _is_text(facts, each) is is_text]
        if chosen:
            chunks = list(plan.source.open_columns(plan, chosen, reading))
            columns |= {each: _join_chunks([chunk[index] for chunk in chunks]) for index, each in enumerate(chosen)}
    insert_columns(connection, name, {each: columns[each] for each in names if each in columns})


def _is_text(facts: SourceFacts, name: str) -> bool | None:
    """Whether a column holds text; None where it is no column of single values, and left out."""
    try:
        column = facts.column(name)
    except SourceError:
        return None
    return None if column is None else column.is_text


def insert_columns(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, Column]) -> None:
    """Makes the table `name` of columns in NumPy; what is missing is NULL, and integers with gaps stay integers."""
    import numpy as np

    arrays: dict[str, np.ndarray] = {}
    parts = []
    for index, (title, column) in enumerate(columns.items()):
        values, missing = column.values, column.missing
        if values.dtype.kind == "f" and missing.any() and np.all(np.mod(values[~missing], 1) == 0):
            small = np.abs(values[~missing]) < 2**53
            values = np.where(missing, 0, values).astype(np.int64) if small.all() else values
        arrays[f"v{index}"] = values.astype(object) if values.dtype.kind == "U" else values
        arrays[f"m{index}"] = missing
        parts.append(f"CASE WHEN m{index} THEN NULL ELSE v{index} END AS {quote_name(title)}")
    if not parts:
        raise SourceError("it has no columns")
    connection.register("nnspec arrays", arrays)
    try:
        connection.execute(f'CREATE TABLE {quote_name(name)} AS SELECT {", ".join(parts)} FROM "nnspec arrays"')
    finally:
        connection.unregister("nnspec arrays")


def _join_chunks(chunks: list[Column]) -> Column:
    import numpy as np

    if len(chunks) == 1:
        return chunks[0]
    values = [chunk.values for chunk in chunks]
    return Column(np.concatenate(values), np.concatenate([chunk.missing for chunk in chunks]))
