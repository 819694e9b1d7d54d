"""How good and how fast a form of a deployed model is: its metrics on held-out rows, and its time at batch 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.backends.base import Session
from nnspec.data.dataset import Dataset, Split
from nnspec.data.deployment import Deployment
from nnspec.data.section.plan import DataPlan
from nnspec.ir.graph import Graph
from nnspec.jobs.variants.speed import relative_speed
from nnspec.training.metrics.score import HEADLINE, score_outcome
from nnspec.training.outcomes import in_units, outcome_of

Array = np.ndarray
Scores = dict[str, dict[str, float]]  # by output: its headline metric
BATCH = 64
COMPARED = 256  # rows on which two forms are compared number by number


@dataclass(frozen=True, kw_only=True, eq=False)
class Scorer:
    """Scores sessions of models with the same inputs and outputs.

    Attributes:
        whole: the float32 model.
        states: inputs that carry recurrent state, and the outputs that give it back.
        is_raw: whether the model takes raw data and gives original units.
        layout: the order of axes in the model, by input or output, where it is another than the spec's.
    """

    graph: Graph
    deployment: Deployment
    dataset: Dataset
    plan: DataPlan | None
    whole: Session
    states: Mapping[str, str]
    is_raw: bool
    layout: Mapping[str, list[str]]

    @property
    def held_out(self) -> Split:
        """The rows that training saw least of."""
        splits = self.dataset.splits
        return next(splits[name] for name in ("test", "validation", "train") if name in splits)

    @property
    def fixed(self) -> int | None:
        """The only batch size that the model takes."""
        sizes = {
            name: shape[self._order(name).index("batch") if name in self.layout else 0]
            for name, shape in self.whole.inputs.items()
            if shape
        }
        return next((size for size in sizes.values() if size is not None), None)

    def _order(self, name: str) -> list[str]:
        """The axes of an input or output as the model has them."""
        return list(self.layout.get(name, self._axes(name)))

    def _axes(self, name: str) -> list[str]:
        """The same as the spec has them."""
        outputs, inputs = self.graph.outputs, self.graph.inputs
        return ["batch", *(axis.name for axis in (outputs[name].value if name in outputs else inputs[name]).axes)]

    def _to_model(self, name: str, values: Array) -> Array:
        if name not in self.layout:
            return values
        axes = self._axes(name)
        return np.ascontiguousarray(np.transpose(values, [axes.index(axis) for axis in self._order(name)]))

    def _from_model(self, name: str, values: Array) -> Array:
        if name not in self.layout:
            return values
        order = self._order(name)
        return np.transpose(values, [order.index(axis) for axis in self._axes(name)])

    def inputs(self, split: Split, rows: slice | Array) -> dict[str, Array]:
        """What the model reads for some samples: axes as its inputs have them."""
        arrays = split.raw if self.is_raw else split.x
        return {
            name: self._to_model(name, np.asarray(values[rows]))
            for name, values in arrays.items()
            if name in self.whole.inputs
        }

    def start(self, count: int) -> dict[str, Array]:
        """Recurrent states before the first batch: zeros."""
        sizes = {name: [size or 1 for size in self.whole.inputs[name][1:]] for name in self.states}
        return {name: np.zeros([count, *rest], np.float32) for name, rest in sizes.items()}

    def calibration(self, most: int) -> Iterator[dict[str, Array]]:
        """Inputs of training rows, spread over the split, in batches."""
        split = self.dataset.splits["train"]
        rows = np.unique(np.linspace(0, split.size - 1, min(split.size, most)).astype(np.int64))
        size = self.fixed or BATCH
        last = len(rows) // size * size if self.fixed else len(rows)
        for first in range(0, last, size):
            chosen = rows[first : min(first + size, last)]
            yield {**self.start(len(chosen)), **self.inputs(split, chosen)}

    def answers(self, session: Session, most: int | None = None) -> dict[str, Array]:
        """What a model gives for the held-out rows in their order, its state carried on from batch to batch."""
        split, size = self.held_out, self.fixed or BATCH
        count = split.size if most is None else min(split.size, max(most, size))
        parts: dict[str, list[Array]] = {}
        state = self.start(size)
        for first in range(0, count, size):
            last = min(first + size, count)
            rows = size if self.fixed else last - first
            # the last row again, where the model takes no smaller batch
            given = self.inputs(split, np.minimum(np.arange(first, first + rows), count - 1))
            found = session.run({**given, **{name: value[:rows] for name, value in state.items()}})
            state = {name: found[output] for name, output in self.states.items()}
            for name in self.graph.outputs:
                parts.setdefault(name, []).append(self._from_model(name, found[name])[: last - first])
        return {name: np.concatenate(arrays) for name, arrays in parts.items()}

    def scores(self, session: Session) -> Scores:
        """The headline metric of each output that has targets, in original units."""
        split, given = self.held_out, self.answers(session)
        found: Scores = {}
        for name, output in self.graph.outputs.items():
            if name not in split.y or name not in given or len(given[name]) != split.size:
                continue
            values = given[name] if self.is_raw else in_units(output, self.deployment, given[name], split)
            outcome = outcome_of(output, self.deployment, values, split, self.dataset.steps.get(name, ()), self.plan)
            metric = HEADLINE[output.task]
            found[name] = {metric: float(score_outcome(outcome)[metric])}
        return found

    def differences(self, session: Session) -> dict[str, float]:
        """How far each output is from the float32 model's at most, relative to its largest magnitude."""
        before, after = self.answers(self.whole, COMPARED), self.answers(session, COMPARED)
        found = {}
        for name, values in before.items():
            if values.dtype.kind == "f":
                scale = float(np.max(np.abs(values), initial=1e-12))
                found[name] = float(np.max(np.abs(values - after[name]), initial=0.0)) / scale
        return found

    def speed(self, session: Session) -> float:
        """How often a model runs while the float32 one runs once, at batch 1 or the only batch, on one thread."""
        size = min(self.fixed or 1, self.held_out.size)
        feed = {**self.start(size), **self.inputs(self.held_out, slice(0, size))}
        return relative_speed(self.whole, session, feed)
