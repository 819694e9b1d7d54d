"""Data files for a deployed model: standard library and numpy.

A table's columns are matched by the names in the model's metadata; a model with a window gets every window of the
table's rows, in file order.
"""

from __future__ import annotations

import csv
import json
import os
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime import BATCH, InputError

Array = NDArray[Any]
Metadata = Mapping[str, Any]
_FEATURES = ("feature", "channel", "column", "variable", "sensor")


def read_inputs(path: str | os.PathLike[str], metadata: Metadata) -> dict[str, Array]:
    """The model's inputs from a file, by its suffix: .csv, .parquet, .npy, .npz, .json or .wav.

    Args:
        metadata: the `metadata` of a `nnspec.runtime.Predictor`.

    Returns:
        An array for each input but the states, axes as the model has them.

    Raises:
        InputError: where there is no such file, it is damaged, or it lacks what an input needs.
    """
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InputError(f"`{file.name}` is of no kind that can be read: {', '.join(_READERS)}")
    if not file.is_file():
        raise InputError(f"there is no file `{file}`")
    states = metadata.get("states") or {}
    wanted = {name: body for name, body in metadata["inputs"].items() if name not in states}
    try:
        return reader(file, wanted, metadata)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, wave.Error, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"`{file.name}` cannot be read: {error or type(error).__name__}") from None


# ---------------------------------------------------------------------------------------------------- tables


