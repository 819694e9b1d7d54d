"""Conformal calibration of quantile outputs on the validation split.

Romano, Patterson and Candès, "Conformalized quantile regression", 2019: an interval is widened by the k-th smallest of
the distances by which the targets of n validation samples lie outside of it (negative inside), k = ceil((n + 1)·share).
That is done for each position of the targets by itself, such as each step of a horizon, on what the network gives.

Where whole series (or groups) are validated on, a target of another series is what is to be bounded, and windows of
one series are alike: each of the K series then counts as much as another, and the rank is that of K + 1 (Dunn,
Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", 2022).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import Compiled, predict, reset_states
from nnspec.backends.keras.streaming import batch_for
from nnspec.data.dataset import Dataset, Split
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.levels import Levels
from nnspec.data.prepare.transforms import OutputTransform
from nnspec.diagnostics import Fix, SpecError
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph, Output
from nnspec.ir.levels import pairs, share
from nnspec.training.targets import trim_to_batches
from nnspec.training.thresholds import with_thresholds

Float = NDArray[np.float32]


def deployment_of(
    graph: Graph, dataset: Dataset, compiled: Compiled, backend: TrainingBackend, batch: int | None = None
) -> Deployment:
    """What a trained model's file does around the network: levels calibrated and thresholds chosen as the spec says.

    Args:
        batch: of a stateful model, which reads the samples in order and whole batches of them.

    Raises:
        SpecError: NN582, NN586.
    """

    def predicted(split: Split) -> Mapping[str, np.ndarray]:
        if batch:
            reset_states(compiled.model)
        return predict(compiled.model, graph, split.x, batch or batch_for(split.x), backend)

    used = _in_whole_batches(graph, dataset, batch)
    outputs = with_thresholds(graph, used, calibrate_outputs(graph, used, predicted), predicted)
    return replace(dataset.deployment, outputs=outputs)


def require_enough(graph: Graph, dataset: Dataset, batch: int | None = None) -> None:
    """Looks before a training whether its levels can be calibrated after it.

    How many targets there are does not depend on what the network gives for them.

    Args:
        batch: as of `deployment_of`.

    Raises:
        SpecError: NN582 where the validation split is too small.
    """
    wanted = {output.name: ax.sizes(output.value.axes) for output in graph.outputs.values() if output.is_calibrated}
    sizes = {name: [size for size in found if isinstance(size, int)] for name, found in wanted.items()}
    if any(len(sizes[name]) < len(found) for name, found in wanted.items()):
        return  # an open axis: what the network gives has as many positions as its input

    def predict_nothing(split: Split) -> Mapping[str, np.ndarray]:
        return {name: np.broadcast_to(np.float32(0), (split.size, *found)) for name, found in sizes.items()}

    calibrate_outputs(graph, _in_whole_batches(graph, dataset, batch), predict_nothing)


def _in_whole_batches(graph: Graph, dataset: Dataset, batch: int | None) -> Dataset:
    """The validation samples that a stateful model reads; of others all."""
    if not batch or "validation" not in dataset.splits:
        return dataset
    span = next(iter(graph.outputs.values())).span
    splits = {**dataset.splits, "validation": trim_to_batches(dataset.splits["validation"], batch, span)}
    return replace(dataset, splits=splits)


def calibrate_outputs(
    graph: Graph, dataset: Dataset, predicted_of: Callable[[Split], Mapping[str, np.ndarray]]
) -> dict[str, OutputTransform]:
    """The transforms of the outputs, those that the spec wants calibrated with their offsets.

    Args:
        predicted_of: what the network gives for a split, by output.

    Raises:
        SpecError: NN582 where the validation split is too small.
    """
    transforms = dict(dataset.outputs)
    wanted = [output for output in graph.outputs.values() if output.is_calibrated]
    if not wanted:
        return transforms
    validation = dataset.splits["validation"]
    predicted = predicted_of(validation)
    for output in wanted:
        transform = transforms[output.name]
        assert transform.levels is not None
        truth, counted = validation.y[output.name], validation.counts(output.name)
        offset = fit_offsets(output, transform.levels, truth, predicted[output.name], counted, whole_groups(dataset))
        transforms[output.name] = replace(transform, levels=replace(transform.levels, offset=offset))
    return transforms


def whole_groups(dataset: Dataset) -> NDArray[np.int64] | None:
    """The series or group of each validation sample, where no training sample is of one of them; else None."""
    groups, train, validation = dataset.origins.groups, dataset.splits["train"], dataset.splits["validation"]
    if groups is None:
        return None
    known, own = np.unique(groups[train.rows]), groups[validation.rows]
    if np.isin(own, known).any():
        return None
    return np.asarray(np.unique(own, return_inverse=True)[1].reshape(-1), np.int64)


def fit_offsets(
    output: Output,
    levels: Levels,
    truth: np.ndarray,
    predicted: np.ndarray,
    counted: NDArray[np.bool_] | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Float:
    """What to add to each level: axes `*output`. The median stays, as does a level without a share to reach.

    Args:
        truth: targets as the network learns them, axes `sample *data`.
        predicted: what it gives for them, axes `sample *output`.
        counted: which of the targets count.
        groups: the series or group of each sample, where the samples to come are of others; axes `sample`.
    """
    given = np.moveaxis(predicted, levels.axis, -1).astype(np.float64)
    wide = truth.reshape(given.shape[:-1]).astype(np.float64)
    if counted is not None:
        wide = np.where(counted.reshape(wide.shape), wide, np.nan)
    offset = np.zeros(given.shape[1:], dtype=np.float64)
    values, paired = levels.values, set[int]()
    for low, high in pairs(values):
        outside = np.maximum(given[..., low] - wide, wide - given[..., high])
        reach = _smallest(output, outside, share(values, low, high), groups)
        offset[..., low], offset[..., high] = -reach, reach
        paired |= {low, high}
    for index, level in enumerate(values):
        if index in paired or level == 0.5:
            continue
        side = 1.0 if level > 0.5 else -1.0  # a level without a mirror image is a bound on one side
        offset[..., index] = side * _smallest(output, side * (wide - given[..., index]), max(level, 1 - level), groups)
    return np.moveaxis(offset, -1, levels.axis - 1).astype(np.float32)


def bounding_rank(count: int, wanted: float) -> int:
    """Which of `count` scores, from 1, bounds a share of future ones: ceil((n + 1)·share), which may exceed n."""
    return math.ceil((count + 1) * wanted - 1e-9)


def _smallest(output: Output, scores: np.ndarray, wanted: float, groups: NDArray[np.int64] | None) -> np.ndarray:
    """The score that bounds the share, of each position: axes `sample *data` to `*data`; NaN does not count."""
    if groups is not None:
        flat = scores.reshape(len(scores), -1)
        bounds = [_smallest_of_groups(output, column, wanted, groups) for column in flat.T]
        return np.array(bounds).reshape(scores.shape[1:])
    counts = np.sum(~np.isnan(scores), axis=0)
    ranks = np.vectorize(lambda count: bounding_rank(int(count), wanted), otypes=[np.int64])(counts)
    if np.any(ranks > counts):
        raise _too_few(output, int(counts.min()), wanted, "samples")
    ordered = np.sort(scores, axis=0)  # NaN last
    return np.asarray(np.take_along_axis(ordered, (ranks - 1)[None], axis=0)[0])


def _smallest_of_groups(output: Output, scores: np.ndarray, wanted: float, groups: NDArray[np.int64]) -> float:
    """The same of one position, each group counting as much as another: axes `sample`."""
    kept = ~np.isnan(scores)
    _, own = np.unique(groups[kept], return_inverse=True)
    sizes = np.bincount(own)
    if bounding_rank(len(sizes), wanted) > len(sizes):
        raise _too_few(output, len(sizes), wanted, "series or groups")
    order = np.argsort(scores[kept], kind="stable")
    reached = np.cumsum(1 / sizes[own[order]])  # as many as there are groups, all of them together
    first = int(np.searchsorted(reached, (len(sizes) + 1) * wanted - 1e-9))
    return float(scores[kept][order[min(first, len(order) - 1)]])


def _too_few(output: Output, count: int, wanted: float, what: str) -> SpecError:
    needed = math.ceil(wanted / (1 - wanted) - 1e-9)
    message = (
        f"output `{output.name}` cannot be calibrated: an interval of {wanted:.4g} needs {needed} validation {what}, "
        f"but there are {count}"
    )
    fixes = [Fix("make the validation split larger"), Fix("choose narrower levels"), Fix("remove `calibrate`")]
    return SpecError.single("NN582", message, output.span, path=f"outputs.{output.name}.calibrate", fixes=fixes)
