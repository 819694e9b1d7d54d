"""A table in several files of a folder, such as `sales/year=2024/part-0.parquet`, as training reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.ports import Metadata
from nnspec.runtime.rules.partitions import find_files
from nnspec.runtime.tables.csv import read_csv
from nnspec.runtime.tables.json_files import read_json_lines
from nnspec.runtime.tables.pieces import Piece, TableRows
from nnspec.runtime.tables.typed import read_typed

_READERS: dict[str, Callable[[Path, Mapping[str, Metadata], Metadata], TableRows]] = {
    ".parquet": read_typed,
    ".arrow": read_typed,
    ".feather": read_typed,
    ".ipc": read_typed,
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}


def read_tables(folder: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> TableRows:
    """The rows of all files of one kind below a folder, by their paths in order; one after the other.

    Raises:
        InputError: where there is none, they are of several kinds, or one is not what the model takes.
    """
    found = {suffix: files for suffix in _READERS if (files := find_files(folder, suffix))}
    if not found:
        raise InputError(f"folder `{folder.name}` has no table: no {', '.join(_READERS)} file")
    if len(found) > 1:
        raise InputError(
            f"folder `{folder.name}` has tables of several kinds, {quote_names(list(found))}: name one of them"
        )
    ((suffix, files),) = found.items()
    first = _READERS[suffix](files[0], wanted, metadata)
    if first.arrays:
        raise InputError(f"folder `{folder.name}` has arrays in its rows: give its files one by one")

    def pieces() -> Iterator[Piece]:
        yield from first.pieces
        yield from _rest(files[1:], suffix, wanted, metadata)

    return TableRows(pieces(), first.wanted)


def _rest(files: Sequence[Path], suffix: str, wanted: Mapping[str, Metadata], metadata: Metadata) -> Iterator[Piece]:
    for file in files:
        yield from _READERS[suffix](file, wanted, metadata).pieces
