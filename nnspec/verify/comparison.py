"""The distance of two results, and the scale it is measured against.

A probability is measured against 1, since that is what it can be wrong by: 1e-5 and 2e-5 are the same answer. Any other
value is measured against the scale of its output, the largest magnitude over all the rows of a run and of the runs like
it, and never against itself: one row may well be near zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nnspec.data.deployment import class_position
from nnspec.data.prepare.functions import slope_of_inverse
from nnspec.data.prepare.transforms import OutputTransform
from nnspec.ir.graph import ANOMALY, Output

SMALLEST_SCALE = 1e-6  # an output that is nothing but smaller values is measured against 1
ROUNDINGS = 4  # of float32, where an offset is added to what the network gives


@dataclass(kw_only=True)
class Comparison:
    """Largest differences of an output over all runs; `other_labels` as a share of a run's samples."""

    batch_sizes: list[int] = field(default_factory=list)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    max_absolute_error: float = 0.0
    max_relative_error: float = 0.0
    other_labels: float = 0.0
    held_out_samples: int = 0

    def passes(self, tolerance: float) -> bool:
        return self.max_relative_error <= tolerance and self.other_labels == 0

    def add(
        self, absolute: float, relative: float, batch: int, lengths: Mapping[str, list[int]], is_held_out: bool
    ) -> None:
        """Takes a run in.

        Args:
            absolute, relative: its largest differences.
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

    def to_json(self, tolerance: float) -> dict[str, object]:
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
    """Largest absolute difference, and that over the largest magnitude wanted; infinite where only one is a number."""
    if got.shape != wanted.shape:
        return float("inf"), float("inf")
    if not wanted.size:
        return 0.0, 0.0
    absolute = float(np.max(errors(got, wanted)))
    return absolute, absolute / scale_of([wanted])


def errors(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Each element's difference; none between two that are both NaN, or the same infinity. Text differs by infinity.

    Both have the same axes, and so has the result.
    """
    if wanted.dtype.kind in "OU":
        return np.where(got.astype(str) == wanted.astype(str), 0.0, np.inf)
    left, right = got.astype(np.float64), wanted.astype(np.float64)
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        apart = np.abs(left - right)
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def scale_of(values: Iterable[np.ndarray]) -> float:
    """The largest finite magnitude; 1 where there is none to speak of, and of text."""
    found = 0.0
    for array in values:
        if array.dtype.kind in "OU":
            return 1.0
        finite = np.abs(array.astype(np.float64))
        found = max(found, float(np.max(finite, initial=0.0, where=np.isfinite(finite))))
    return found if found > SMALLEST_SCALE else 1.0


@dataclass(frozen=True)
class Measure:
    """What the differences of an output are measured against.

    Attributes:
        scale: of what the network gives, before data scaling is undone.
        transform: the data scaling of a regression.
    """

    scale: float
    transform: OutputTransform | None = None

    @classmethod
    def of(cls, output: Output, predicted: Iterable[np.ndarray], transform: OutputTransform | None) -> Measure:
        """The measure of an output, from what the Keras model gives over all rows of runs of one kind.

        A softmax is measured against its largest probability, which is 1 where it is sure, and small where it has
        thousands of classes and knows nothing.
        """
        if output.is_trained and not output.gives_values and not output.gives_scores:
            largest = scale_of(predicted) if output.task == "classification" else 1.0
            return cls(min(1.0, largest))
        return cls(scale_of(predicted), transform if output.gives_values else None)

    def relative(
        self, error: np.ndarray, wanted: np.ndarray, raw: Mapping[str, np.ndarray] | None = None
    ) -> np.ndarray:
        """Each element's error in terms of the measure: axes `batch *output`.

        Args:
            error: absolute, in the units of `wanted`.
            raw: the inputs, whose magnitude some outputs are in units of.
        """
        t = self.transform
        if t is None or (t.scaling is None and t.relative is None and t.function is None):
            return error / self.scale
        with np.errstate(invalid="ignore"):
            rounding = ROUNDINGS * np.finfo(np.float32).eps * np.abs(wanted.astype(np.float64))
            left = np.maximum(error - np.where(np.isfinite(rounding), rounding, 0.0), 0.0)
        divisor = t.scaling.divisor if t.scaling is not None else np.float32(1)
        units = np.abs(divisor.astype(np.float64))
        if t.function is not None:
            units = units * slope_of_inverse(t.function, wanted)
        relative = t.relative
        if relative is not None and relative.is_scaled and raw is not None:
            units = units * relative.magnitude(raw[relative.input]).astype(np.float64)
        return np.asarray(left / units / self.scale)


def clear_labels(output: Output, predicted: np.ndarray, margin: float, threshold: float | None = None) -> np.ndarray:
    """Whether each label is beyond doubt: the best class leads by more than `margin`. Axes `batch *labels`.

    Args:
        threshold: where yes begins in a binary output; default: as its spec says.
    """
    scores = predicted.astype(np.float64)
    if output.task in ("binary", ANOMALY):
        return np.asarray(np.abs(scores - (output.threshold if threshold is None else threshold)) > margin)
    ordered = np.sort(scores, axis=1 + class_position(output))
    if ordered.shape[1 + class_position(output)] < 2:
        return np.ones(np.delete(ordered.shape, 1 + class_position(output)), bool)
    best, second = (np.take(ordered, i, axis=1 + class_position(output)) for i in (-1, -2))
    return np.asarray(best - second > margin)
