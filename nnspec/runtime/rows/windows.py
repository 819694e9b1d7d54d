"""A table's columns as samples: rows, or every window of the rows of a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.files import columns_of, decode_files, is_read_as_words, locate, takes_files
from nnspec.runtime.ports import BATCH, Array, Metadata
from nnspec.runtime.rows.encoded import Gaps, Key, encode_columns, first_gap
from nnspec.runtime.rows.past import read_past
from nnspec.runtime.rows.picked import Picked
from nnspec.runtime.rows.row_order import RowOrder
from nnspec.runtime.rules.interpolation import Between
from nnspec.runtime.samples import Samples

_FEATURES = ("feature", "channel", "column", "variable", "sensor")


def samples_of_columns(
    file: Path,
    columns: Mapping[Key, Array],
    order: RowOrder,
    wanted: Mapping[str, Metadata],
    metadata: Metadata,
    lines: Mapping[Key, Between],
    measured: Mapping[Key, Array] | None = None,
    gaps: Gaps | None = None,
) -> Samples:
    """Rows, or windows of rows: those of each series one after the other, as in training.

    Rows without a window or a state that is carried stay in the order of the file.

    Args:
        columns: in the order of `order`.
        lines: what gaps of a column hold in windows that have a later known value.
        measured: the columns with their gaps, which targets are; in the order of `order`.
        gaps: samples that read one of these are left out where they are scored, as they were in training, and are
            incomplete where they are predicted.

    Raises:
        InputError: where there are too few rows, or numbers that are not of the input's dtype.
    """
    window = metadata.get("window")
    lookback, stride = (int(window["lookback"]), int(window.get("stride") or 1)) if window else (1, 1)
    ahead = rows_ahead(wanted) if window else 0
    is_scored = any(body.get("is_measured") for body in wanted.values())
    if window or metadata.get("states"):
        has_newest = not is_scored and not metadata.get("states")
        stretches = [
            _ends_within(start + lookback - 1, stop - ahead, stride, has_newest=has_newest)
            for start, stop in order.stretches
        ]
        ends = np.concatenate(stretches) if stretches else np.empty(0, np.int64)
    else:
        ends = np.argsort(order.rows)
    if not len(ends):
        needed = f"a window needs {lookback}" if window else "at least one is needed"
        needed += f" and {ahead} ahead of it" if ahead else ""
        each = ", and no series has more" if len(order.stretches) > 1 else ""
        longest = max((stop - start for start, stop in order.stretches), default=0)
        raise InputError(f"`{file.name}` has {longest} rows, but {needed}{each}")
    notes = order.notes
    incomplete = None
    if gaps:
        is_whole = are_whole(ends, gaps, wanted, lookback, has_steps=bool(window))
        names = [name for name, _ in gaps]
        notes += describe_gaps(file, names, int((~is_whole).sum()), len(ends), is_scored=is_scored)
        if is_scored:
            ends = ends[is_whole]
        else:
            incomplete = ~is_whole
    encoded = encode_columns(file, columns, order, wanted, measured, gaps if incomplete is not None else None)
    values, paths = encoded.values, encoded.paths

    def take(part: slice) -> dict[str, Array]:
        found = {}
        for name, body in wanted.items():
            if takes_files(body):
                cells = paths[columns_of(name, body)[0]][ends[part]].tolist()
                files = locate(file, cells, order.numbers[ends[part]].tolist())
                found[name] = decode_files(files, cells, body)
                continue
            step = step_axis(body, lookback) if window else None
            if body.get("past"):
                found[name] = read_past(body, values[name], ends[part], order.starts)
            elif step is None:
                found[name] = place_columns(name, body, values[name][ends[part]], [None])
            else:
                steps = rows_of(body, lookback)
                at = ends[part, None] + np.array(steps)
                rows = values[name][at]
                for place, column in enumerate(() if body.get("is_measured") else body["columns"]):
                    line = lines.get((column, is_read_as_words(body)))
                    if line is not None:
                        rows[..., place] = line.within(rows[..., place], at, ends[part] + steps[-1])
                found[name] = place_columns(name, body, rows, [step, None])
        return found

    last = order.rows[ends]
    keys: dict[str, Sequence[str]] = {name: Picked(cells, last) for name, cells in order.keys.items()}
    keys |= {column: cells[ends].tolist() for column, cells in paths.items()}
    lacks = first_gap(file, gaps, order) if gaps else ""
    return Samples(len(ends), take, keys=keys, notes=notes, incomplete=incomplete, lacks=lacks)


def _ends_within(first: int, stop: int, stride: int, *, has_newest: bool) -> NDArray[np.int64]:
    """The last rows of a series' windows, from the first one on.

    Args:
        has_newest: whether the newest window is there though the stride leaves it out, since it is the one that a
            forecast is asked for; training and figures leave it out.
    """
    ends = np.arange(first, stop, stride)
    return np.append(ends, stop - 1) if has_newest and len(ends) and ends[-1] < stop - 1 else ends


def describe_gaps(file: Path, names: Sequence[str], number: int, total: int, *, is_scored: bool) -> tuple[str, ...]:
    """What is said of so many samples of a file that lack what training left samples out for.

    Args:
        names: the columns that lack it.
        is_scored: whether such samples are left out, rather than without a prediction.

    Raises:
        InputError: where no sample is left to score.
    """
    if not number:
        return ()
    named = ", ".join(f"`{name}`" for name in names)
    count = f"{number} sample{'' if number == 1 else 's'} without a value of {named}"
    if not is_scored:
        return (f"no prediction for {count}: training left such samples out (`missing: drop`)",)
    if number == total:
        raise InputError(f"`{file.name}`: every sample lacks a value of {named}, without which training left it out")
    return (f"left out: {count}, as in training",)


def are_whole(
    ends: NDArray[np.int64], gaps: Gaps, wanted: Mapping[str, Metadata], lookback: int, *, has_steps: bool
) -> NDArray[np.bool_]:
    """Which samples read none of these gaps: axes `sample`."""
    whole = np.ones(len(ends), bool)
    for body in wanted.values():
        if body.get("is_measured") or takes_files(body):
            continue
        is_stepped = has_steps and step_axis(body, lookback) is not None
        rows = rows_of(body, lookback) if is_stepped else range(1)
        for column in body["columns"]:
            missing = gaps.get((column, is_read_as_words(body)))
            if missing is not None:
                before = np.concatenate([[0], np.cumsum(missing)])  # of each row, how many are missing before it
                whole &= before[ends + rows.stop] == before[ends + rows.start]
    return whole


def rows_of(body: Metadata, lookback: int) -> range:
    """The rows that an input reads, relative to a window's last row; of one without steps, that row."""
    if "step" in body and body["step"] is None:
        return range(1)
    first, last = body.get("rows") or (1 - lookback, 0)
    return range(int(first), int(last) + 1)


