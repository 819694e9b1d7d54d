"""Arrays from .npy and .npz files, and sequences laid end to end turned into one padded array."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.ragged import Ragged
from nnspec.data.section.plan import Source
from nnspec.diagnostics import SpecError

Array = NDArray[Any]
_FAULTS = (OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def read_array(source: Source, name: str | None) -> Array:
    """The array of an .npy file, or the one called `name` of an .npz file. Pickles are never loaded.

    Raises:
        SpecError: NN502 where it cannot be read.
    """
    try:
        if name is None:
            return np.asarray(np.load(source.path, allow_pickle=False))
        with np.load(source.path, allow_pickle=False) as archive:
            return np.asarray(archive[name])
    except _FAULTS as error:
        what = f"array `{name}` of `{source.shown}`" if name else f"`{source.shown}`"
        reason = str(error).split("\n")[0] or type(error).__name__
        raise SpecError.single("NN502", f"{what} cannot be used: {reason}", source.span, path=source.where) from None


def pad(values: Array, lengths: Array, layout: Ragged, pad_value: float) -> tuple[Array, NDArray[np.bool_]]:
    """Cuts sequences apart and fills each up at its end.

    Args:
        values: sequences end to end along data axis `layout.axis`.
        lengths: axes `sample`.

    Returns:
        Axes `sample *data axes`, and where there is padding, axes `sample step`.
    """
    steps = np.moveaxis(values, layout.axis, 0)
    padded = np.full((len(lengths), layout.size, *steps.shape[1:]), pad_value, dtype=np.result_type(values, np.float32))
    is_padding = np.arange(layout.size) >= np.asarray(lengths)[:, None]
    padded[~is_padding] = steps  # row-major: sample after sample, step after step, as they lie in the file
    return np.moveaxis(padded, 1, layout.axis + 1), is_padding
