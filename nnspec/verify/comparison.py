"""How far two results are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TIES = 0.01  # of the samples may have another label: where the best two classes tie, rounding decides


@dataclass
class Comparison:
    """Largest differences of an output over all runs; `other_labels` as a share of a run's samples."""

    batch_sizes: list[int] = field(default_factory=list)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    max_absolute_error: float = 0.0
    max_relative_error: float = 0.0
    other_labels: float = 0.0
    held_out_samples: int = 0

    def passes(self, tolerance: float) -> bool:
        return self.max_relative_error <= tolerance and self.other_labels <= TIES

    def add(
        self, absolute: float, relative: float, batch: int, lengths: Mapping[str, list[int]], is_held_out: bool
    ) -> None:
        """Takes a run in.

        Args:
            absolute, relative: its `differences`.
            lengths: how long axes of open size were in it, by size.
            is_held_out: whether its samples are rows that training never saw.
        """
        self.max_absolute_error = max(self.max_absolute_error, absolute)
        self.max_relative_error = max(self.max_relative_error, relative)
        self.batch_sizes.append(batch)
        for size, found in lengths.items():
            self.lengths.setdefault(size, []).extend(found)
        if is_held_out:
            self.held_out_samples = max(self.held_out_samples, batch)

    def to_json(self, tolerance: float) -> dict[str, Any]:
        return {
            "batch_sizes": sorted(set(self.batch_sizes)),
            "lengths": {k: sorted(set(v)) for k, v in self.lengths.items()},
            "held_out_samples": self.held_out_samples,
            "max_absolute_error": self.max_absolute_error,
            "max_relative_error": self.max_relative_error,
            "tolerance": tolerance,
            "passed": self.passes(tolerance),
        }


def differences(got: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Largest absolute difference, and that over the largest magnitude wanted; NaN or infinity anywhere: infinite."""
    if got.shape != wanted.shape:
        return float("inf"), float("inf")
    if not wanted.size:
        return 0.0, 0.0
    if wanted.dtype.kind in "OU":  # text is the same or it is not
        return (0.0, 0.0) if np.array_equal(got.astype(str), wanted.astype(str)) else (float("inf"), float("inf"))
    left, right = got.astype(np.float64), wanted.astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinity from infinity
        absolute = float(np.max(np.abs(left - right)))
    if not np.isfinite(absolute):
        return float("inf"), float("inf")
    scale = float(np.max(np.abs(right)))
    return absolute, absolute / scale if scale > 1e-6 else absolute
