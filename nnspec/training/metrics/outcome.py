"""Targets of an output beside what the model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nnspec.document.types import JsonObject
from nnspec.training import scores

Array = np.ndarray
Mask = NDArray[np.bool_]
MetricValues: TypeAlias = JsonObject  # metrics by name, and those of parts in mappings, as metrics.json has them


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """An axis whose positions have metrics of their own: `by_step`, and a name for each of them."""

    axis: int
    called: str
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """One output on some samples.

    Attributes:
        truth: axes `sample *output`: numbers in original units, class indices, or 0 and 1.
        predicted: axes as the targets; of a classification with its classes last, of quantiles with their levels.
        counted: which targets count, axes as theirs; None: all.
        labels: of classes, or the names of a multilabel's columns.
        threshold: where yes begins.
        gives_scores: whether `predicted` are scores, not probabilities, of classes.
        steps: the positions of the axes each of whose steps is a row of its own.
        parts: the axes whose positions have metrics of their own.
        is_map: whether the classes are those of places of an image, such as a mask's.
    """

    task: str
    truth: Array
    predicted: Array
    counted: Mask | None = None
    labels: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    threshold: float = 0.5
    gives_scores: bool = False
    steps: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    is_map: bool = False

    @property
    def probabilities(self) -> Array | None:
        """Of a classification, binary or multilabel: what the scores mean; None where they are no probabilities."""
        found = self.predicted.astype(np.float64)
        if self.task == "anomaly":
            return None
        if self.gives_scores and self.task == "classification":
            raised = np.exp(found - found.max(axis=-1, keepdims=True))
            return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
        if self.gives_scores:
            return np.asarray(np.exp(-np.logaddexp(0, -found)))
        is_share = found.size and found.min() >= 0 and found.max() <= 1 + 1e-6
        return found if is_share else None

    @property
    def rows(self) -> tuple[Array, Array, Mask | None]:
        """Targets, predictions and which count: axes `row column`; of quantiles predictions `row column level`."""
        truth = scores.as_rows(self.truth, self.steps)
        which = None if self.counted is None else scores.as_rows(self.counted, self.steps)
        if not self.levels:
            return truth, scores.as_rows(self.predicted.reshape(self.truth.shape), self.steps), which
        each = [scores.as_rows(self.predicted[..., i], self.steps) for i in range(len(self.levels))]
        return truth, np.stack(each, axis=-1), which

    @property
    def those_that_count(self) -> Outcome:
        """The same as a sample for each target that counts, axes `sample 1`; all of them where `counted` is None."""
        if self.counted is None:
            return self
        behind = self.predicted.shape[self.truth.ndim :]
        predicted = self.predicted.reshape(*self.truth.shape, *behind)[self.counted]
        return replace(
            self,
            truth=self.truth[self.counted][:, None],
            predicted=predicted[:, None],
            counted=None,
            steps=(),
            parts=(),
        )

    @property
    def decisions(self) -> Array:
        """The class index, or 0 and 1, that each prediction says: axes as the targets."""
        if self.task == "classification":
            return np.asarray(self.predicted.argmax(axis=-1))
        return np.asarray(self.predicted > np.float32(self.threshold)).astype(np.int64)

    def of(self, samples: NDArray[np.int64] | NDArray[np.bool_]) -> Outcome:
        """Some of the samples."""
        counted = None if self.counted is None else self.counted[samples]
        return replace(self, truth=self.truth[samples], predicted=self.predicted[samples], counted=counted)

    def at(self, part: Part, position: int) -> Outcome:
        """One position of an axis, which is kept with size 1."""
        place = (*(slice(None),) * part.axis, slice(position, position + 1))
        counted = None if self.counted is None else self.counted[place]
        return replace(self, truth=self.truth[place], predicted=self.predicted[place], counted=counted, parts=())


def as_names(values: Sequence[object]) -> tuple[str, ...]:
    """Names as text."""
    return tuple(str(value) for value in values)
