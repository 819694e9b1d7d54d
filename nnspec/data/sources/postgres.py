"""Tables of a PostgreSQL server, by psycopg: one transaction that only reads, rows by a cursor of the server.

The address comes from a spec, which may be anybody's: of what it may say beside user, server and database, only what
reads no file is taken; and the password is proved (SCRAM), never sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from nnspec.data.sources.base import ToldError
from nnspec.data.sources.servers import refuse_server
from nnspec.data.sources.sql_rows import CHUNK_ROWS, SECONDS, Cell, insert_rows, no_table
from nnspec.diagnostics import Diagnostic, Span
from nnspec.diagnostics.extras import install_command
from nnspec.runtime.engine.types import quote_name

if TYPE_CHECKING:
    import duckdb
    import psycopg

_PARAMETERS = ("sslmode", "host", "port")
SETTINGS: dict[str, str | int] = {
    "default_transaction_read_only": "on",
    "statement_timeout": SECONDS * 1000,
    "DateStyle": "ISO",
    "TimeZone": "UTC",
}
_TYPES = {  # by PostgreSQL's name: DuckDB's, and what the server makes of it
    **dict.fromkeys(("int2", "int4", "int8", "oid"), ("BIGINT", "int8")),
    **dict.fromkeys(("float4", "float8", "numeric"), ("DOUBLE", "float8")),
    "bool": ("BOOLEAN", "bool"),
    "date": ("DATE", "text"),
    "timestamp": ("TIMESTAMP", "text"),
    "timestamptz": ("TIMESTAMPTZ", "text"),
    **dict.fromkeys(
        ("text", "varchar", "bpchar", "name", "uuid", "time", "timetz", "citext", "char"), ("VARCHAR", "text")
    ),
}
_UNREADABLE = ("BLOB", "text")


class _InAddressError(ToldError):
    """A password stands in the spec: the line that has it is not shown."""

    def diagnostic(self, span: Span, path: str) -> Diagnostic:
        found = super().diagnostic(Span(span.source), path)
        return replace(found, notes=(*found.notes, f"it is in line {span.line}"))


def fill_from_postgres(
    connection: duckdb.DuckDBPyConnection, name: str, url: str, table: str, secret: str | None, *, may_connect: bool
) -> None:
    """Makes the table `name` of a table or view of a server, rows in the order of its primary key, else of its file.

    Args:
        may_connect: whether the user allows what the spec names outside its folder.

    Raises:
        ToldError: NN636 where it may not connect; NN567 where the server cannot be reached or does not let in, or has
            no such table; NN612 where psycopg is not installed.
    """
    arguments, password = _arguments(url, secret)
    shown = url.partition("?")[0]
    if not may_connect:
        raise refuse_server(shown)
    try:
        import psycopg
    except ImportError:
        message = "reading from PostgreSQL needs psycopg, which is not installed"
        raise ToldError("NN567", message, install_command("postgres")) from None
    try:
        with psycopg.connect(**arguments) as server:
            server.read_only = True
            for setting, value in SETTINGS.items():
                server.execute("SELECT set_config(%s, %s, false)", [setting, str(value)])
            _fill(connection, name, server, shown, table)
    except psycopg.Error as error:
        raise _translate_error(shown, error, password, secret) from None


def _arguments(url: str, secret: str | None) -> tuple[dict[str, str | int], str]:
    """What psycopg connects with, and the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ToldError("NN567", f"this is not the address of a server: {error}") from None
    if parts.password is not None:
        message = "the address contains a password, but a spec is not secret"
        raise _InAddressError(
            "NN567", message, "leave it out, and write `secret: NAME` with the environment variable that contains it"
        )
    given = dict(parse_qsl(parts.query))
    strange = sorted(given.keys() - set(_PARAMETERS))
    if strange:
        message = f"`{strange[0]}` cannot be set in the address; {', '.join(_PARAMETERS)} can"
        raise ToldError("NN567", message, "leave it out")
    password = ""
    if secret is None:
        message = "the address of a server needs `secret`, the environment variable with the password"
        raise ToldError("NN567", message, "write `secret: NAME` beside `sql`, and set NAME where nnspec runs")
    if secret not in os.environ:
        message = f"the environment variable `{secret}`, which contains the password, is not set"
        raise ToldError("NN567", message, f"set it where nnspec runs: `export {secret}=…`")
    password = os.environ[secret]
    arguments: dict[str, str | int] = {
        "host": given.get("host") or unquote(parts.hostname or ""),
        "port": int(given.get("port") or port or 5432),
        "user": unquote(parts.username or ""),
        "dbname": unquote(parts.path.lstrip("/")),
        "password": password,
        "sslmode": given.get("sslmode", "prefer"),
        "connect_timeout": 10,
        "application_name": "nnspec",
        "require_auth": "scram-sha-256,none",
        "passfile": os.devnull,
    }
    return {key: value for key, value in arguments.items() if value != ""}, password


