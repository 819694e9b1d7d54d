"""Pads concatenated sequences of an archive as training padded them, by the model's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Array, Metadata


def pad_sequences(file: Path, name: str, body: Metadata, values: Array, archive: Mapping[str, Array]) -> Array:
    """An input's array, its sequences cut apart by their lengths and filled up at their ends.

    An array that has all axes of the input is padded already, and is left as it is.

    Args:
        body: the input's metadata. `lengths` names the arrays of lengths, the outermost first, `padded` the axis of
            each, `fill` is what padding holds, `padding.least` the length of the longest in training.
        values: axes `step *others`, where the steps of all samples lie end to end.

    Returns:
        Axes as the input.

    Raises:
        InputError: where the lengths are not there, are not those of the array, or exceed the input's axes.
    """
    arrays, sizes = list(body.get("lengths") or ()), dict(body["axes"])
    order = [axis for axis, _ in body["axes"]]
    if not arrays or values.ndim != len(order) - len(arrays):
        return values
    missing = [key for key in arrays if key not in archive]
    if missing:
        raise InputError(
            f"`{file.name}` has no `{missing[0]}`, the lengths of the sequences of input `{name}`; "
            f"an array with all of its axes, {', '.join(order)}, needs none"
        )
    levels = [np.asarray(archive[key]) for key in arrays]
    rest = [axis for axis in order if axis not in (BATCH, *body["padded"])]
    before = [axis for axis in order if axis != BATCH].index(body["padded"][0])
    steps = np.moveaxis(values, before, 0)
    counts = [*(len(level) for level in levels[1:]), len(steps)]
    for key, level, count in zip(arrays, levels, counts, strict=True):
        if level.ndim != 1 or level.dtype.kind not in "iu" or (level < 1).any() or int(level.sum()) != count:
            raise InputError(
                f"`{key}` of `{file.name}` must have the length of each sequence, at least 1 and {count} in all"
            )
    least = least_of(body) or 0
    for axis, level in zip(reversed(body["padded"]), reversed(levels), strict=True):
        steps = _fill_up(name, axis, sizes[axis], steps, level, body.get("fill", 0.0), least)
    made = [BATCH, *body["padded"], *rest]
    return steps.transpose([made.index(axis) for axis in order])


def least_of(body: Metadata) -> int | None:
    """The length that training filled an input's sequences up to; None where it is fixed, or they have several levels.

    Args:
        body: the input's metadata.
    """
    padded, said = list(body.get("padded") or ()), body.get("padding") or {}
    return int(said["least"]) if len(padded) == 1 and said.get("axis") == padded[0] and "least" in said else None


def _fill_up(name: str, axis: str, size: object, steps: Array, lengths: Array, fill: float, least: int) -> Array:
    longest = int(max(lengths, default=1))
    if isinstance(size, int) and longest > size:
        raise InputError(
            f"a sequence of input `{name}` has length {longest}, but the model takes {size} along `{axis}`"
        )
    wanted = size if isinstance(size, int) else max(longest, least)
    padded: Array = np.full((len(lengths), wanted, *steps.shape[1:]), fill, dtype=steps.dtype)
    padded[np.arange(wanted) < lengths[:, None]] = steps
    return padded
