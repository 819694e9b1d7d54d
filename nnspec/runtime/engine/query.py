"""A query over tables and nothing else: SQL by DuckDB, locked down.

The tables are there before the query is looked at. Then files, networks, extensions and settings are shut off, and the
statement, as DuckDB parses it, must be one SELECT that reads these tables alone. Functions that give another
value each time (`random`, `now`) or tell of the machine (`current_setting`) are refused too: the same data give the
same rows. Rows without ORDER BY come in the order in which one thread makes them. Memory and time are bounded.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from nnspec.runtime.engine.types import Table, connect, open_origin

if TYPE_CHECKING:
    import duckdb

Node = dict[str, Any]  # of a parsed statement, as DuckDB writes it
_RESULT = '"nnspec result"'
_MAKE = f"CREATE TABLE {_RESULT} AS "
_LOCKED = ("SET enable_external_access = false", "SET errors_as_json = true", "SET lock_configuration = true")
_REFERENCES = {"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "PIVOT"}
_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_ROW_FUNCTIONS = {"range", "generate_series", "unnest"}
_TELLING = (  # of the moment or the machine: stable within a query, another value in the next
    "current_date current_time current_timestamp current_localtime current_localtimestamp localtime localtimestamp "
    "get_current_time get_current_timestamp now today transaction_timestamp txid_current ago current_setting "
    "getenv getvariable current_database current_schema current_schemas current_catalog current_role current_user "
    "session_user user in_search_path"
)
_TELLING_NAMES = frozenset(("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"))
_GROWING = {"repeat", "lpad", "rpad"}  # a row of these is made in one go, which no limit of time ends
_MOST_CHARACTERS = 10_000
_BLOCK = 2**20


class Fault(Enum):
    """What is wrong with a query."""

    FAILS = "it cannot be run"
    REFUSED = "it reads more than its tables"
    LIMIT = "it needs too much"


class QueryError(ValueError):
    """A query that is not run; the message is a sentence without its subject.

    Attributes:
        position: where in the query, in characters; None where that is not known.
        length: of what is at fault there, at least 1.
        notes: further facts, such as a name that may have been meant.
    """

    def __init__(
        self, fault: Fault, message: str, position: int | None = None, length: int = 1, notes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.fault, self.position, self.length, self.notes = fault, position, length, notes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may use: bytes of memory, its tables among them, and seconds."""

    memory: int
    seconds: float


def default_limits() -> Limits:
    """Half of the machine's memory, and two minutes."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # not told on every system
        memory = 4 * 2**30
    return Limits(max(memory, 256 * _BLOCK), 120.0)


Fill = Callable[["duckdb.DuckDBPyConnection", str], None]


def run_query(sql: str, tables: dict[str, Fill], limits: Limits | None = None) -> Table:
    """The rows of a query over these tables.

    Args:
        tables: by name, what makes the table of this name in a connection.

    Raises:
        QueryError: where it is not run.
        EngineError: where DuckDB is not installed.
    """
    limits = limits or default_limits()
    connection = connect()
    connection.execute(f"SET memory_limit = '{max(limits.memory // _BLOCK, 1)}MiB'")
    for setting in ("threads = 1", "temp_directory = ''", "TimeZone = 'UTC'"):
        connection.execute(f"SET {setting}")
    with _limit_time(connection, limits):
        for name, fill in tables.items():
            fill(connection, name)
        refused = _refused_functions(connection)
        for statement in _LOCKED:
            connection.execute(statement)
        _check(connection, sql, tables.keys(), refused)
        with _translate_errors(len(_MAKE)):
            named = [str(row[0]) for row in connection.execute("DESCRIBE " + sql).fetchall()]
            connection.execute(_MAKE + sql)
        for name in tables:
            connection.execute('DROP TABLE "' + name.replace('"', '""') + '"')
    made = open_origin(connection, _RESULT)
    return replace(made, twins=_twins(named, list(made.types)))


def _twins(named: list[str], made: list[str]) -> dict[str, str]:
    """What the second column of each name became as the rows were written to a table, which has each name once."""
    found: dict[str, str] = {}
    for name, column in zip(named, made, strict=True):
        if name != column and name in made:
            found.setdefault(name, column)
    return found


@contextmanager
def _limit_time(connection: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[None]:
    """Ends what takes longer than it may, and tells what needs more memory."""
    import duckdb

    done = threading.Event()

    def interrupt() -> None:
        wait = limits.seconds
        while not done.wait(wait):  # one that comes between two statements is lost
            connection.interrupt()
            wait = 0.2

    clock = threading.Thread(target=interrupt, daemon=True)
    clock.start()
    try:
        yield
    except duckdb.OutOfMemoryException:
        message = f"needs more than {limits.memory / 2**30:.3g} GiB of memory, with its tables"
        raise QueryError(Fault.LIMIT, message) from None
    except duckdb.InterruptException:
        raise QueryError(Fault.LIMIT, f"takes longer than {limits.seconds:.3g} s") from None
    finally:
        done.set()
        clock.join()


@contextmanager
def _translate_errors(start: int) -> Iterator[None]:
    """Turns DuckDB's errors into those of a query that begins after so many bytes of the statement."""
    import duckdb

    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise _fault(error, start) from None


