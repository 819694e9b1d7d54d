"""The rows of a query over the section's tables, as a source (`nnspec.runtime.engine.query` runs it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nnspec.data.sources.base import OutsideError, ProposalError, SourceError, SourceFacts, SourcePlan, ToldError
from nnspec.data.sources.filling import fill_table
from nnspec.data.sources.snapshots import SnapshotSource
from nnspec.diagnostics import Diagnostic, Span
from nnspec.document.positions import place_in_scalar
from nnspec.runtime.engine.query import Fault, Fill, QueryError, count_characters, run_query
from nnspec.runtime.engine.types import EngineError, Table, first_sentence, quote_name

if TYPE_CHECKING:
    import duckdb

SQL = "query"  # the option that holds the text
_CODES = {Fault.FAILS: "NN564", Fault.REFUSED: "NN565", Fault.LIMIT: "NN566"}


class QueryFault(ToldError):
    """A query is not run; the diagnostic stands at what is wrong within its text."""

    def __init__(self, sql: str, error: QueryError) -> None:
        fixes: tuple[str, ...] = ()
        if error.fault is Fault.REFUSED:
            fixes = ("read tables that are named under `data.tables` or `data.source`, in one SELECT",)
        elif error.fault is Fault.LIMIT:
            fixes = ("join on keys, select fewer columns and rows, or prepare the table beforehand",)
        verb = "cannot be run: " if error.fault is Fault.FAILS and not str(error).startswith("gives ") else ""
        super().__init__(_CODES[error.fault], f"the query {verb}{error}", *fixes, notes=error.notes)
        self.sql, self.position, self.length = sql, error.position, error.length

    def diagnostic(self, span: Span, path: str) -> Diagnostic:
        if self.position is not None:
            start = count_characters(self.sql, self.position)
            end = count_characters(self.sql, self.position + self.length)
            span = place_in_scalar(span, self.sql, start, end - start)
        return super().diagnostic(span, path)


class TableFault(ToldError):
    """A table of a query cannot be used; the diagnostic stands where the table is named."""

    def __init__(self, table: SourcePlan, error: SourceError) -> None:
        code = "NN510" if isinstance(error, OutsideError) else "NN502"
        message = str(error) if isinstance(error, OutsideError) else f"`{table.shown}` cannot be used: {error}"
        super().__init__(code, message, *filter(None, [error.remedy]))
        self.table, self.error = table, error

    def diagnostic(self, span: Span, path: str) -> Diagnostic:
        if isinstance(self.error, ToldError):
            return self.error.diagnostic(self.table.span, self.table.where)
        return super().diagnostic(self.table.span, self.table.where)


class QuerySource(SnapshotSource):
    kind = "query"
    noun = "queries"
    description = "A SELECT over the section's tables."

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        return {}

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        """As any typed table, and refuses a name that two columns with different values have."""
        facts = super().probe(plan, wanted, kept)
        with self.open_parts(plan) as parts:
            (part,) = parts
            table = part.table
        for name in dict.fromkeys(wanted):
            if name not in table.twins:
                continue
            first, second = quote_name(name), quote_name(table.twins[name])
            if table.rows(f"SELECT 1 FROM {table.origin} WHERE {first} <> {second} LIMIT 1"):
                message = f"gives two columns with different values the name `{name}`"
                note = f"name the one that is meant: `SELECT source.*, other.{name} AS other_{name} …`"
                raise QueryFault(str(plan.options[SQL]), QueryError(Fault.FAILS, message, notes=(note,)))
        return facts

    def make(self, plan: SourcePlan) -> Table:
        sql = str(plan.options[SQL])
        tables: Mapping[str, Fill] = {name: partial(_fill, part) for name, part in plan.parts.items()}
        try:
            return run_query(sql, dict(tables))
        except QueryError as error:
            raise QueryFault(sql, error) from None
        except EngineError as error:
            raise SourceError(str(error)) from None


def _fill(plan: SourcePlan, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    import duckdb

    try:
        fill_table(connection, name, plan)
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise TableFault(plan, SourceError(first_sentence(error))) from None
    except EngineError as error:
        raise TableFault(plan, SourceError(str(error))) from None
    except ProposalError as error:
        error.table = name
        raise
    except SourceError as error:
        raise TableFault(plan, error) from None
    except OSError as error:
        raise TableFault(plan, SourceError(f"it cannot be read ({error.strerror or error})")) from None


SOURCE = QuerySource()
