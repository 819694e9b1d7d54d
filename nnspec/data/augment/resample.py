"""Moving the pixels of images, by the rules of Keras' `affine_transform`."""

from __future__ import annotations

import numpy as np


def resample(
    pictures: np.ndarray, matrices: np.ndarray, *, is_nearest: bool, fill_mode: str, fill_value: float
) -> np.ndarray:
    """Images whose pixels are taken from other places.

    Args:
        images: axes `sample height width channel`.
        matrices: of each sample, from (x, y, 1) in the result to (x, y) in the image: axes `sample 2 3`.
        is_nearest: whether a pixel is the nearest one, as that of a mask must be, or between four of them.
    """
    count, height, width, _ = pictures.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    places = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    found = (matrices @ places).reshape(count, 2, height, width)
    # What is meant to be whole is whole: else a rotation by a quarter turn would take the pixel beside
    found = np.where(np.abs(found - np.rint(found)) < 1e-6, np.rint(found), found)
    across, down = found[:, 0], found[:, 1]
    sample = np.arange(count)[:, None, None]

    def at(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        row, is_row = _mapped(rows, height, fill_mode)
        column, is_column = _mapped(columns, width, fill_mode)
        values = pictures[sample, row, column]
        is_there = is_row & is_column
        if is_there.all():
            return np.asarray(values)
        return np.asarray(np.where(is_there[..., None], values, values.dtype.type(fill_value)))

    if is_nearest:
        return at(np.floor(down + 0.5).astype(np.int64), np.floor(across + 0.5).astype(np.int64))
    top, left = np.floor(down).astype(np.int64), np.floor(across).astype(np.int64)
    below, right = (down - top)[..., None], (across - left)[..., None]
    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return np.asarray(upper * (1 - below) + lower * below, np.result_type(pictures.dtype, np.float32))


def _mapped(index: np.ndarray, size: int, fill_mode: str) -> tuple[np.ndarray, np.ndarray]:
    """The pixel that stands for each index, and whether there is one."""
    is_there = (index >= 0) & (index < size)
    if fill_mode == "wrap":
        return index % size, np.ones_like(is_there)
    if fill_mode == "reflect":
        folded = index % (2 * size)
        return np.where(folded < size, folded, 2 * size - 1 - folded), np.ones_like(is_there)
    if fill_mode == "nearest":
        return index.clip(0, size - 1), np.ones_like(is_there)
    return index.clip(0, size - 1), is_there