def rows_ahead(wanted: Mapping[str, Metadata]) -> int:
    """How many rows behind a window's last one must be there: those of inputs that are known ahead."""
    return max((rows_of(body, 1).stop - 1 for body in wanted.values() if body.get("rows")), default=0)


def needed_rows(
    order: RowOrder, wanted: Mapping[str, Metadata], metadata: Metadata
) -> dict[Key, NDArray[np.bool_]] | None:
    """By column, the rows that some window reads, axes `position`; None where they are all read.

    The last rows of a table may be those that forecasts are made for: they have what is known ahead, and nothing else.
    """
    ahead = rows_ahead(wanted) if metadata.get("window") else 0
    if not ahead:
        return None
    lookback = int(metadata["window"]["lookback"])
    found: dict[Key, NDArray[np.bool_]] = {}
    for body in wanted.values():
        if body.get("is_measured"):  # a target may be missing
            continue
        rows = rows_of(body, lookback)
        read = np.zeros(len(order.rows), dtype=bool)
        for start, stop in order.stretches:
            if stop - ahead >= start + lookback:
                read[start + lookback - 1 + rows.start : stop - ahead - 1 + rows.stop] = True
        for column in body["columns"]:
            key = (column, is_read_as_words(body))
            found[key] = found[key] | read if key in found else read
    return found


def step_axis(body: Metadata, lookback: int) -> str | None:
    """The axis that runs along the window; None for an input that sees the window's last row alone."""
    if "step" in body:
        return None if body["step"] is None else str(body["step"])
    axes = [(name, size) for name, size in body["axes"] if name != BATCH]
    fitting = [name for name, size in axes if size == lookback or not isinstance(size, int)]
    if len(axes) == 1:
        return fitting[0] if fitting and len(body["columns"]) == 1 else None
    likely = [name for name in fitting if name not in _FEATURES]
    return next(iter(likely or fitting), None)


def place_columns(name: str, body: Metadata, values: Array, axes: list[str | None]) -> Array:
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
