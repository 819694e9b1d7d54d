"""Writes predictions: JSON lines, .csv, .json or .npz. Uses only the standard library and numpy."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Array, Metadata
from nnspec.runtime.samples import (
    Batch,
    blank_samples,
    concatenate_outputs,
    count_samples,
    output_batch,
    strange_samples,
)
from nnspec.runtime.whole_files import whole_file

Record = dict[str, object]  # of a sample, flat


def write_predictions(
    outputs: Mapping[str, Array],
    metadata: Metadata,
    path: str | os.PathLike[str] | None = None,
    stream: IO[str] | None = None,
) -> None:
    """Writes what a model returned, as `write_batches`."""
    write_batches([Batch(outputs, {})], metadata, path, stream)


def write_batches(
    batches: Iterable[Batch],
    metadata: Metadata,
    path: str | os.PathLike[str] | None = None,
    stream: IO[str] | None = None,
) -> None:
    """Writes batches of what a model returned, by the suffix of `path`; JSON lines on standard output (or `stream`)
    without one.

    .csv and .jsonl hold a row a sample: the columns that tell samples apart, then `forecast`, or `digit` and
    `digit_p_3`, …; .json and .npz hold the arrays by output name. A file is written beside and renamed, so it is never
    half there. Of a sample without a prediction cells are empty, null, and NaN in .npz.

    Raises:
        InputError: where the suffix is none of these.
        OSError: where the file cannot be written.
    """
    if path is None:
        _write_lines(rows_of(batches, metadata), stream or sys.stdout)
        return
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".json", ".jsonl", ".npz"):
        raise InputError(f"`{file.name}` has no supported extension; supported: .csv, .json, .jsonl, .npz")
    with whole_file(file) as beside:
        if suffix == ".npz":
            with zipfile.ZipFile(beside, "w") as archive:
                for name, array in _whole(batches, metadata)[0].items():
                    with archive.open(f"{name}.npy", "w") as member:
                        np.lib.format.write_array(member, _plain(array), allow_pickle=False)
        else:
            with beside.open("w", encoding="utf-8", newline="") as text:
                if suffix == ".csv":
                    _write_table(rows_of(batches, metadata), text)
                elif suffix == ".jsonl":
                    _write_lines(rows_of(batches, metadata), text)
                else:
                    arrays, gone = _whole(batches, metadata)
                    json.dump({name: _nested(name, array, metadata, gone) for name, array in arrays.items()}, text)
                    text.write("\n")


def rows_of(batches: Iterable[Batch], metadata: Metadata) -> Iterator[Record]:
    """The records of batches, one a sample, as `records`."""
    for outputs, keys, gone in batches:
        yield from records(outputs, metadata, keys, gone)


def _whole(batches: Iterable[Batch], metadata: Metadata) -> tuple[dict[str, Array], NDArray[np.bool_]]:
    """All outputs at once, and which samples have no prediction."""
    parts: list[Mapping[str, Array]] = []
    incomplete: list[NDArray[np.bool_]] = []
    for outputs, _, gone in batches:
        parts.append(outputs)
        incomplete.append(np.zeros(count_samples(outputs, metadata), bool) if gone is None else gone)
    arrays = concatenate_outputs(parts, metadata)
    which = np.concatenate(incomplete)
    which[strange_samples(arrays, metadata)] = True
    return blank_samples(arrays, which, metadata), which


def _nested(name: str, array: Array, metadata: Metadata, gone: NDArray[np.bool_]) -> list[object]:
    if gone.any():
        moved = np.moveaxis(array, output_batch(name, metadata), 0).astype(object)
        moved[gone] = None
        array = np.moveaxis(moved, 0, output_batch(name, metadata))
    nested: list[object] = array.tolist()
    return nested


def _write_table(rows: Iterator[Record], stream: IO[str]) -> None:
    first = next(rows, {})
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(first)
    writer.writerow(first.values())
    writer.writerows(record.values() for record in rows)  # all have the same columns in one order


def _plain(array: Array) -> Array:
    return array.astype(str) if array.dtype.kind == "O" else array


def _write_lines(rows: Iterable[Record], stream: IO[str]) -> None:
    for record in rows:
        stream.write(json.dumps(record) + "\n")


def records(
    outputs: Mapping[str, Array],
    metadata: Metadata,
    keys: Mapping[str, Sequence[str]] | None = None,
    incomplete: NDArray[np.bool_] | None = None,
) -> Iterator[Record]:
    """One flat record a sample. A classification gives its label and each class's probability.

    Args:
        keys: columns that tell the samples apart; one that is called as an output's column is left out.
        incomplete: samples whose predictions are None, as are those of which the model gives NaN or infinity.

    Raises:
        InputError: where a column that is to be kept is called as an output's.
    """
    columns: dict[str, Sequence[object]] = {}
    for name, array in outputs.items():
        columns |= _columns(name, array, metadata["outputs"].get(name, {}))
    gone = {i for values in columns.values() if _has_strange(values) for i, v in enumerate(values) if _is_strange(v)}
    gone |= set() if incomplete is None else set(np.flatnonzero(incomplete).tolist())
    if gone:
        columns = {name: [None if i in gone else v for i, v in enumerate(values)] for name, values in columns.items()}
    taken = next((name for name in metadata.get("keep") or () if name in columns), None)
    if taken is not None:
        raise InputError(f"column `{taken}` has the name of a prediction: rename it in the file to keep it")
    columns = {**{name: cells for name, cells in (keys or {}).items() if name not in columns}, **columns}
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _has_strange(values: Sequence[object]) -> bool:
    """Whether one is no number; of a column of floats, as most are, in a fraction of the time."""
    try:
        return not all(map(math.isfinite, values))  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        return any(map(_is_strange, values))


def _is_strange(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _columns(name: str, array: Array, body: Metadata) -> dict[str, list[object]]:
    axes = [axis for axis, _ in body.get("axes") or []]
    if len(axes) != array.ndim:
        axes = [BATCH, *(f"axis_{i}" for i in range(1, array.ndim))]
    if BATCH in axes:
        array = np.moveaxis(array, axes.index(BATCH), 0)
        axes = [BATCH, *(axis for axis in axes if axis != BATCH)]
    elif array.ndim == 0 or axes:
        array, axes = array[None], [BATCH, *axes]
    if "level" in axes and body.get("levels"):
        array = np.moveaxis(array, axes.index("level"), -1)
        axes = [*(axis for axis in axes if axis != "level"), "level"]
    task, classes = body.get("task"), body.get("classes")
    is_score = array.dtype.kind == "f"
    if task == "classification" and classes and is_score:
        place = _class_axis(array, axes, body, len(classes))
        if place is not None:
            scores = np.moveaxis(array, place, -1)
            return _class_columns(name, scores, classes, _endings(scores.shape[1:-1], body))
    flat = array.reshape(len(array), -1)
    if task == "binary" and is_score:
        found: dict[str, list[object]] = {}
        labels, threshold = classes or [0, 1], body.get("threshold", 0.5)
        for i, end in enumerate(_endings(array.shape[1:], body)):
            found[name + end] = [labels[int(p > threshold)] for p in flat[:, i]]
            found[f"{name}{end}_p"] = flat[:, i].tolist()
        return found
    if body.get("levels") and axes[-1:] == ["level"]:
        return _level_columns(name, array, body)
    endings = _element_names(array.shape[1:], body)
    return {name + end: flat[:, i].tolist() for i, end in enumerate(endings)}


def _level_columns(name: str, array: Array, body: Metadata) -> dict[str, list[object]]:
    """From axes `sample … level`: for each element its levels, `forecast_q0.1` and so on."""
    flat = array.reshape(len(array), -1, array.shape[-1])
    endings = _element_names(array.shape[1:-1], body)
    return {
        f"{name}{end}_q{level:g}": flat[:, i, k].tolist()
        for i, end in enumerate(endings)
        for k, level in enumerate(body["levels"])
    }


def _class_axis(array: Array, axes: list[str], body: Metadata, count: int) -> int | None:
    wanted = body.get("class_axis") or "class"
    if wanted in axes and array.shape[axes.index(wanted)] == count:
        return axes.index(wanted)
    return array.ndim - 1 if array.ndim > 1 and array.shape[-1] == count else None


def _class_columns(name: str, scores: Array, classes: list[object], endings: Sequence[str]) -> dict[str, list[object]]:
    """From axes `sample … class`: for each element its best class, then every class's probability."""
    found: dict[str, list[object]] = {}
    flat = scores.reshape(len(scores), -1, len(classes))
    for i, end in enumerate(endings):
        found[name + end] = [classes[k] for k in flat[:, i].argmax(axis=-1)]
        for k, label in enumerate(classes):
            found[f"{name}{end}_p_{label}"] = flat[:, i, k].tolist()
    return found


def _element_names(shape: tuple[int, ...], body: Metadata) -> list[str]:
    """What tells elements apart: the columns that they are, else as `_endings`."""
    called = body.get("columns") or (body.get("classes") if body.get("task") == "multilabel" else None) or []
    return [f"_{c}" for c in called] if len(called) == math.prod(shape) > 1 else _endings(shape, body)


def _endings(shape: tuple[int, ...], body: Metadata) -> list[str]:
    """What tells elements apart: nothing for one, `+1`, `_wind+2`, … for rows ahead, else `_0`, `_1_2`, …."""
    count = math.prod(shape)
    if count == 1:
        return [""]
    called: list[str] = body.get("elements") or []
    return called if len(called) == count else ["_" + "_".join(map(str, index)) for index in np.ndindex(*shape)]