def _fault(error: duckdb.Error, start: int) -> QueryError:
    text = str(error)
    try:
        body: Node = json.loads(text[text.index("{") :])
        first, *notes = str(body["exception_message"]).split("\n")
    except (ValueError, KeyError):
        first, *notes = text.split("\n")
        body = {}
    place, length = body.get("position"), 1
    if str(body.get("location", "")).startswith("["):
        length = int(str(body["location"]).strip("[]").split(",")[-1]) or 1
    kind = Fault.REFUSED if body.get("exception_type") == "Permission" else Fault.FAILS
    position = None if place is None else int(place) - start
    hints = tuple(note for note in notes if note.strip() and "SET " not in note)
    first = first.split(" Use ")[0].rstrip(".!")
    if kind is Fault.REFUSED:
        first = f"reads something other than its tables: {first[0].lower()}{first[1:]}"
    return QueryError(kind, first, position if position is None or position >= 0 else None, length, hints)


def _refused_functions(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The functions whose values do not follow from the tables alone, as DuckDB lists them."""
    volatile = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE' "
        "OR (function_type LIKE '%macro' AND regexp_matches(macro_definition, 'duckdb_|current_|pragma_|sleep'))"
    ).fetchall()
    return {str(name) for (name,) in volatile} | set(_TELLING.split())


def _check(connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str], refused: set[str]) -> None:
    """Raises where the statement is not one SELECT over these tables."""
    with _translate_errors(0):
        statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(Fault.REFUSED, f"must be one SELECT, but it is {len(statements)} statements")
    try:
        (text,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone() or ("",)
        tree = json.loads(text)
        found = [node["node"] for node in tree.get("statements", ())]
    except RecursionError:
        raise QueryError(Fault.REFUSED, "is nested too deeply") from None
    if tree.get("error") or len(found) != 1:
        with _translate_errors(len("EXPLAIN ")):
            if statements[0].type.name == "SELECT":
                connection.execute("EXPLAIN " + sql)
        kind = statements[0].type.name
        what = "a PIVOT" if kind in ("SELECT", "MULTI") else f"a statement of kind {kind}"
        raise QueryError(Fault.REFUSED, f"must be one SELECT, but it is {what}", 0, len(sql.encode()))
    walk = _Walk(sql, {name.casefold() for name in tables}, refused)
    walk.look(found[0])
    with _translate_errors(len("EXPLAIN ")):
        connection.execute("EXPLAIN " + sql)
    if walk.unknown is not None:  # DuckDB knows it all the same: one of its own lists
        raise walk.unknown


class _Walk:
    """Goes through a parsed statement; the first thing that is refused is raised."""

    def __init__(self, sql: str, tables: set[str], refused: set[str]) -> None:
        self.sql, self.tables, self.refused = sql.encode(), tables, refused
        self.names: set[str] = set()  # of what `WITH` declares
        self.unknown: QueryError | None = None

    def look(self, root: Node) -> None:
        nodes = list(_nodes(root))
        for node in nodes:
            for entry in (node.get("cte_map") or {}).get("map", ()):
                self.names.add(str(entry.get("key", "")).casefold())
            if node.get("type") == "RECURSIVE_CTE_NODE":
                self.names.add(str(node.get("cte_name", "")).casefold())
        for node in nodes:
            self.look_at(node)

    def look_at(self, node: Node) -> None:
        kind = str(node.get("type", ""))
        if kind.endswith("_NODE") and "cte_map" in node and kind not in _NODES:
            raise self.fault(node, f"must be one SELECT, but has `{kind.split('_')[0]}` within")
        if kind.endswith("_QUERY_NODE"):
            raise self.fault(node, f"must be one SELECT, but has `{kind.split('_')[0]}` within")
        if "sample" in node and kind not in _REFERENCES | _NODES:
            raise self.fault(node, "describes tables: `DESCRIBE`, `SHOW` and `SUMMARIZE` do not select rows")
        if node.get("sample") is not None:
            raise self.fault(node, "draws rows at random: the same data must give the same rows")
        if kind == "TABLE_FUNCTION":
            self.look_at_function(node, node["function"], is_table=True)
        elif kind == "BASE_TABLE":
            self.look_at_table(node)
        elif kind == "VALUE_PARAMETER":
            raise self.fault(node, "has a parameter without a value")
        elif node.get("class") == "FUNCTION":
            self.look_at_function(node, node, is_table=False)
        elif kind == "COLUMN_REF" and len(node.get("column_names", ())) == 1:
            name = str(node["column_names"][0])
            if name.casefold() in _TELLING_NAMES:
                raise self.fault(node, f"uses `{name}`, whose value changes each time")

    def look_at_function(self, node: Node, function: Node, *, is_table: bool) -> None:
        name = str(function.get("function_name", "")).casefold()
        if is_table and name not in _ROW_FUNCTIONS:
            raise self.fault(node, f"takes rows from `{name}(…)`, which is not one of its tables")
        if not is_table and name in self.refused:
            raise self.fault(node, f"uses `{name}`, whose value does not follow from the tables alone")
        if name in _GROWING and not self.is_small(function):
            most = f"{_MOST_CHARACTERS:,}"
            raise self.fault(node, f"uses `{name}` with a length that is not a number up to {most}")
        if name == "age" and len(_arguments(function)) == 1:
            raise self.fault(node, "uses `age` with one argument, whose value changes each day")

    def is_small(self, function: Node) -> bool:
        """Whether the length that a function fills up to is a small number."""
        arguments = _arguments(function)
        length = dict(arguments[1].get("expression") or arguments[1]) if len(arguments) > 1 else {}
        written = str(dict(length.get("literal") or {}).get("text", ""))
        return written.isdigit() and int(written) <= _MOST_CHARACTERS

    def look_at_table(self, node: Node) -> None:
        name = str(node.get("table_name", ""))
        path = (node.get("qualified_name") or {}).get("path", [name])
        is_plain = not node.get("schema_name") and not node.get("catalog_name") and len(path) == 1
        known = self.tables | self.names
        if is_plain and name.casefold() in known:
            return
        shown = name if is_plain else ".".join(map(str, path if len(path) > 1 else [node.get("schema_name"), name]))
        fault = self.fault(node, f"reads `{shown}`, which is not one of its tables: {', '.join(sorted(self.tables))}")
        if not is_plain:
            raise fault
        self.unknown = self.unknown or fault

    def fault(self, node: Node, message: str) -> QueryError:
        place = node.get("query_location")
        if not isinstance(place, int) or place > len(self.sql):
            return QueryError(Fault.REFUSED, message)
        length = node.get("query_location_length")
        return QueryError(Fault.REFUSED, message, place, length if isinstance(length, int) and length > 0 else 1)


def _arguments(function: Node) -> list[Node]:
    found: list[Node] = function.get("arguments") or function.get("children") or []
    return found


def _nodes(root: object) -> Iterator[Node]:
    """Every mapping of a tree, without recursion."""
    waiting: list[object] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def count_characters(sql: str, offset: int) -> int:
    """How many characters so many bytes of a query are."""
    return len(sql.encode()[:offset].decode(errors="ignore"))
