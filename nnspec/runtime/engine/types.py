"""Typed tables by DuckDB: what their types mean as numbers, as words and as what sorts rows.

One rule for checks, training and a deployed model, whatever the table stands in:

    integers, floats, decimals      are numbers; NaN is missing
    booleans                        are numbers, 1 and 0; as words `true` and `false`
    text, enumerations, times, ids  are words; what `rules.csv.NULLS` lists is missing, as in a CSV file
    dates and timestamps            are words in ISO 8601, with a zone in UTC, and sort by time
    lists, structs, blobs, …        cannot be read

Every NULL is missing. DuckDB is imported as a table is opened; nothing here needs numpy but `read_columns`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.runtime.rules.csv import NULLS

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

_CONFIG = {  # nothing is fetched, and no variable of Python is a table
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
    # The statistics in a Parquet file leave NaN out, and DuckDB concludes from them that there is none.
    # Of a list of more than a few words it makes a join, whose threads give rows in no order.
    "disabled_optimizers": "statistics_propagation,in_clause",
}
_INTEGERS = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"))
_WIDE = frozenset(("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"))
_REALS = re.compile(r"FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)")
_WORDS = re.compile(r"VARCHAR|UUID|JSON|TIME|TIME_NS|TIME WITH TIME ZONE|ENUM\(.*\)", re.DOTALL)
_MOMENTS = frozenset(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"))
_AT_ONCE = 1 << 16  # rows of a result
Record = tuple[Any, ...]  # a row of a result, in Python's own types
_GLOB = re.compile(r"[*?\[]")


class EngineError(ValueError):
    """A table cannot be read; the message completes `FILE cannot be used: …`."""


class Kind(Enum):
    """What a column holds, whatever its width."""

    BOOLEAN = "booleans"
    INTEGER = "integers"
    REAL = "numbers"
    TEXT = "text"
    DATE = "dates"
    MOMENT = "timestamps"
    ZONED = "timestamps with a zone"
    NOTHING = "nothing"
    OTHER = "something else"

    @property
    def is_number(self) -> bool:
        return self in (Kind.BOOLEAN, Kind.INTEGER, Kind.REAL, Kind.NOTHING)

    @property
    def is_time(self) -> bool:
        return self in (Kind.DATE, Kind.MOMENT, Kind.ZONED)


class Wanted(Enum):
    """What a column's values are wanted as."""

    NUMBER = "number"
    WORD = "word"
    ORDER = "order"


def kind_of(type_name: str) -> Kind:
    """The kind of a type by DuckDB's name of it."""
    if type_name == "BOOLEAN":
        return Kind.BOOLEAN
    if type_name in _INTEGERS or type_name in _WIDE:
        return Kind.INTEGER
    if _REALS.fullmatch(type_name):
        return Kind.REAL
    if _WORDS.fullmatch(type_name):
        return Kind.TEXT
    if type_name == "DATE":
        return Kind.DATE
    if type_name in _MOMENTS:
        return Kind.MOMENT
    if type_name.startswith("TIMESTAMP") and type_name.endswith(("WITH TIME ZONE", "TZ")):
        return Kind.ZONED
    return Kind.NOTHING if type_name.strip('"') == "NULL" else Kind.OTHER


@dataclass(frozen=True, eq=False)
class Table:
    """A table that is open.

    Attributes:
        connection: of DuckDB.
        origin: what stands after FROM.
        types: DuckDB's name of each column's type, by the column's name, in order.
        row: the number of a row, from 0.
        twins: of columns that a query calls alike, what the second is called here, by name.
    """

    connection: duckdb.DuckDBPyConnection
    origin: str
    types: Mapping[str, str]
    row: str = "rowid"
    twins: Mapping[str, str] = field(default_factory=dict)

    def rows(self, sql: str) -> list[Record]:
        """The result of a statement.

        Raises:
            EngineError: where it fails.
        """
        import duckdb

        try:
            found: list[Record] = self.connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise EngineError(first_sentence(error)) from None
        return found

    def stream(self, sql: str) -> Iterator[Record]:
        """The rows of a result, some at a time.

        Raises:
            EngineError: where it fails.
        """
        import duckdb

        try:
            result = self.connection.execute(sql)
            while rows := result.fetchmany(_AT_ONCE):
                yield from rows
        except duckdb.Error as error:
            raise EngineError(first_sentence(error)) from None


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own, in memory.

    Raises:
        EngineError: where DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise EngineError("reading it needs DuckDB, which is not installed: `pip install duckdb`") from None
    return duckdb.connect(":memory:", config=_CONFIG)


def open_origin(connection: duckdb.DuckDBPyConnection, origin: str, row: str = "rowid") -> Table:
    """The table that stands after FROM.

    Raises:
        EngineError: where there is none, or it is damaged.
    """
    found = Table(connection, origin, {}).rows(f"DESCRIBE SELECT * FROM {origin}")
    return Table(connection, origin, {str(column[0]): str(column[1]) for column in found}, row)


