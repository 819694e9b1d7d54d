"""Chooses where yes begins, on the validation split, by the rule that the spec gives an output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.data.dataset import Dataset, Split
from nnspec.data.prepare.transforms import OutputTransform
from nnspec.diagnostics import Fix, SpecError
from nnspec.ir.graph import Graph, Output
from nnspec.ir.thresholds import Threshold

Array = np.ndarray
Counts = NDArray[np.float64]

# ONNX Runtime's sigmoid gives no less than 1.5e-8, and those of other runtimes are up to 1e-7 off.
_LEAST = 1e-6


def with_thresholds(
    graph: Graph,
    dataset: Dataset,
    transforms: Mapping[str, OutputTransform],
    predicted_of: Callable[[Split], Mapping[str, Array]],
) -> dict[str, OutputTransform]:
    """The transforms of the outputs, with the thresholds that rules choose.

    Args:
        predicted_of: what the network gives for a split, by output.

    Raises:
        SpecError: NN586 where the validation split has nothing to choose one on.
    """
    found = dict(transforms)
    wanted = [output for output in graph.outputs.values() if output.cut is not None and output.cut.rule is not None]
    validation = dataset.splits.get("validation")
    if not wanted or validation is None:  # without one there are no data, and the threshold is that of the task
        return found
    predicted = predicted_of(validation)
    for output in wanted:
        given, truth = scores_and_labels(output, predicted[output.name], validation)
        value = choose_threshold(output, given, truth)
        found[output.name] = replace(found.get(output.name, OutputTransform()), threshold=value)
    return found


def scores_and_labels(output: Output, predicted: Array, split: Split) -> tuple[Array, Array | None]:
    """The scores that count, and whether each is one of a yes, where that is known: axes `score`."""
    given, truth, counted = predicted.reshape(-1), split.y.get(output.name), counted_scores(output, split)
    kept = slice(None) if counted is None else counted.reshape(-1)
    return given[kept], None if truth is None else truth.reshape(-1)[kept] > 0.5


def counted_scores(output: Output, split: Split) -> NDArray[np.bool_] | None:
    """Which values of an output count, axes as theirs: a score for each step has none where all that it is the error of
    is padding; None where all do."""
    if output.error_of is None:
        return split.counts(output.name)
    name, reduced = output.error_of
    counted = split.counts(name)
    if counted is None or len(reduced) == counted.ndim - 1:
        return None
    return np.asarray(counted.any(axis=tuple(1 + i for i in reduced)))


def choose_threshold(output: Output, scores: Array, truth: Array | None) -> float:
    """The threshold, exact in float32, as the deployed graph compares.

    Args:
        scores: axes `score`.
        truth: whether each is one of a yes; None where nobody knows.

    Raises:
        SpecError: NN586.
    """
    cut = output.cut
    assert cut is not None
    if not np.isfinite(scores).all():
        raise _refuse(output, "some scores of the validation split are not finite numbers")
    if cut.rule == "quantile":
        scores = scores if truth is None else scores[~truth]
        if not len(scores):
            raise _refuse(output, "the validation split has no sample that is not labelled as an anomaly")
        return float(np.float32(np.quantile(scores.astype(np.float64), float(cut.goal))))
    if truth is None or truth.all() or not truth.any():
        known = "no labels" if truth is None else "one class alone"
        raise _refuse(output, f"`{cut.rule}` compares scores with labels, but the validation split has {known}")
    is_share = output.error_of is None and not output.gives_scores
    return _best(cut, scores.astype(np.float32), truth, output.threshold, _LEAST if is_share else 0.0)


def _best(cut: Threshold, scores: Array, truth: Array, usual: float, least: float) -> float:
    """Between two neighbouring scores: of equally good ones, that which is nearest to the usual threshold.

    Args:
        least: scores that are no further from 0 or 1 are not told apart from these.
    """
    most = scores.max()
    if least:
        scores = np.clip(scores, np.float32(least), np.float32(1 - least))
    order = np.argsort(scores, kind="stable")
    ordered, yes = scores[order], truth[order].astype(np.float64)
    last = np.flatnonzero(np.append(np.diff(ordered) > 0, True))  # the last of each group of equal scores
    misses = np.append(0.0, np.cumsum(yes)[last])
    left_out = np.append(0.0, last + 1.0)
    hits, said = yes.sum() - misses, len(yes) - left_out
    value = _metric(cut, hits, said, yes.sum(), len(yes))
    below = ordered[last]
    above = np.append(below[1:], np.inf)
    middle = ((below.astype(np.float64) + above) / 2).astype(np.float32)
    between = np.where((middle < above) & (middle >= below), middle, below)
    between[-1] = most
    cuts = np.append(np.nextafter(below[0], np.float32(-np.inf)), between)
    if below[0] <= np.float32(least):  # as of a sigmoid that gives no less: no threshold takes these for a yes
        cuts, value = cuts[1:], value[1:]
    best = np.flatnonzero(value >= value.max() - 1e-12)
    return float(cuts[best[np.argmin(np.abs(cuts[best] - usual))]])


def _metric(cut: Threshold, hits: Counts, said: Counts, positives: float, count: int) -> Counts:
    """What the rule wants to be as large as possible, at each threshold."""
    precision = np.divide(hits, said, out=np.zeros(len(hits)), where=said > 0)
    recall = hits / positives
    noes = (count - positives) - (said - hits)
    if cut.goal == "f1":
        return np.asarray(2 * hits / (said + positives))
    if cut.goal == "accuracy":
        return np.asarray((hits + noes) / count)
    if cut.goal == "balanced_accuracy":
        return np.asarray((recall + noes / (count - positives)) / 2)
    reached, other = (precision, recall) if cut.rule == "precision" else (recall, precision)
    # Where none reaches the goal, the nearest to it is the best.
    return np.asarray(np.where(reached >= float(cut.goal), 2.0 + other, reached))


def _refuse(output: Output, reason: str) -> SpecError:
    message = f"the threshold of output `{output.name}` cannot be chosen: {reason}"
    fixes = [Fix("make the validation split larger"), Fix("or give the threshold as a number")]
    return SpecError.single("NN586", message, output.span, path=f"outputs.{output.name}.threshold", fixes=fixes)