def _read_csv(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    names = _table_columns(file, wanted)
    texts = _text_columns(wanted)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        _require(file, names, header)
        places = [header.index(name) for name in names]
        cells = []
        for number, row in enumerate((row for row in reader if row), 1):
            if len(row) != len(header):
                raise InputError(f"`{file.name}`: row {number} has {len(row)} cells where the header has {len(header)}")
            cells.append(
                [
                    row[place] if header[place] in texts else _number(file, row[place], header[place], number)
                    for place in places
                ]
            )
    columns = {
        name: np.array([row[i] for row in cells], dtype=object if name in texts else np.float64)
        for i, name in enumerate(names)
    }
    return _from_table(file, _filled(file, columns, metadata), wanted, metadata)


def _number(file: Path, cell: str, column: str, row: int) -> float:
    """A cell's number; NaN where it is empty."""
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        raise InputError(f"`{file.name}`: column `{column}` has no number in row {row}: `{cell}`") from None


def _filled(file: Path, columns: dict[str, Array], metadata: Metadata) -> dict[str, Array]:
    """The columns without gaps: where the model was trained on forward-filled values, they are filled the same way.

    Raises:
        InputError: where a gap is left, or a value is infinite.
    """
    filled = {}
    for name, values in columns.items():
        if values.dtype.kind == "O":
            empty = next((row for row, word in enumerate(values, 1) if not word), None)
            if empty is not None:
                raise InputError(f"`{file.name}`: column `{name}` has no text in row {empty}")
            filled[name] = values
            continue
        known = ~np.isnan(values)
        if metadata.get("missing") == "forward_fill" and len(values):
            latest = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
            values = values[latest]
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
            raise InputError(f"`{file.name}`: column `{name}` has no number in row {row}")
        filled[name] = values
    return filled


def _read_parquet(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            f"`{file.name}`: reading Parquet needs pyarrow, which is not installed; .csv needs nothing"
        ) from None
    names = _table_columns(file, wanted)
    try:
        _require(file, names, pyarrow.parquet.read_schema(file).names)
        table = pyarrow.parquet.read_table(file, columns=names)
        texts = _text_columns(wanted)
        columns = {
            name: np.array(table.column(name).cast(pyarrow.string()).to_pylist(), dtype=object)
            if name in texts
            else table.column(name).cast(pyarrow.float64()).to_numpy()
            for name in names
        }
    except pyarrow.ArrowException as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None
    return _from_table(file, _filled(file, columns, metadata), wanted, metadata)


def _text_columns(wanted: Mapping[str, Any]) -> set[str]:
    """The columns that hold words."""
    return {name for body in wanted.values() if body.get("dtype") == "string" for name in body["columns"] or ()}


def _table_columns(file: Path, wanted: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, body in wanted.items():
        if not body.get("columns"):
            raise InputError(f"the model does not say which columns input `{name}` takes: give {file.stem}.npz instead")
        names += body["columns"]
    return list(dict.fromkeys(names))


def _require(file: Path, names: list[str], header: list[str]) -> None:
    missing = [name for name in names if name not in header]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise InputError(f"`{file.name}` has no column {listed}; it has: {', '.join(header[:20])}")


def _from_table(
    file: Path, columns: Mapping[str, Array], wanted: Mapping[str, Any], metadata: Metadata
) -> dict[str, Array]:
    """Each input from its columns: rows, or windows of rows."""
    rows = len(next(iter(columns.values()))) if columns else 0
    window = metadata.get("window")
    lookback, stride = (int(window["lookback"]), int(window.get("stride") or 1)) if window else (1, 1)
    if rows < lookback:
        needed = f"a window takes {lookback}" if window else "at least one is needed"
        raise InputError(f"`{file.name}` has {rows} rows, but {needed}")
    ends = np.arange(lookback - 1, rows, stride)
    found = {}
    for name, body in wanted.items():
        values = np.stack([columns[column] for column in body["columns"]], axis=1)
        step = _step_axis(body, lookback) if window else None
        if step is None:
            found[name] = _place(name, body, values[ends], [None])
        else:
            found[name] = _place(name, body, values[ends[:, None] + np.arange(1 - lookback, 1)], [step, None])
    return found


def _step_axis(body: Mapping[str, Any], lookback: int) -> str | None:
    """The axis that runs along the window; None for an input that sees the window's last row alone."""
    if "step" in body:
        return None if body["step"] is None else str(body["step"])
    axes = [(name, size) for name, size in body["axes"] if name != BATCH]
    fitting = [name for name, size in axes if size == lookback or not isinstance(size, int)]
    if len(axes) == 1:
        return fitting[0] if fitting and len(body["columns"]) == 1 else None
    likely = [name for name in fitting if name not in _FEATURES]
    return next(iter(likely or fitting), None)


def _place(name: str, body: Mapping[str, Any], values: Array, axes: list[str | None]) -> Array:
    """Values with axes `sample`, `axes` (None: columns) in the model's order and with its unit axes."""
    model = [axis for axis, _ in body["axes"]]
    sizes = dict(body["axes"])
    others = [axis for axis in model if axis != BATCH and axis not in axes]
    columns = next((axis for axis in others if sizes[axis] == values.shape[-1]), None)
    named = [BATCH, *(columns if axis is None else axis for axis in axes)]
    if columns is None:
        if values.shape[-1] != 1:
            raise InputError(f"input `{name}` has no axis for its {values.shape[-1]} columns")
        values, named = values[..., 0], named[:-1]
    order = [named.index(axis) for axis in model if axis in named]
    shape = iter(values.transpose(order).shape)
    return np.ascontiguousarray(values.transpose(order)).reshape([next(shape) if a in named else 1 for a in model])


# ---------------------------------------------------------------------------------------------------- arrays and sound


def _only(file: Path, wanted: Mapping[str, Any]) -> str:
    if len(wanted) != 1:
        listed = ", ".join(f"`{name}`" for name in wanted)
        raise InputError(f"`{file.name}` holds one array, but the model takes {listed}: give an .npz or .json file")
    return next(iter(wanted))


def _read_npy(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    name = _only(file, wanted)
    try:
        return {name: np.load(file, allow_pickle=False)}
    except ValueError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def _read_npz(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            if isinstance(archive, np.ndarray):
                raise InputError(f"`{file.name}` is an .npy file by another name")
            keys = {name: _array_name(name, body, archive.files) for name, body in wanted.items()}
            _require_arrays(file, keys.values(), archive.files)
            return {name: archive[key] for name, key in keys.items()}
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None


def _read_json(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{file.name}` is not JSON: {error}") from None
    if isinstance(body, list):
        body = {_only(file, wanted): body}
    if not isinstance(body, dict):
        raise InputError(f"`{file.name}` holds neither a mapping of inputs nor a list")
    _require_arrays(file, wanted, list(body))
    found = {}
    for name in wanted:
        try:
            found[name] = np.array(body[name])
        except ValueError:
            raise InputError(f"`{file.name}`: the lists of input `{name}` differ in length") from None
        if found[name].dtype.kind not in "biufU":
            raise InputError(f"`{file.name}`: input `{name}` holds something other than numbers or words")
    return found


def _array_name(name: str, body: Mapping[str, Any], known: list[str]) -> str:
    """An input's own name, or that of the array that it was trained on."""
    trained_on = body.get("array")
    return str(trained_on) if name not in known and trained_on in known else name


def _require_arrays(file: Path, wanted: Iterable[str], names: list[str]) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        has = ", ".join(names[:20]) or "nothing"
        raise InputError(f"`{file.name}` has no `{missing[0]}`, which is an input of the model; it has: {has}")


def _read_wav(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    """Frames of a mono PCM file, in [-1, 1]; as long as the input's only axis that is more than 1."""
    name = _only(file, wanted)
    body = wanted[name]
    with wave.open(str(file), "rb") as stream:
        channels, width, rate = stream.getnchannels(), stream.getsampwidth(), stream.getframerate()
        data = stream.readframes(stream.getnframes())
    if channels != 1:
        raise InputError(f"`{file.name}` has {channels} channels, and mono is wanted")
    if body.get("rate") and rate != body["rate"]:
        raise InputError(f"`{file.name}` has {rate} samples a second, but the model takes {body['rate']}")
    samples = _decode(data, width)
    sizes = [size for axis, size in body["axes"] if axis != BATCH and size != 1]
    if len(sizes) != 1:
        raise InputError(f"input `{name}` takes no frames of sound: it has axes {[axis for axis, _ in body['axes']]}")
    frame = sizes[0] if isinstance(sizes[0], int) else len(samples)
    if len(samples) < frame or not frame:
        raise InputError(f"`{file.name}` has {len(samples)} samples, but a frame takes {frame}")
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[:: int(body.get("stride") or frame)]
    shape = [len(frames) if axis == BATCH else 1 if size == 1 else frame for axis, size in body["axes"]]
    is_batch_last = [axis for axis, size in body["axes"] if axis == BATCH or size != 1][-1] == BATCH
    return {name: np.ascontiguousarray(frames.T if is_batch_last else frames).reshape(shape)}


def _decode(data: bytes, width: int) -> NDArray[np.float32]:
    """PCM to [-1, 1]: 8 bits are unsigned, wider ones signed, little-endian."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data[: len(data) // 3 * 3], np.uint8).reshape(-1, 3)
        return (padded.reshape(-1).view("<i4") / 2.0**31).astype(np.float32)
    whole = np.frombuffer(data[: len(data) // width * width], f"<i{width}")
    return (whole / 2.0 ** (8 * width - 1)).astype(np.float32)


_READERS: dict[str, Callable[[Path, Mapping[str, Any], Metadata], dict[str, Array]]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".json": _read_json,
    ".wav": _read_wav,
}