def open_parquet(file: Path, connection: duckdb.DuckDBPyConnection | None = None) -> Table:
    """A Parquet file; no file but this one, whatever its name.

    Raises:
        EngineError: where it is none, or DuckDB is not installed.
    """
    literal = _GLOB.sub(lambda sign: f"[{sign[0]}]", str(file.absolute()))
    origin = f"read_parquet({quote_text(literal)}, hive_partitioning=false)"
    try:
        return open_origin(connection or connect(), origin, "file_row_number")
    except EngineError as error:
        if re.search("magic bytes|too small to be", str(error), re.IGNORECASE):  # whose messages have the whole path
            raise EngineError("it is not a whole Parquet file: write or copy it again") from None
        raise


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def first_sentence(error: BaseException) -> str:
    """The first line of DuckDB's message, without the kind of error before it."""
    line = str(error).split("\n")[0]
    return re.sub(r"^[A-Z][A-Za-z/\- ]* Error: ", "", line)


def number_sql(name: str, type_name: str) -> str:
    """A column as numbers: BIGINT, UBIGINT or DOUBLE; NULL where there is none."""
    column, kind = quote_name(name), kind_of(type_name)
    if kind is Kind.BOOLEAN or type_name in _INTEGERS:
        return f"CAST({column} AS BIGINT)"
    if type_name == "UBIGINT":
        return column
    value = f"CAST({column} AS DOUBLE)"
    return value if kind is Kind.INTEGER else f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END"


def word_sql(name: str, type_name: str) -> str:
    """A column as words; NULL where there is none."""
    column, kind = quote_name(name), kind_of(type_name)
    if kind is Kind.REAL:
        return f"CAST({number_sql(name, type_name)} AS VARCHAR)"
    if kind.is_time:  # without `infinity`
        moment = f"make_timestamp(epoch_us({column}))" if kind is Kind.ZONED else column
        word = f"CAST({moment} AS VARCHAR)" + (" || '+00:00'" if kind is Kind.ZONED else "")
        return f"CASE WHEN isfinite({column}) THEN {word} END"
    if kind is not Kind.TEXT:
        return f"CAST({column} AS VARCHAR)"
    word = column if type_name == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    return f"CASE WHEN trim({word}, E' \\t') IN ({', '.join(map(quote_text, NULLS))}) THEN NULL ELSE {word} END"


def order_sql(name: str, type_name: str) -> str:
    """A column as what sorts rows: numbers, microseconds of moments in UTC, or words."""
    kind = kind_of(type_name)
    if kind.is_number:
        return number_sql(name, type_name)
    return f"epoch_us({quote_name(name)})" if kind.is_time else word_sql(name, type_name)


_SQL = {Wanted.NUMBER: number_sql, Wanted.WORD: word_sql, Wanted.ORDER: order_sql}


def read_columns(
    table: Table, wanted: Sequence[tuple[str, Wanted]], rows: range | None = None
) -> list[tuple[np.ndarray, NDArray[np.bool_]]]:
    """Columns in the order of the file's rows: values, and where there is none. Axes `row`.

    Numbers are int64 (or uint64) where none is missing, else float64 with NaN; words are objects, empty where one is
    missing; moments that sort rows are datetime64.

    Args:
        rows: those that are read, from 0; then what a table has in four bytes comes as float32.

    Raises:
        EngineError: where they cannot be read.
    """
    import duckdb
    import numpy as np

    parts = []
    for index, (name, how) in enumerate(wanted):
        sql = _SQL[how](name, table.types[name])
        kind = kind_of(table.types[name])
        if how is not Wanted.WORD and kind is Kind.REAL:
            width = "FLOAT" if rows is not None and table.types[name] == "FLOAT" else "DOUBLE"
            parts.append(f"coalesce(CAST({quote_name(name)} AS {width}), 'nan') AS v{index}")
            continue
        is_word = how is Wanted.WORD or (how is Wanted.ORDER and kind is Kind.TEXT)
        parts.append(f"coalesce({sql}, {quote_text('') if is_word else 0}) AS v{index}, ({sql}) IS NULL AS m{index}")
    within = "" if rows is None else f" WHERE {table.row} BETWEEN {rows.start} AND {rows.stop - 1}"
    try:
        found = table.connection.execute(f"SELECT {', '.join(parts)} FROM {table.origin}{within}").fetchnumpy()
    except duckdb.Error as error:
        raise EngineError(first_sentence(error)) from None
    columns = []
    for index, (name, how) in enumerate(wanted):
        values = np.asarray(found[f"v{index}"])
        missing = np.asarray(found[f"m{index}"], dtype=bool) if f"m{index}" in found else np.isnan(values)
        if how is Wanted.ORDER and kind_of(table.types[name]).is_time:
            values = values.astype("datetime64[us]")
        elif values.dtype.kind in "iuf" and missing.any():
            values = np.where(missing, np.nan, values)
        columns.append((values, missing))
    return columns


def why_unreadable(type_name: str) -> str | None:
    """Why no column of this type can be read; None where one can."""
    if kind_of(type_name) is not Kind.OTHER:
        return None
    shown = type_name if len(type_name) < 80 else f"{type_name[:77]}…"
    advice = ": read it by `array`, of different lengths with `lengths: auto`" if type_name.endswith("]") else ""
    return f"has type {shown}, which is not a number, date or text{advice}"
