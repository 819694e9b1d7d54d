"""A table's columns as inputs: rows, or every window of rows in file order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Array, Metadata

Key = tuple[str, bool]  # a column's name, and whether it is read as words
_FEATURES = ("feature", "channel", "column", "variable", "sensor")


def from_columns(
    file: Path, columns: Mapping[Key, Array], wanted: Mapping[str, Any], metadata: Metadata
) -> dict[str, Array]:
    """Each input from its columns: rows, or windows of rows.

    Raises:
        InputError: where there are too few rows, or numbers that are not of the input's dtype.
    """
    rows = len(next(iter(columns.values()))) if columns else 0
    window = metadata.get("window")
    lookback, stride = (int(window["lookback"]), int(window.get("stride") or 1)) if window else (1, 1)
    if rows < lookback:
        needed = f"a window needs {lookback}" if window else "at least one is needed"
        raise InputError(f"`{file.name}` has {rows} rows, but {needed}")
    ends = np.arange(lookback - 1, rows, stride)
    found = {}
    for name, body in wanted.items():
        values = np.stack([columns[column, body.get("dtype") == "string"] for column in body["columns"]], axis=1)
        step = _step_axis(body, lookback) if window else None
        if step is None:
            found[name] = _place(name, body, values[ends], [None])
        else:
            found[name] = _place(name, body, values[ends[:, None] + np.arange(1 - lookback, 1)], [step, None])
        if body["dtype"].startswith(("int", "uint")):
            found[name] = _integers(file, name, body["dtype"], found[name])
    return found


def _integers(file: Path, name: str, dtype: str, values: Array) -> Array:
    """A table's numbers, which are read as floats, in the integer dtype of the input that takes them.

    Raises:
        InputError: where one has a fraction or does not fit.
    """
    with np.errstate(invalid="ignore"):
        made = values.astype(dtype)
    strange = values[made != values]
    if strange.size:
        raise InputError(f"`{file.name}`: input `{name}` takes {dtype}, but the table has {strange[0]:g}")
    return made


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
