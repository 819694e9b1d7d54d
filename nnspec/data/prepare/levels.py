"""The levels of a quantile output as they are deployed: moved by calibration, and never crossing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.ir.graph import Args
from nnspec.ir.levels import middle
from nnspec.lazy import dataclass

Float = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of an output, and by how much calibration moves each.

    Attributes:
        values: the share of the targets below each, ascending.
        axis: the position of the axis `level`, batch included.
        offset: what is added to what the network gives, axes `*output`, before any scaling is undone; None where
            nothing was calibrated.
    """

    values: tuple[float, ...]
    axis: int
    offset: Float | None = None

    def moved(self, predicted: np.ndarray) -> Float:
        """The network's levels after calibration: axes `batch *output` to the same.

        Where an interval shrinks to less than nothing, the levels nearer the median stand: each is at least as far from
        it as the one before, which only widens intervals.
        """
        values = np.asarray(predicted, dtype=np.float32)
        if self.offset is None:
            return values
        values = np.moveaxis(values + self.offset, self.axis, -1)
        m = middle(self.values)
        below = np.minimum.accumulate(values[..., m::-1], axis=-1)[..., ::-1]
        above = np.maximum.accumulate(values[..., m:], axis=-1)
        return np.moveaxis(np.concatenate([below, above[..., 1:]], axis=-1), -1, self.axis)

    def beside(self, targets: np.ndarray) -> np.ndarray:
        """Targets, axes `batch *data`, with an axis of size 1 where the levels are."""
        return np.asarray(np.expand_dims(targets, self.axis))

    def without(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `beside`."""
        return np.asarray(np.squeeze(values, self.axis))

    def at(self, values: np.ndarray, index: int) -> np.ndarray:
        """One level of what an output gives: axes `batch *output` to `batch *data`."""
        return np.asarray(np.take(values, index, axis=self.axis))

    def to_json(self) -> dict[str, object]:
        offset = None if self.offset is None else self.offset.tolist()
        return {"values": list(self.values), "axis": self.axis, "offset": offset}

    @classmethod
    def from_json(cls, body: Args) -> Levels:
        offset = body.get("offset")
        return cls(tuple(body["values"]), body["axis"], None if offset is None else np.asarray(offset, np.float32))
