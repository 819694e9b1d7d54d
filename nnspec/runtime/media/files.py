"""Files that are a sample each, as a deployed model reads them: a file, those of a folder, or those of a table.

An input that takes such files says so in its metadata: `files: {kind: images, …}`, with the `column` that named them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError, quote_names
from nnspec.runtime.media import audio, images
from nnspec.runtime.media.arrays import only_input
from nnspec.runtime.ports import BATCH, Array, Metadata
from nnspec.runtime.rules import audio as audio_rules
from nnspec.runtime.rules import images as image_rules
from nnspec.runtime.rules import texts as text_files
from nnspec.runtime.rules.folders import list_folder, stem_of
from nnspec.runtime.rules.texts import read_text
from nnspec.runtime.samples import Samples, samples_of_arrays

Decode = Callable[
    [Path, Metadata], "Array | str"
]  # a file's values, axes those of the input without batch, or its text

_DECODERS: dict[str, Decode] = {
    "images": images.decode_for,
    "audio": audio.decode_for,
    "text": lambda file, body: read_text(file, str(body["files"].get("encoding", "utf-8"))),
}
_SUFFIXES = {"images": image_rules.SUFFIXES, "audio": audio_rules.SUFFIXES, "text": text_files.SUFFIXES}
_REFUSED = {
    "images": image_rules.OTHER_SUFFIXES,
    "audio": audio_rules.OTHER_SUFFIXES,
    "text": text_files.OTHER_SUFFIXES,
}


def takes_files(body: Metadata) -> bool:
    """Whether an input's data are files, which a table names by their paths."""
    return bool(body.get("files"))


def columns_of(name: str, body: Metadata) -> list[str]:
    """The columns of a table that an input takes; of files without one, the column that is called as the input."""
    if takes_files(body):
        return [str(body["files"].get("column") or name)]
    return [str(column) for column in body.get("columns") or ()]


def is_read_as_words(body: Metadata) -> bool:
    return body.get("dtype") == "string" or body.get("encoding") == "date" or takes_files(body)


