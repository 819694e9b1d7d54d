"""What a model says about held-out samples, beside the truth: what plots and tables of a report are made from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from nnspec.data.dataset import Dataset, Split
from nnspec.data.deployment import Deployment, class_indices, class_position
from nnspec.data.overview.column_statistics import as_dates
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.units import output_units, unit_of_all, with_unit
from nnspec.ir.axes import Axes
from nnspec.ir.graph import ANOMALY, Graph, Output
from nnspec.ir.levels import LEVEL
from nnspec.training.thresholds import counted_scores

Array = np.ndarray
MOST_SAMPLES = 4096  # of a split; plots of more look the same


@dataclass(frozen=True, eq=False)
class Given:
    """An input's values, axes `sample` and then `axes`, where there are as many."""

    values: Array
    axes: Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """One output on one split, a sample a row.

    Attributes:
        truth: axes `sample value`, in original units, or class indices; NaN or -1 where a target does not count.
        guess: the same of the model; of a score of anomalies, the score.
        scores: of classes, the probabilities: axes `sample value class`; of a binary or several labels, that of yes.
        classes: their names.
        levels: of quantiles, the levels: axes `sample value level`.
        rows: each sample's row in the file, from 1.
        given: the inputs, or their columns, by name.
        threshold: where yes begins, or an anomaly.
        has_truth: whether there are targets, which scores of anomalies need not have.
        unit: what all its values are measured in; empty where nobody said.
        axes: those of its values, where a sample has as many as they say; classes left out.
        series: a number of each sample's series, where there are several; axes `sample`.
    """

    name: str
    task: str
    split: str
    truth: Array
    guess: Array
    rows: Array
    scores: Array | None = None
    classes: tuple[str, ...] = ()
    levels: Array | None = None
    given: Mapping[str, Given]
    threshold: float | None = None
    has_truth: bool = True
    unit: str = ""
    axes: Axes = ()
    series: Array | None = None

    @property
    def title(self) -> str:
        """Its name with its unit, as axes of plots have it."""
        return with_unit(self.name, self.unit)

    @property
    def is_class(self) -> bool:
        return self.task in ("classification", "binary")

    @property
    def is_anomaly(self) -> bool:
        return self.task == ANOMALY

    @property
    def error(self) -> str:
        """What its errors are."""
        if self.is_anomaly:
            return "score"
        if self.task == "multilabel":
            return "mean distance of the probabilities"
        return "1 less the true class' probability" if self.is_class else "mean absolute error"

    @property
    def errors(self) -> Array:
        """How wrong each sample is: axes `sample`; NaN where no target counts."""
        if self.is_anomaly:
            return np.asarray(self.guess.max(axis=1))
        if self.task == "multilabel":
            assert self.scores is not None
            return _mean(np.abs(self.scores - self.truth), self.truth >= 0)
        if not self.is_class:
            return _mean(np.abs(self.guess - self.truth), np.isfinite(self.truth))
        return 1.0 - self.chance_of_truth()

    def chance_of_truth(self) -> Array:
        """The probability that the model gives the true classes, the mean over a sample's values: axes `sample`."""
        assert self.scores is not None
        codes = self.truth.astype(np.int64)
        counted = codes >= 0
        if self.task == "binary":
            chance = np.where(codes == 1, self.scores, 1.0 - self.scores)
        else:
            chance = np.take_along_axis(self.scores, np.maximum(codes, 0)[..., None], axis=-1)[..., 0]
        return _mean(chance, counted)

    def pairs(self) -> tuple[Array, Array]:
        """True and predicted values that count: axes `value`."""
        return self.truth[self.counted], self.guess[self.counted]

    @property
    def counted(self) -> Array:
        """Which targets count: axes as theirs."""
        truth = self.truth
        return np.isfinite(truth) if truth.dtype.kind == "f" else np.asarray(truth >= 0)


def _mean(values: Array, counted: Array) -> Array:
    """The mean of the values that count: axes `sample`; NaN where none does."""
    number = counted.sum(axis=1)
    total = np.where(counted, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, number, out=np.full(len(values), np.nan), where=number > 0))


def reported_split(dataset: Dataset) -> str:
    """The split that a report looks at: the test rows, or the nearest to them that there are."""
    return next(name for name in ("test", "validation", "train") if name in dataset.splits)


def first_samples(split: Split) -> dict[str, Array]:
    """The inputs of no more samples than a report looks at, as the network reads them."""
    return {name: values[:MOST_SAMPLES] for name, values in split.x.items()}


def outcomes_of(
    graph: Graph,
    dataset: Dataset,
    deployment: Deployment,
    predicted: Mapping[str, Array],
    plan: DataPlan | None,
) -> list[Outcome]:
    """Every output that has targets or scores anomalies, on the split that a report shows.

    Args:
        predicted: what the network says of `first_samples`.
        plan: names columns.
    """
    name = reported_split(dataset)
    split = dataset.splits[name]
    count = min(split.size, MOST_SAMPLES, *(len(values) for values in predicted.values()))
    given = _given(graph, split, count, plan.inputs if plan is not None else {})
    columns = {each: () if plan is None else plan.columns_of(each) for each in graph.outputs}
    found = [
        _outcome(output, deployment, predicted[output.name][:count], split, given, name, columns[output.name])
        for output in graph.outputs.values()
        if output.task == ANOMALY or output.name in split.y
    ]
    units = {each: unit_of_all(output_units(graph, plan, each), columns[each]) for each in graph.outputs}
    groups = dataset.origins.groups if plan is not None and plan.series_column is not None else None
    series = None if groups is None else groups[split.rows[:count]]
    return [
        replace(
            outcome,
            unit=units[outcome.name],
            axes=_value_axes(graph.outputs[outcome.name], outcome.truth.shape[1]),
            series=series,
        )
        for outcome in found
    ]