def _fill(connection: duckdb.DuckDBPyConnection, name: str, server: psycopg.Connection, shown: str, table: str) -> None:
    schema, _, title = table.rpartition(".")
    place = "n.nspname = %s" if schema else "pg_table_is_visible(c.oid)"
    found = server.execute(
        f"SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relname = %s AND {place} AND c.relkind IN ('r', 'v', 'm', 'p', 'f')",
        [title, *([schema] if schema else [])],
    ).fetchone()
    if found is None:
        raise no_table(shown, table, _tables_of(server))
    identity, schema, title, kind = found
    columns = server.execute(
        "SELECT a.attname, CASE WHEN t.typtype = 'e' THEN 'text' ELSE t.typname END FROM pg_attribute a "
        "JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum",
        [identity],
    ).fetchall()
    types = {str(column): _TYPES.get(str(kind), _UNREADABLE) for column, kind in columns}
    keys = server.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indrelid = %s AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)",
        [identity],
    ).fetchall()
    order = ", ".join(quote_name(str(key)) for (key,) in keys) or ("ctid" if kind in ("r", "m") else "")
    cells = ", ".join(
        "NULL" if kind == "BLOB" else f"CAST({quote_name(column)} AS {cast})" for column, (kind, cast) in types.items()
    )
    statement = f"SELECT {cells} FROM {quote_name(schema)}.{quote_name(title)}" + (
        f" ORDER BY {order}" if order else ""
    )
    kinds = {column: kind for column, (kind, _) in types.items()}
    insert_rows(connection, name, kinds, _chunks(server, statement))


def _chunks(server: psycopg.Connection, statement: str) -> Iterator[list[tuple[Cell, ...]]]:
    with server.cursor(name="nnspec") as cursor:
        cursor.execute(statement.encode())
        while rows := cursor.fetchmany(CHUNK_ROWS):
            yield rows


def _tables_of(server: psycopg.Connection) -> list[str]:
    found = server.execute(
        "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' ORDER BY 1"
    ).fetchall()
    return [str(name) for (name,) in found]


def _translate_error(shown: str, error: psycopg.Error, password: str, secret: str | None) -> ToldError:
    import psycopg

    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = (lines or [type(error).__name__])[0].removeprefix("connection failed: ")
    text = text.replace(password, "…") if password else text
    if isinstance(error, psycopg.errors.QueryCanceled):
        message = f"`{shown}` takes longer than {SECONDS} s to give the table"
        return ToldError("NN567", message, "read a table rather than a view, or prepare one")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ToldError("NN567", f"`{shown}` does not let this user read: {text}", "ask for the right to SELECT")
    if "password authentication failed" in text:
        message = f"`{shown}` refuses the password in `{secret}`, or has no such user"
        return ToldError("NN567", message, f"set `{secret}` to the password of that user", notes=(text,))
    if isinstance(error, psycopg.OperationalError):
        message = f"`{shown}` cannot be reached, or refuses the connection"
        return ToldError(
            "NN567", message, "check that the server is running and accepts connections from here", notes=(text,)
        )
    return ToldError("NN567", f"`{shown}` cannot be read: {text}")
