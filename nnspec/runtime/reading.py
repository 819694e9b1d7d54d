"""Reads data files for a deployed model with only the standard library and numpy.

A table's columns are matched by the names in the model's metadata; a model with a window gets every window of the
rows of a series. Files of other kinds are read by packages that are installed beside nnspec and name a
source under the entry point `nnspec.sources`.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.arrays import read_npy, read_npz
from nnspec.runtime.media.files import read_file, read_folder, samples_with_files, takes_files
from nnspec.runtime.media.sound import read_wav
from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.rules import audio as audio_rules
from nnspec.runtime.rules import texts as text_files
from nnspec.runtime.rules.images import SUFFIXES
from nnspec.runtime.samples import Parts, Samples, samples_of_arrays
from nnspec.runtime.tables.csv import read_csv
from nnspec.runtime.tables.folders import read_tables
from nnspec.runtime.tables.json_files import read_json, read_json_lines
from nnspec.runtime.tables.json_tables import with_arrays
from nnspec.runtime.tables.parts import RowReader, is_row_wise, whole_table
from nnspec.runtime.tables.pieces import TableRows
from nnspec.runtime.tables.query import read_query
from nnspec.runtime.tables.sqlite import SUFFIXES as DATABASES
from nnspec.runtime.tables.sqlite import read_sqlite
from nnspec.runtime.tables.typed import read_typed

Reader = Callable[[Path, Mapping[str, Metadata], Metadata], "dict[str, Array] | Samples | TableRows"]


def _read_sound(file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, Array] | Samples:
    """A clip, or the frames of a recording, as the model was trained on one or the other."""
    reader = read_file if any(map(takes_files, wanted.values())) else read_wav
    return reader(file, wanted, metadata)


_READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_typed,
    ".arrow": read_typed,
    ".feather": read_typed,
    ".ipc": read_typed,
    ".npy": read_npy,
    ".npz": read_npz,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    **dict.fromkeys((*SUFFIXES, *audio_rules.SUFFIXES, *text_files.SUFFIXES), read_file),
    ".wav": _read_sound,
    **dict.fromkeys(DATABASES, read_sqlite),
}


def read_inputs(path: str | os.PathLike[str], metadata: Metadata) -> dict[str, Array]:
    """The model's inputs from a file, all at once; else as `read_samples`."""
    return read_samples(path, metadata).inputs


def read_samples(path: str | os.PathLike[str], metadata: Metadata, tables: Mapping[str, Path] | None = None) -> Samples:
    """A model's samples from a file, by its suffix (`_READERS`); of a folder every file is a sample.

    The rows of a table are sorted by the column that sorted those of training, and no window joins two series. A table
    without these columns is taken in file order, as one series, and `notes` says so.

    Args:
        metadata: the `metadata` of a `nnspec.runtime.Predictor`; with `keep`, columns of a table that stand beside the
            predictions.
        tables: of a model that was trained on a query, its tables by name beside `source`, which is the file: the
            query runs over them. None: the rows of the file are those of the query's result.

    Returns:
        Of each sample the inputs but the states, axes as the model has them.

    Raises:
        InputError: where there is no such file, it is damaged, or it lacks what an input needs.
    """
    file = Path(path)
    with _translating(file):
        return _with_kept(file, _samples(file, _open(file, metadata, tables), metadata), metadata)


def read_parts(
    path: str | os.PathLike[str],
    metadata: Metadata,
    tables: Mapping[str, Path] | None = None,
    beside: Collection[str] = (),
) -> Parts:
    """The same samples, some at a time where a model reads each row of a table by itself: memory does not grow with it.

    Args:
        beside: inputs of the metadata that the model itself does not take.

    Raises:
        InputError: as `read_samples`; of what a later row holds where that is read.
    """
    file = Path(path)
    with _translating(file):
        found = _open(file, metadata, tables)
        if not isinstance(found, TableRows) or not is_row_wise(found, metadata):
            return Parts(iter([_with_kept(file, _samples(file, found, metadata), metadata)]))
    reader = RowReader(file, found, metadata, beside)

    def parts() -> Iterator[Samples]:
        with _translating(file):
            for part in reader.parts():
                yield _with_kept(file, part, metadata)

    return Parts(parts(), lambda: reader.closing)


def _open(file: Path, metadata: Metadata, tables: Mapping[str, Path] | None) -> dict[str, Array] | Samples | TableRows:
    states = metadata.get("states") or {}
    wanted = {name: body for name, body in metadata["inputs"].items() if name not in states}
    if tables is not None:
        return read_query(file, tables, wanted, metadata)
    is_table = file.is_dir() and not any(map(takes_files, wanted.values()))
    reader: Reader | None = read_tables if is_table else read_folder if file.is_dir() else None
    reader = reader or _READERS.get(_suffix(file)) or _installed_reader(file)
    if reader is None:
        raise InputError(f"`{file.name}` has no supported extension; supported: {', '.join(_READERS)}")
    if not file.exists():
        raise InputError(f"there is no file `{file}`")
    return reader(file, wanted, metadata)


def _samples(file: Path, found: dict[str, Array] | Samples | TableRows, metadata: Metadata) -> Samples:
    if isinstance(found, Samples):
        return found
    if isinstance(found, TableRows):
        if not found.wanted:
            return samples_of_arrays(found.arrays, metadata)
        return with_arrays(file, whole_table(file, found, metadata), found.arrays, metadata)
    return samples_with_files(file, found, metadata)


@contextmanager
def _translating(file: Path) -> Iterator[None]:
    """Says of a file what keeps it from being read."""
    try:
        yield
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"`{file.name}` cannot be read: {error or type(error).__name__}") from None


def _with_kept(file: Path, samples: Samples, metadata: Metadata) -> Samples:
    for name in metadata.get("keep") or ():
        if name not in samples.keys:
            raise InputError(f"`{file.name}` has no column `{name}` that could be kept next to the predictions")
    return samples


def _suffix(file: Path) -> str:
    """`.csv` of `a.csv.gz` too."""
    return Path(file.stem).suffix.lower() if file.suffix.lower() == ".gz" else file.suffix.lower()


def _installed_reader(file: Path) -> Reader | None:
    """What another package reads files of this suffix with, if one is installed.

    Raises:
        InputError: where such a package cannot be loaded.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group="nnspec.sources"):
        try:
            found = entry.load()
            source = found() if isinstance(found, type) else found
            if file.suffix.lower() in source.suffixes:
                return _guarded(source.read_inputs, entry.value)
        except Exception as error:  # whatever a package of somebody's own may do
            raise InputError(f"`{entry.value}`, a source of another package, cannot be used: {error!r}") from None
    return None


def _guarded(read: Reader, what: str) -> Reader:
    def reader(
        file: Path, wanted: Mapping[str, Metadata], metadata: Metadata
    ) -> dict[str, Array] | Samples | TableRows:
        try:
            return read(file, wanted, metadata)
        except InputError:
            raise
        except Exception as error:  # as above
            raise InputError(f"`{file.name}` cannot be read by `{what}`: {error!r}") from None

    return reader
