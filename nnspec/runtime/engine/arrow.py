"""Opens Arrow files: nanoarrow decodes them into a table of DuckDB."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.runtime.engine.types import EngineError, Table, connect, first_sentence, open_origin

if TYPE_CHECKING:
    import duckdb

_FILE, _FEATHER_1 = b"ARROW1\0\0", b"FEA1"
_NUMBERS = count()


def open_arrow(file: Path, connection: duckdb.DuckDBPyConnection | None = None) -> Table:
    """An Arrow file: a stream of record batches, with or without the footer of a file, compressed or not.

    Raises:
        EngineError: where it is none, or nanoarrow or DuckDB is not installed.
    """
    try:
        import nanoarrow
    except ImportError:
        raise EngineError("reading it needs nanoarrow, which is not installed: `pip install nanoarrow`") from None
    connection = connection or connect()
    name = f'"arrow {next(_NUMBERS)}"'
    with file.open("rb") as stream:
        start = stream.read(len(_FILE))
        if start.startswith(_FEATHER_1):
            raise EngineError("it is of the first version of Feather: write it as Arrow or Parquet")
        stream.seek(len(_FILE) if start == _FILE else 0)  # behind the mark of a file, a stream follows
        try:
            batches = nanoarrow.ArrayStream.from_readable(stream)
            coded = [field.name for field in batches.schema.fields if field.type == nanoarrow.Type.DICTIONARY]
            if coded:  # compressed ones would be decoded to other values, without a word
                raise EngineError(f"column `{coded[0]}` holds categories: write it as text, or the table as Parquet")
            connection.register("nnspec arrow", batches)
            connection.execute(f'CREATE TEMP TABLE {name} AS SELECT * FROM "nnspec arrow"')
        except EngineError:
            raise
        except Exception as error:  # nanoarrow's and DuckDB's have no common class
            raise EngineError(first_sentence(error)) from None
        finally:
            connection.unregister("nnspec arrow")
    return open_origin(connection, name)
