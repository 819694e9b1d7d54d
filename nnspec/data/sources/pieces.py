"""Whole samples that training takes random pieces of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnspec.lazy import dataclass

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Pieces:
    """The whole samples of an input, and what is taken of them.

    Attributes:
        read: a whole sample, by its row in the file, from 0; axes those of the input.
        bytes: of all of them in memory.
        axis: the position of the axis, sample left out, that pieces are taken along.
        size: of a piece; shorter samples are filled up at their end.
        fill: with what.
    """

    read: Callable[[int], np.ndarray]
    bytes: int
    axis: int
    size: int
    fill: float
