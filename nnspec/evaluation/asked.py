"""The metrics that a spec asks for, in NumPy, as Keras computes them.

Keras' own objects score the splits of a build; a deployed file is scored without Keras, so that these stand beside
them. `tests/unit/evaluation/test_asked.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.evaluation.asked_counts import AT, COUNTS, area, best_at, count, f_beta
from nnspec.evaluation.asked_values import (
    ALONG_LAST,
    MEANS,
    ROOTS,
    Arguments,
    determination,
    divide,
    mean,
    number_or,
    of_rows,
)
from nnspec.training.metrics.outcome import Array, Outcome

_OF_SCORES = frozenset({"Hinge", "SquaredHinge", "CategoricalHinge"})  # which read what a head gives as it is
_OVERLAPS = frozenset({"IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "BinaryIoU"})


def measure(
    asked: Sequence[Sequence[object]], outcome: Outcome, weights: Array | None = None
) -> tuple[dict[str, object], list[str]]:
    """Each metric by its name, and the names of those that only Keras computes.

    Args:
        asked: for each its name, Keras' class, and its arguments.
        outcome: targets that do not count are left out of it.
        weights: what each sample counts, as Keras' `sample_weight`; default: all the same.
    """
    found: dict[str, object] = {}
    unknown = []
    for name, kind, arguments in asked:
        assert isinstance(arguments, dict)
        value = (
            None
            if outcome.counted is not None and kind in ALONG_LAST
            else _value(str(kind), arguments, outcome, weights)
        )
        if value is None:
            unknown.append(str(name))
        else:
            found[str(name)] = value.tolist() if isinstance(value, np.ndarray) else float(value)
    return found, unknown


def _value(kind: str, arguments: Arguments, given: Outcome, weights: Array | None) -> float | Array | None:
    if arguments.get("axis", -1) != -1 and kind in ALONG_LAST:
        return None
    outcome = given.those_that_count
    if weights is not None and given.counted is not None:  # each target that counts is a sample now
        places = given.counted.reshape(len(weights), -1).sum(axis=-1)
        weights = np.repeat(weights, places)
    truth, said = _pair(kind, arguments, outcome)
    if kind in _OVERLAPS:
        return _overlap(kind, arguments, outcome, said, weights)
    if kind in MEANS:
        if arguments.get("ignore_class") is not None:
            return None
        found = mean(MEANS[kind](truth, said, arguments), weights)
        return float(np.sqrt(found)) if kind in ROOTS else found
    if kind == "R2Score":
        return determination(truth, said, arguments, weights)
    if kind == "AUC":
        return area(truth, said, arguments, weights)
    if kind in COUNTS:
        return count(kind, truth, said, arguments, weights)
    if kind in AT:
        return best_at(kind, truth, said, arguments, weights)
    if kind in ("F1Score", "FBetaScore"):
        return f_beta(truth, said, arguments, weights)
    if kind == "BinaryAccuracy":
        return mean((said > number_or(arguments.get("threshold"), 0.5)) == truth, weights)
    if kind in ("SparseCategoricalAccuracy", "CategoricalAccuracy"):
        return mean(truth.argmax(axis=-1) == said.argmax(axis=-1), weights)
    if kind in ("SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy") and not arguments.get("from_sorted_ids"):
        return _among_first(truth, said, int(number_or(arguments.get("k"), 5)), weights)
    return None


def _pair(kind: str, arguments: Arguments, outcome: Outcome) -> tuple[Array, Array]:
    """Targets and predictions of the same axes: a classification's one-hot and probabilities, quantiles' medians."""
    if outcome.task == "quantiles":
        from nnspec.ir.levels import middle

        return outcome.truth.astype(np.float64), outcome.predicted[..., middle(outcome.levels)].astype(np.float64)
    said = outcome.predicted.astype(np.float64)
    if arguments.get("from_logits"):
        said = _shares(said, is_one_of=outcome.task == "classification" or "Categorical" in kind)
    elif outcome.task != "regression" and kind not in _OF_SCORES and arguments.get("threshold") != 0:
        shares = outcome.probabilities
        said = said if shares is None else shares
    if outcome.task == "classification":
        return np.eye(said.shape[-1])[outcome.truth.astype(np.int64)], said
    return outcome.truth.reshape(said.shape).astype(np.float64), said


def _shares(scores: Array, *, is_one_of: bool) -> Array:
    if not is_one_of:
        return np.asarray(np.exp(-np.logaddexp(0, -scores)))
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _among_first(truth: Array, said: Array, k: int, weights: Array | None) -> float:
    own = np.take_along_axis(said, truth.argmax(axis=-1)[..., None], axis=-1)
    return mean((said > own).sum(axis=-1) < k, weights)


def _overlap(kind: str, arguments: Arguments, outcome: Outcome, said: Array, weights: Array | None) -> float:
    """The mean intersection over union of the classes that are asked for and occur."""
    truth = outcome.truth.reshape(-1)
    if kind == "BinaryIoU":
        found, classes = said.reshape(-1) >= number_or(arguments.get("threshold"), 0.5), 2
    else:
        found, classes = said.argmax(axis=-1).reshape(-1), int(number_or(arguments.get("num_classes"), said.shape[-1]))
    ignored = arguments.get("ignore_class")
    kept = truth != ignored if isinstance(ignored, int) else np.ones(len(truth), bool)
    weigh = of_rows(weights, len(truth))[:, 0]
    truth, found, weigh = truth[kept], found[kept], weigh[kept]
    asked = arguments.get("target_class_ids")
    ids = list(asked) if isinstance(asked, list | tuple) else list(range(classes))
    hits = np.array([np.sum(weigh[(truth == k) & (found == k)]) for k in ids], dtype=np.float64)
    either = np.array([np.sum(weigh[(truth == k) | (found == k)]) for k in ids], dtype=np.float64)
    return float(divide(hits, either)[either > 0].mean())
