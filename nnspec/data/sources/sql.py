"""Tables of databases: a SQLite file, or a PostgreSQL server by its address.

The database is only read, in one transaction, and its rows are put into an engine of their own; what is checked is what
is trained on. A password comes from an environment variable and appears in no message and no file.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from nnspec.data.sources.base import SourceError, SourcePlan
from nnspec.data.sources.na_values import NA_VALUES
from nnspec.data.sources.snapshots import SnapshotSource
from nnspec.data.sources.stamps import stamps_of
from nnspec.data.sources.typed import FillingSource
from nnspec.runtime.engine.types import Table, connect, open_origin, quote_name
from nnspec.runtime.rules.markers import OPTION, Markers
from nnspec.runtime.tables.typed_markers import clear_markers

if TYPE_CHECKING:
    import duckdb

_SCHEMES = ("postgresql://", "postgres://")
_SNAPSHOT = "nnspec snapshot"
_SECONDS_KEPT = 60  # an editor asks after each letter


class SqlSource(FillingSource, SnapshotSource):
    kind = "sql"
    noun = "databases"
    description = (
        "A table of a database: a SQLite file, relative to the spec's folder, or the address of a PostgreSQL server, "
        "`postgresql://user@host/database`, without a password (`secret`)."
    )
    options = {
        **NA_VALUES,
        "table": {
            "type": "string",
            "minLength": 1,
            "description": "With `sql`: the table or view to read, `schema.table` where it is in another schema. "
            "Rows come in the order of its primary key, else of the file.",
        },
        "secret": {
            "type": "string",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
            "description": "With the address of a server: the environment variable with the password.",
        },
    }
    required = {"table": "the name of the table to read"}

    def is_address(self, shown: str) -> bool:
        return shown.startswith(_SCHEMES)

    def stamp(self, plan: SourcePlan) -> Hashable | None:
        if not self.is_address(plan.shown):
            return stamps_of(plan.files())
        return int(time.monotonic() // _SECONDS_KEPT)

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        """What has no place in a file that is passed on, such as a server's address, stays out of it."""
        table: dict[str, object] = {} if self.is_address(plan.shown) else {"table": plan.options.get("table")}
        options = {OPTION: plan.options[OPTION]} if OPTION in plan.options else None
        return table if options is None else {"options": options, **table}

    def make(self, plan: SourcePlan) -> Table:
        connection = connect()
        self.fill(plan, connection, _SNAPSHOT)
        return open_origin(connection, f'"{_SNAPSHOT}"')

    def fill(self, plan: SourcePlan, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        table = str(plan.options.get("table", ""))
        if self.is_address(plan.shown):
            from nnspec.data.sources.postgres import fill_from_postgres

            secret = plan.text("secret")
            fill_from_postgres(connection, name, plan.shown, table, secret, may_connect=plan.root is None)
            _clear(connection, name, plan)
            return
        from nnspec.data.sources.sqlite import fill_from_sqlite

        for path in plan.files():
            fill_from_sqlite(connection, name, path, table, Markers.from_options(plan.options))
            _clear(connection, name, plan)
            return
        raise SourceError("it is not there")


def _clear(connection: duckdb.DuckDBPyConnection, name: str, plan: SourcePlan) -> None:
    markers = Markers.from_options(plan.options)
    if markers:
        clear_markers(connection, name, open_origin(connection, quote_name(name)).types, markers)


SOURCE = SqlSource()