def read_file(file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> Samples:
    """One file as one sample."""
    name = _only_files(file, wanted)
    return _samples(name, wanted[name], [file], [str(file)])


def read_folder(folder: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> Samples:
    """Every file of a folder, and of those within it, as a sample; in the order of their names.

    Where several inputs take files, each has a subfolder, called as the input or as its folder in training; files of
    the same name, whatever their suffix, are a sample.
    """
    folders = _folders_of(folder, wanted)
    if not folders:
        name = _only_files(folder, wanted)
        files = _list(folder, wanted[name])
        return _samples(name, wanted[name], [folder / file for file in files], files)
    found = {name: {stem_of(file): file for file in _list(own, wanted[name])} for name, own in folders.items()}
    first, stems = next(iter(found)), list(next(iter(found.values())))
    for name, by_stem in found.items():
        alone = next((stem for stem in stems if stem not in by_stem), None)
        if alone is not None:
            raise InputError(f"folder `{folders[name]}` has no file for `{found[first][alone]}`")
    shown = {name: [by_stem[stem] for stem in stems] for name, by_stem in found.items()}

    def take(part: slice) -> dict[str, Array]:
        return {
            name: decode_files([folders[name] / file for file in files[part]], files[part], wanted[name])
            for name, files in shown.items()
        }

    return Samples(len(stems), take, keys={"file": shown[first]})


def _folders_of(folder: Path, wanted: Mapping[str, Metadata]) -> dict[str, Path]:
    """The subfolder of each input; none where there is one input, or not all have one."""
    if len(wanted) < 2 or not all(map(takes_files, wanted.values())):
        return {}
    found = {}
    for name, body in wanted.items():
        called = (name, body["files"].get("column"), body["files"].get("folder"))
        own = next((folder / each for each in called if each and (folder / str(each)).is_dir()), None)
        if own is None:
            return {}
        found[name] = own
    return found


def _list(folder: Path, body: Metadata) -> list[str]:
    """The files of a folder that an input can take.

    Raises:
        InputError: where there is none, or one of a kind that is not supported.
    """
    kind = str(body["files"]["kind"])
    suffixes = _SUFFIXES.get(kind, ())
    try:
        listing = list_folder(folder, suffixes)
    except OSError as error:
        raise InputError(f"folder `{folder}` cannot be read: {error.strerror}") from None
    strange = [name for name in listing.others if os.path.splitext(name)[1].lower() in _REFUSED.get(kind, ())]
    if strange:
        raise InputError(f"`{folder.name}/{strange[0]}` has no supported extension; supported: {', '.join(suffixes)}")
    if not listing.files:
        raise InputError(f"folder `{folder}` has no files that end in {', '.join(suffixes)}")
    return listing.files


def _only_files(file: Path, wanted: Mapping[str, Metadata]) -> str:
    """The model's only input, which takes files.

    Raises:
        InputError: where it takes something else.
    """
    if len(wanted) > 1 and any(takes_files(body) for body in wanted.values()):
        columns = [f"`{column}`" for name, body in wanted.items() for column in columns_of(name, body)]
        folders = " and ".join(
            f"`{body['files'].get('folder') or name}`" for name, body in wanted.items() if takes_files(body)
        )
        also = f", or a folder with the subfolders {folders}" if all(map(takes_files, wanted.values())) else ""
        raise InputError(
            f"`{file.name}` is not enough: the model takes a table with the columns {', '.join(columns)}{also}"
        )
    name = only_input(file, wanted)
    if not takes_files(wanted[name]):
        kind = "a folder" if file.is_dir() else f"a {file.suffix} file"
        raise InputError(f"`{file.name}` is {kind}, but the model was not trained on files")
    return name


def _samples(name: str, body: Metadata, files: Sequence[Path], shown: Sequence[str]) -> Samples:
    keys = {"file": list(shown)}
    return Samples(len(files), lambda part: {name: decode_files(files[part], shown[part], body)}, keys=keys)


def samples_with_files(archive: Path, arrays: Mapping[str, Array], metadata: Metadata) -> Samples:
    """Arrays that hold all samples; those of paths are decoded as they are asked for.

    Raises:
        InputError: where a path is none, or there are not as many as samples.
    """
    named = {
        name: array.astype(str).tolist()
        for name, array in arrays.items()
        if array.dtype.kind in "US" and array.ndim == 1 and takes_files(metadata["inputs"][name])
    }
    rest = samples_of_arrays({name: array for name, array in arrays.items() if name not in named}, metadata)
    if not named:
        return rest
    counts = {len(cells) for cells in named.values()} | ({rest.count} if len(named) < len(arrays) else set())
    if len(counts) > 1:
        raise InputError(
            f"the arrays of `{archive.name}` have different numbers of samples: {quote_names(sorted(map(str, counts)))}"
        )
    files = {name: locate(archive, cells, range(1, len(cells) + 1)) for name, cells in named.items()}

    def take(part: slice) -> dict[str, Array]:
        decoded = {
            name: decode_files(files[name][part], cells[part], metadata["inputs"][name])
            for name, cells in named.items()
        }
        return {**rest.take(part), **decoded}

    return Samples(counts.pop(), take, keys={"file": next(iter(named.values()))})


def decode_files(files: Sequence[Path], shown: Sequence[str], body: Metadata) -> Array:
    """An input's values from files, with its axes and dtype.

    Args:
        shown: how messages name the files.

    Raises:
        InputError: where one cannot be read.
    """
    decode = _DECODERS[str(body["files"]["kind"])]
    values = []
    for file, name in zip(files, shown, strict=True):
        try:
            values.append(decode(file, body))
        except ImportError as error:
            raise InputError(f"`{name}` cannot be read: {error}") from None
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise InputError(f"`{name}` cannot be read: {reason}") from None
    names = [axis for axis, _ in body["axes"]]
    place = names.index(BATCH) if BATCH in names else 0
    dtype = str(body.get("dtype") or "float32")
    if dtype == "string":
        shape = [len(values) if axis == BATCH else 1 for axis in names]
        return np.array(values, dtype=object).reshape(shape)
    stacked = _stack_files([np.asarray(value) for value in values], float(body["files"].get("fill", 0)))
    return np.ascontiguousarray(np.moveaxis(stacked, 0, place)).astype(dtype, copy=False)


def _stack_files(values: Sequence[Array], fill: float) -> Array:
    """Files' values side by side; shorter ones, along an open axis, are filled up at their end."""
    sizes = [max(sizes) for sizes in zip(*(value.shape for value in values), strict=True)]
    if any(list(value.shape) != sizes for value in values):
        values = [
            np.pad(v, [(0, size - own) for size, own in zip(sizes, v.shape, strict=True)], constant_values=fill)
            for v in values
        ]
    return np.stack(values)


def locate(table: Path, cells: Sequence[str], rows: Sequence[int]) -> list[Path]:
    """The files that a table names, relative to its folder.

    Args:
        rows: the number of each cell's row, from 1.

    Raises:
        InputError: where one is neither below the table's folder nor below the working folder.
    """
    roots = [folder.resolve() for folder in (table.parent, Path.cwd())]
    found = []
    for cell, row in zip(cells, rows, strict=True):
        place = f"`{cell}` (row {row} of `{table.name}`)"
        try:
            path = (table.parent / cell).resolve()
        except (OSError, ValueError, RuntimeError):
            raise InputError(f"{place} is not a file name") from None
        if not any(path.is_relative_to(root) for root in roots):
            raise InputError(f"{place} is outside the table's folder and the working folder")
        if not path.is_file():
            raise InputError(f"there is no file {place}")
        found.append(path)
    return found
