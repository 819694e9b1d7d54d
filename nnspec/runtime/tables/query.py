"""The query of training over new tables: what a deployed model reads where `--tables` are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from nnspec.runtime.engine.arrow import open_arrow
from nnspec.runtime.engine.filling import fill_from_tables
from nnspec.runtime.engine.query import Fill, QueryError, run_query
from nnspec.runtime.engine.types import EngineError, open_parquet, quote_name
from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.ports import Metadata
from nnspec.runtime.rules.csv import CellError, CsvError, Number, NumberColumn, is_missing, read_chunks, read_header
from nnspec.runtime.rules.csv_dialect import Dialect
from nnspec.runtime.rules.json import JsonError, JsonNumbers, is_nested, names_of, read_records, values_of, word_of
from nnspec.runtime.rules.markers import Markers
from nnspec.runtime.rules.partitions import find_files, partition_of
from nnspec.runtime.tables.pieces import TableRows
from nnspec.runtime.tables.sqlite import SUFFIXES as SQLITE
from nnspec.runtime.tables.sqlite import cells_of_sqlite
from nnspec.runtime.tables.typed import rows_of_typed
from nnspec.runtime.tables.typed_markers import with_markers

if TYPE_CHECKING:
    import duckdb

_Typed: TypeAlias = tuple[str, Sequence[Number | str | None]]  # a column: its type in SQL, and its values

SOURCE = "source"  # what a query calls the section's source
_OPENERS = {".parquet": open_parquet, ".arrow": open_arrow, ".feather": open_arrow, ".ipc": open_arrow}
_TEXT = (".csv", ".tsv", ".gz")
_JSON = (".json", ".jsonl", ".ndjson")


def read_query(file: Path, tables: Mapping[str, Path], wanted: Mapping[str, Metadata], metadata: Metadata) -> TableRows:
    """The rows of the query of a model's training, over new tables.

    Args:
        file: the table `source` of the query; if it has none, whichever is not among `tables`.
        tables: the others, by name.

    Raises:
        InputError: where a table is missing, cannot be read, or the query fails on them.
    """
    query = metadata.get("query")
    if not query:
        raise InputError("the model was trained without a query: it reads no further tables")
    named = query["tables"]
    first = SOURCE if SOURCE in named else next((name for name in named if name not in tables), "")
    files = {first: file, **tables}
    strange = [name for name in files if name not in named]
    if strange:
        raise InputError(f"the query reads no table {quote_names(strange)}; it reads {quote_names(list(named))}")
    absent = [name for name in named if name not in files]
    if absent:
        raise InputError(f"the query reads table {quote_names(absent)} too: give it with `--tables {absent[0]}=FILE`")
    for path in files.values():
        if not path.exists():
            raise InputError(f"there is no file `{path}`")
    fills: dict[str, Fill] = {
        name: partial(_fill, path, dict(named[name].get("options") or {})) for name, path in files.items()
    }
    try:
        table = run_query(query["text"], fills)
        return rows_of_typed(file, table, wanted, metadata, {}, "the query of the model cannot be run: {1}")
    except QueryError as error:
        notes = "".join(f"; {note}" for note in error.notes)
        raise InputError(f"the query of the model cannot be run on these tables: {error}{notes}") from None
    except EngineError as error:
        raise InputError(f"the query of the model cannot be run: {error}") from None


def _fill(path: Path, options: Metadata, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    files = [path]
    if path.is_dir():
        files = next((found for suffix in _OPENERS if (found := find_files(path, suffix))), [])
    suffix = files[0].suffix.lower() if files else ""
    try:
        if suffix in _OPENERS:
            markers = Markers.from_options(options)
            tables = [(file, with_markers(_OPENERS[suffix](file, connection), markers)) for file in files]
            parts = [(table, partition_of(file.absolute().parent.parts, table.types)) for file, table in tables]
            fill_from_tables(connection, name, parts)
        elif suffix in _TEXT:
            fill_from_csv(connection, name, path, Dialect.from_options(options))
        elif suffix in _JSON:
            fill_from_json(connection, name, path, Markers.from_options(options))
        elif suffix in SQLITE:
            table = options.get("table")
            cells = cells_of_sqlite(path, None if table is None else str(table), Markers.from_options(options))
            _fill_from_columns(connection, name, list(cells), [_typed_values(column) for column in cells.values()])
        else:
            can_be = "a .csv, .json, .jsonl, .parquet, .arrow or .sqlite file, or a folder of Parquet or Arrow files"
            raise InputError(f"table `{name}` can be {can_be}, not `{path.name}`")
    except (EngineError, CsvError, JsonError) as error:
        raise InputError(f"`{path.name}` cannot be read: {error}") from None


def fill_from_csv(connection: duckdb.DuckDBPyConnection, name: str, path: Path, dialect: Dialect) -> None:
    """Makes the table `name` of a CSV file: columns of numbers where all cells are, else words.

    Raises:
        CsvError: where it is none.
    """
    header = read_header(path, dialect)
    columns: list[list[str]] = [[] for _ in header]
    for rows in read_chunks(path, header, dialect=dialect):
        for cells, found in zip(columns, zip(*rows, strict=True), strict=True):
            cells += found
    _fill_from_columns(connection, name, header, [_typed(cells, dialect) for cells in columns])


def fill_from_json(connection: duckdb.DuckDBPyConnection, name: str, path: Path, markers: Markers) -> None:
    """Makes the table `name` of a JSON file: columns of numbers where all values are, else words; lists are left out.

    Raises:
        JsonError: where it is none.
    """
    records = list(read_records(path))
    header = list(dict.fromkeys(key for record in records for key in names_of(record)))
    titles, typed = [], []
    for title in header:
        values = values_of(records, title, markers.of(title))
        if not any(map(is_nested, values)):
            titles.append(title)
            typed.append(_typed_values(values))
    _fill_from_columns(connection, name, titles, typed)


def _fill_from_columns(
    connection: duckdb.DuckDBPyConnection, name: str, header: Sequence[str], typed: Sequence[_Typed]
) -> None:
    declared = ", ".join(f"{quote_name(title)} {kind}" for title, (kind, _) in zip(header, typed, strict=True))
    connection.execute(f"CREATE TABLE {quote_name(name)} ({declared})")
    values = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind, _ in typed)
    connection.execute(f"INSERT INTO {quote_name(name)} SELECT {values}", [cells for _, cells in typed])


def _typed(cells: Sequence[str], dialect: Dialect) -> _Typed:
    try:
        return _of_numbers(NumberColumn(dialect).read(cells))
    except CellError:
        return "VARCHAR", [None if is_missing(cell) else cell for cell in cells]


def _typed_values(values: Sequence[object]) -> _Typed:
    try:
        return _of_numbers(JsonNumbers().read(values))
    except CellError:
        return "VARCHAR", [word_of(value) or None for value in values]


def _of_numbers(numbers: Sequence[Number | None]) -> _Typed:
    return "BIGINT" if all(number is None or type(number) is int for number in numbers) else "DOUBLE", numbers