def _value_axes(output: Output, count: int) -> Axes:
    """The axes along which a sample has `count` values; none where they have other sizes."""
    left_out = {output.class_axis if output.task == "classification" else None, LEVEL if output.levels else None}
    axes = tuple(axis for axis in output.value.axes if axis.name not in left_out)
    sizes = [axis.size for axis in axes if isinstance(axis.size, int)]
    return axes if len(sizes) == len(axes) and math.prod(sizes) == count else ()


def _outcome(
    output: Output,
    deployment: Deployment,
    said: Array,
    split: Split,
    given: Mapping[str, Given],
    name: str,
    columns: tuple[str, ...],
) -> Outcome:
    count = len(said)
    task = output.task or "regression"
    known = partial(Outcome, name=output.name, task=task, split=name, rows=split.rows[:count] + 1, given=given)
    counts = counted_scores(output, split) if task == ANOMALY else split.counts(output.name)
    counted = None if counts is None else np.asarray(counts[:count]).reshape(count, -1)
    if task == ANOMALY:
        scores = _apply_mask(np.asarray(said, np.float64).reshape(count, -1), counted, -np.inf)
        labels = split.y[output.name][:count].reshape(count, -1) if output.name in split.y else scores * 0
        cut = deployment.threshold(output) if deployment.has_threshold(output) else None
        return known(truth=labels, guess=scores, threshold=cut, has_truth=output.name in split.y)
    if task == "multilabel":
        scores, cut = said.reshape(count, -1), deployment.threshold(output)
        names = tuple(map(str, output.classes or ())) or columns or tuple(map(str, range(scores.shape[-1])))
        truth = _apply_mask(split.y[output.name][:count].reshape(count, -1).astype(np.int64), counted, -1)
        return known(truth=truth, guess=(scores > cut).astype(np.int64), scores=_chance(output, scores), classes=names)
    if task in ("classification", "binary"):
        truth = _apply_mask(split.y[output.name][:count].reshape(count, -1).astype(np.int64), counted, -1)
        scores = said.reshape(count, -1) if task == "binary" else _class_last(output, said, count)
        size = 2 if task == "binary" else scores.shape[-1]
        return known(
            truth=truth,
            guess=class_indices(output, said, deployment.threshold(output)).reshape(count, -1),
            scores=_chance(output, scores),
            classes=tuple(map(str, deployment.classes(output) or range(size))),
            threshold=float(_chance(output, np.array(deployment.threshold(output)))) if task == "binary" else None,
        )
    transform = deployment.outputs.get(output.name)
    raw = {each: values[:count] for each, values in split.raw.items()}
    values = np.asarray(transform.restore(said, raw) if transform is not None else said, np.float64)
    truth = _apply_mask(np.asarray(split.target[output.name][:count], np.float64).reshape(count, -1), counted, np.nan)
    if output.levels and transform is not None and transform.levels is not None:
        ways = [transform.levels.at(values, i).reshape(count, -1) for i in range(len(output.levels))]
        middle = int(np.argmin([abs(level - 0.5) for level in output.levels]))
        levels = np.stack(ways, axis=-1)
        return known(truth=truth, guess=levels[..., middle], levels=levels)
    return known(truth=truth, guess=values.reshape(count, -1))


def _apply_mask(values: Array, counted: Array | None, instead: float) -> Array:
    return values if counted is None else np.where(counted, values, instead)


def _chance(output: Output, scores: Array) -> Array:
    """Probabilities, of an output that gives scores too; classes last."""
    wide = np.asarray(scores, np.float64)
    if not output.gives_scores:
        return wide
    if output.task == "classification":
        raised = np.exp(wide - wide.max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
    return np.asarray(1.0 / (1.0 + np.exp(-wide)))


def _class_last(output: Output, said: Array, count: int) -> Array:
    moved = np.moveaxis(said, 1 + class_position(output), -1)
    return moved.reshape(count, -1, moved.shape[-1])


def _given(graph: Graph, split: Split, count: int, inputs: Mapping[str, SlotPlan]) -> dict[str, Given]:
    """Inputs by name: columns that have one value a sample apart, all others whole."""
    found: dict[str, Given] = {}
    dates = {column.name for slot in inputs.values() for column in slot.encodings if column.is_date}
    for name, values in split.raw.items():
        slot = inputs.get(name)
        columns: Sequence[str] = slot.columns if slot is not None else ()
        if values.ndim == 2 and values.shape[1] == len(columns):
            part = values[:count]
            found |= {column: Given(part[:, i], ()) for i, column in enumerate(columns)}
        else:
            part = values[:count]
            axes = graph.inputs[name].axes if name in graph.inputs else ()
            found[name] = Given(as_dates(part) if name in dates and part.dtype.kind == "i" else part, axes)
    return found
