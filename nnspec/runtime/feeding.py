"""Checks and converts the arrays for a model: axes, sizes, dtypes and values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Port
from nnspec.runtime.rows.columns import check_dates, check_words, takes_cells, with_gaps


def check_array(port: Port, value: ArrayLike) -> Array:
    """`value` as an array of the port's type and axes."""
    try:
        array = np.array(value, dtype=object) if takes_cells(port.encoding) else np.asarray(value)
    except (ValueError, TypeError):
        raise InputError(f"input `{port.name}` is not an array: its rows differ in length") from None
    if array.ndim != len(port.axes):
        axes = ", ".join(name for name, _ in port.axes)
        raise InputError(f"input `{port.name}` has shape {array.shape}, but needs {len(port.axes)} axes: ({axes})")
    for (axis, size), found in zip(port.axes, array.shape, strict=True):
        if isinstance(size, int) and found != size:
            raise InputError(f"axis `{axis}` of input `{port.name}` has size {found}, but the model takes {size}")
        if found == 0:
            raise InputError(f"axis `{axis}` of input `{port.name}` is empty")
    return _cast(port, array)


def _is_not_finite(array: Array) -> Array:
    return np.asarray(~np.isfinite(array))


def _cast(port: Port, array: Array) -> Array:
    """Changes the type where that loses nothing but float precision."""
    if port.encoding == "date":
        return check_dates(port, array)
    if takes_cells(port.encoding):
        return check_words(port, array)
    if (port.gaps or port.encoding) and port.dtype != "str":
        array = with_gaps(port, array)
    if port.dtype == "str":
        if port.gaps and array.dtype.kind == "O":
            array = np.array(["" if value is None else value for value in array.flat], object).reshape(array.shape)
        if array.dtype.kind not in "USO" or (
            array.dtype.kind == "O" and not all(isinstance(v, str) for v in array.flat)
        ):
            raise InputError(f"input `{port.name}` takes text, but has dtype {array.dtype}")
        return array.astype(object)
    wanted = np.dtype(port.dtype)
    is_strange = np.isinf if port.gaps else _is_not_finite
    if array.dtype.kind == "f" and is_strange(array).any():
        where = ", ".join(str(int(i)) for i in np.argwhere(is_strange(array))[0])
        raise InputError(f"input `{port.name}` has NaN or infinite values, the first at ({where})")
    allowed = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}[wanted.kind]
    if array.dtype.kind not in allowed:
        raise InputError(f"input `{port.name}` takes {port.dtype}, but has dtype {array.dtype}")
    with np.errstate(over="ignore"):
        cast = array.astype(wanted)
    if wanted.kind == "f":
        if is_strange(cast).any():
            raise InputError(f"input `{port.name}` takes {port.dtype}, but has values outside its range")
    elif not np.array_equal(cast, array):
        raise InputError(f"input `{port.name}` takes {port.dtype}, but has values outside its range")
    return np.ascontiguousarray(cast)
