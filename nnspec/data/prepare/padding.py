"""Turns concatenated sequences into one padded array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.ragged import Ragged

Array = np.ndarray


def pad(
    values: Array, levels: Sequence[Array], layout: Ragged, pad_value: float | str
) -> tuple[Array, NDArray[np.bool_]]:
    """Cuts sequences apart and fills each up at its end.

    Args:
        values: sequences end to end along data axis `layout.axis`.
        levels: the lengths, the outermost first: axes `sample`, then those of the sequences of the level before.

    Returns:
        Axes `sample *data axes`, and where there is padding, axes `sample step`, with a step axis for each level.
    """
    steps = np.moveaxis(values, layout.axis, 0)
    kept = _type_of(values, pad_value)
    flags = np.zeros(len(steps), bool)
    for lengths, size in zip(reversed(levels), reversed(layout.sizes), strict=True):
        steps, flags = _fill_up(steps.astype(kept), lengths, size, pad_value), _fill_up(flags, lengths, size, True)
    depth = len(layout.sizes)
    return np.moveaxis(steps, range(1, 1 + depth), range(1 + layout.axis, 1 + layout.axis + depth)), flags


def _type_of(values: Array, pad_value: float | str) -> np.dtype:
    """One that holds the values and what they are padded with: labels and ids stay whole numbers."""
    if isinstance(pad_value, str) or values.dtype.kind in "US":
        return values.dtype
    if values.dtype.kind in "biu" and float(pad_value).is_integer():
        return np.result_type(values, np.min_scalar_type(int(pad_value)))
    return np.result_type(values, np.float32)


def padding_of(levels: Sequence[Array], sizes: Sequence[int]) -> NDArray[np.bool_]:
    """Where sequences that are filled up to these sizes are padding: axes `sample step`, a step axis for each level."""
    return pad(np.zeros(int(np.sum(levels[-1]))), levels, Ragged(0, tuple(sizes)), 0.0)[1]


def _fill_up(steps: Array, lengths: Array, size: int, value: float | str) -> Array:
    """Axes `step *rest` to `sequence step *rest`."""
    padded = np.full((len(lengths), size, *steps.shape[1:]), value, dtype=steps.dtype)
    padded[np.arange(size) < np.asarray(lengths)[:, None]] = steps  # row-major: as the steps lie in the file
    return padded
