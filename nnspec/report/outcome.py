"""What a model says about held-out samples, beside the truth: what plots and tables of a report are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from nnspec.data.dataset import Dataset, Split
from nnspec.data.deployment import Deployment, class_indices, class_position
from nnspec.data.section.plan import SlotPlan
from nnspec.ir.graph import ANOMALY, Graph, Output

Array = np.ndarray
MOST_SAMPLES = 4096  # of a split; plots of more look the same


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """One output on one split, a sample a row.

    Attributes:
        truth: axes `sample value`, in original units, or class indices.
        guess: the same of the model.
        scores: of classes, the probabilities: axes `sample value class`; of a binary output those of its second class.
        classes: their names.
        levels: of quantiles, the levels: axes `sample value level`.
        rows: each sample's row in the file, from 1.
        given: some of the inputs' values, by name.
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
    given: Mapping[str, Array]

    @property
    def is_class(self) -> bool:
        return self.task in ("classification", "binary")

    @property
    def errors(self) -> Array:
        """How wrong each sample is: the mean absolute error, or 1 less the probability of the true class; `sample`."""
        if not self.is_class:
            return np.asarray(np.nanmean(np.abs(self.guess - self.truth), axis=1))
        return 1.0 - self.chance_of_truth()

    def chance_of_truth(self) -> Array:
        """The probability that the model gives the true classes, the mean over a sample's values: axes `sample`."""
        assert self.scores is not None
        codes = self.truth.astype(np.int64)
        if self.task == "binary":
            chance = np.where(codes == 1, self.scores, 1.0 - self.scores)
        else:
            chance = np.take_along_axis(self.scores, codes[..., None], axis=-1)[..., 0]
        return np.asarray(chance.mean(axis=1))


def shown_split(dataset: Dataset) -> str:
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
    inputs: Mapping[str, SlotPlan],
) -> list[Outcome]:
    """Every output that has targets, on the split that a report shows.

    Args:
        predicted: what the network says of `first_samples`.
    """
    name = shown_split(dataset)
    split = dataset.splits[name]
    count = min(split.size, MOST_SAMPLES, *(len(values) for values in predicted.values()))
    outputs = [output for output in graph.outputs.values() if _is_shown(output, split)]
    given = _given(split, count, inputs)
    return [_outcome(output, deployment, predicted[output.name][:count], name, split, given) for output in outputs]


def _is_shown(output: Output, split: Split) -> bool:
    return output.name in split.y and output.task not in ("multilabel", ANOMALY) and split.counts(output.name) is None


def _outcome(
    output: Output, deployment: Deployment, said: Array, name: str, split: Split, given: Mapping[str, Array]
) -> Outcome:
    count = len(said)
    task = output.task or "regression"
    known = partial(Outcome, name=output.name, task=task, split=name, rows=split.rows[:count] + 1, given=given)
    if task in ("classification", "binary"):
        truth = split.y[output.name][:count].reshape(count, -1)
        scores = said.reshape(count, -1) if task == "binary" else _class_last(output, said, count)
        size = 2 if task == "binary" else scores.shape[-1]
        return known(
            truth=truth,
            guess=class_indices(output, said, deployment.threshold(output)).reshape(count, -1),
            scores=scores,
            classes=tuple(map(str, deployment.classes(output) or range(size))),
        )
    transform = deployment.outputs.get(output.name)
    raw = {each: values[:count] for each, values in split.raw.items()}
    values = np.asarray(transform.restore(said, raw) if transform is not None else said, np.float64)
    truth = np.asarray(split.target[output.name][:count], np.float64).reshape(count, -1)
    if output.levels and transform is not None and transform.levels is not None:
        ways = [transform.levels.at(values, i).reshape(count, -1) for i in range(len(output.levels))]
        middle = int(np.argmin([abs(level - 0.5) for level in output.levels]))
        levels = np.stack(ways, axis=-1)
        return known(truth=truth, guess=levels[..., middle], levels=levels)
    return known(truth=truth, guess=values.reshape(count, -1))


def _class_last(output: Output, said: Array, count: int) -> Array:
    moved = np.moveaxis(said, 1 + class_position(output), -1)
    return moved.reshape(count, -1, moved.shape[-1])


def _given(split: Split, count: int, inputs: Mapping[str, SlotPlan]) -> dict[str, Array]:
    """Columns of inputs that have one value a sample, by name: what tells a reader which sample it is."""
    found: dict[str, Array] = {}
    for name, values in split.raw.items():
        columns: Sequence[str] = inputs[name].columns if name in inputs else ()
        if values.ndim == 2 and values.shape[1] == len(columns):
            found |= {column: values[:count][:, i] for i, column in enumerate(columns)}
        elif values.ndim == 1:
            found[name] = values[:count]
    return found
