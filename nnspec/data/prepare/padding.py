"""Turns concatenated sequences into one padded array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.ragged import Ragged

Array = np.ndarray


def pad(values: Array, lengths: Array, layout: Ragged, pad_value: float | str) -> tuple[Array, NDArray[np.bool_]]:
    """Cuts sequences apart and fills each up at its end.

    Args:
        values: sequences end to end along data axis `layout.axis`.
        lengths: axes `sample`.

    Returns:
        Axes `sample *data axes`, and where there is padding, axes `sample step`.
    """
    steps = np.moveaxis(values, layout.axis, 0)
    kept = values.dtype if values.dtype.kind in "US" else np.result_type(values, np.float32)
    padded = np.full((len(lengths), layout.size, *steps.shape[1:]), pad_value, dtype=kept)
    is_padding = np.arange(layout.size) >= np.asarray(lengths)[:, None]
    padded[~is_padding] = steps  # row-major: sample by sample, step by step, as in the file
    return np.moveaxis(padded, 1, layout.axis + 1), is_padding
