"""`RandomPieces`: another piece of each sample in every epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnspec.data.sources.pieces import Pieces

Array = np.ndarray
KEPT = 1 << 29  # bytes of whole samples that are kept in memory; more are read again in every epoch
_STREAM = 1  # of the random numbers, beside those of the changes of images


@dataclass(frozen=True, kw_only=True)
class RandomPieces:
    """Random pieces of whole samples.

    Attributes:
        rows: the row in the file of each training sample, from 0.
        finish: from pieces as they are read, axes `sample *axes`, to what the network takes.
    """

    pieces: Pieces
    rows: Sequence[int]
    finish: Callable[[Array], Array]
    kept: dict[int, Array] = field(default_factory=dict)

    def read_all(self) -> None:
        """Reads the samples, if they are to be kept. Errors as those of `pieces.read`."""
        if self.pieces.bytes <= KEPT:
            self.kept.update({row: self.pieces.read(row) for row in self.rows})

    def take(self, samples: Array, seed: int, epoch: int) -> Array:
        """A piece of each sample: axes `sample *axes`.

        Args:
            samples: which of the training samples, from 0.
            epoch: from 0.
        """
        return self.finish(np.stack([self._piece(int(sample), seed, epoch) for sample in samples]))

    def _piece(self, sample: int, seed: int, epoch: int) -> Array:
        axis, size, row = self.pieces.axis, self.pieces.size, self.rows[sample]
        whole = self.kept[row] if row in self.kept else self.pieces.read(row)
        spare = whole.shape[axis] - size
        if spare > 0:
            first = int(np.random.default_rng((seed, epoch, sample, _STREAM)).integers(spare, endpoint=True))
            return np.take(whole, range(first, first + size), axis=axis)
        widths = [(0, -spare if place == axis else 0) for place in range(whole.ndim)]
        return np.pad(whole, widths, constant_values=self.pieces.fill)
