"""Reads `tables` and `query`: the section's source becomes the rows of the query."""

from __future__ import annotations

from nnspec.data.section.read_sources import SourceReader
from nnspec.data.sources.base import SourcePlan
from nnspec.document import Mapping, to_plain

SOURCE_TABLE = "source"  # what a query calls the section's source


def read_query(reader: SourceReader, node: Mapping) -> SourcePlan | None:
    """The section's source, or the query over it and the tables."""
    tables, query = node.get("tables"), node.get("query")
    if query is None:
        if tables is not None:
            message = "`tables` are read by a `query`, but the section has none"
            reader.fault("NN208", message, node.key_span("tables"), "data.tables", "add `query: SELECT …`")
        return reader.source
    parts: dict[str, SourcePlan] = {}
    if reader.source is not None:
        parts[SOURCE_TABLE] = reader.source
    for name, body in tables.entries.items() if isinstance(tables, Mapping) else ():
        where = f"data.tables.{name}"
        taken = next((other for other in (SOURCE_TABLE, *parts) if other.casefold() == name.casefold()), None)
        if taken is not None and isinstance(tables, Mapping):
            what = "the section's `source`" if taken == SOURCE_TABLE else f"table `{taken}`: SQL ignores case"
            message = f"table `{name}` has the name of {what}"
            reader.fault("NN208", message, tables.key_span(name), where, "choose another name")
            continue
        part = reader.read_source(body, where) if isinstance(body, Mapping) else None
        if part is not None:
            parts[name] = part
    for name, part in parts.items():
        if not part.source.is_table:
            message = f"a query reads tables, but `{name}` is read from {part.source.noun}"
            reader.fault("NN208", message, part.span, part.where)
    if not parts and not reader.report.has_errors and node.get("source") is None:
        reader.fault("NN208", "`query` needs `source` or `tables` to read from", node.key_span("query"), "data.query")
    if not parts or reader.report.has_errors:
        return reader.source
    from nnspec.data.sources.query import SOURCE, SQL

    return SourcePlan(
        source=SOURCE,
        path=reader.root / "query",
        shown="query",
        span=query.span,
        where="data.query",
        root=None if reader.allow_outside else reader.root,
        options={SQL: str(to_plain(query))},
        parts=parts,
    )
