"""What a source of another package gives is checked where it is handed over, since nothing else has seen it.

A mistake in it would otherwise show somewhere else, where nothing names the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.data.sources.base import Column, ColumnFacts, DataSource, Reading, SourceFacts, SourcePlan, TableFacts

if TYPE_CHECKING:
    from collections.abc import Iterable


def describe_unfit(kind: str, source: object) -> str:
    """What an object lacks to be the source of this kind, as completes `source … `; empty where it is one."""
    if not isinstance(source, DataSource):
        return f"is not a `DataSource` of `nnspec.data.sources.base`, but {type(source).__name__}"
    if getattr(source, "kind", None) != kind:
        return f"has kind {getattr(source, 'kind', None)!r}, not `{kind}`"
    for name in ("noun", "description"):
        if not isinstance(getattr(source, name, None), str):
            return f"has no `{name}`, a text that messages and editors show"
    options: object = source.options
    if not isinstance(options, Mapping):
        return f"has `options` of type {type(options).__name__}: they must map each key to its JSON schema"
    for name, schema in options.items():
        if not isinstance(schema, dict) or not isinstance(schema.get("description"), str):
            return f"has an option `{name}` without a JSON schema that has a `description`"
    return ""


def probe(plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
    """The facts of a package's source.

    Raises:
        SourceError: as `DataSource.probe`.
        TypeError: where they are none.
    """
    facts = plan.source.probe(plan, wanted, kept)
    if not isinstance(facts, SourceFacts):
        raise TypeError(f"`probe` returns {type(facts).__name__}, not `TableFacts` or other `SourceFacts`")
    if isinstance(facts, TableFacts):
        for name, column in facts.columns.items():
            if not isinstance(column, ColumnFacts):
                raise TypeError(f"`probe` gives {type(column).__name__} for column `{name}`, not `ColumnFacts`")
    return facts


def open_columns(plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
    """The chunks of a package's source.

    Raises:
        SourceError: as `DataSource.open_columns`.
        TypeError: where a chunk is no list of columns.
        ValueError: where the columns of a chunk are not of one length.
    """
    chunks: Iterable[object] = plan.source.open_columns(plan, names, reading)
    for chunk in chunks:
        if not isinstance(chunk, list | tuple) or not all(isinstance(column, Column) for column in chunk):
            raise TypeError("`open_columns` must yield lists of `Column`, one for each name")
        if len(chunk) != len(names):
            raise ValueError(
                f"`open_columns` must yield a `Column` for each of {len(names)} names, but has {len(chunk)}"
            )
        lengths = {len(each) for column in chunk for each in (column.values, column.missing)}
        if len(lengths) > 1:
            raise ValueError(f"`open_columns` must yield columns of one length, but has {sorted(lengths)}")
        yield list(chunk)
