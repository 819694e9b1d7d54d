"""The metrics that a spec asks for, in NumPy, as Keras computes them.

Keras' own objects score the splits of a build; a deployed file is scored without Keras, so that these stand beside
them. `tests/unit/evaluation/test_asked.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import fsum

import numpy as np

from nnspec.evaluation.asked_counts import AT, COUNTS, area, best_at, count, f_beta, tally, tally_f_beta
from nnspec.evaluation.asked_values import (
    ALONG_LAST,
    MEANS,
    ROOTS,
    Arguments,
    Triple,
    Values,
    determination,
    divide,
    number_or,
    of_rows,
    weigh,
)
from nnspec.training.metrics.outcome import Array, Outcome
from nnspec.training.metrics.streamed import is_streamed, parts_of

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
    """A metric; of many targets in chunks, what it would be of all at once but for rounding."""
    if arguments.get("axis", -1) != -1 and kind in ALONG_LAST:
        return None

    def read() -> Iterator[Triple]:
        for part, own in _parts(given, weights):
            yield *_pair(kind, arguments, part), own

    if kind in _OVERLAPS:
        each = ((part, _pair(kind, arguments, part)[1], own) for part, own in _parts(given, weights))
        return _overlap(kind, arguments, each)
    if kind == "R2Score":
        return determination(read, arguments)
    if kind in COUNTS or kind in AT or kind == "AUC":
        counts = _add(tally(kind, *triple[:2], arguments, triple[2]) for triple in read())
        four = (counts[0], counts[1], counts[2], counts[3])
        if kind == "AUC":
            return area(four, arguments)
        return best_at(kind, four, arguments) if kind in AT else count(kind, four)
    if kind in ("F1Score", "FBetaScore"):
        return f_beta(_add(tally_f_beta(*triple[:2], arguments, triple[2]) for triple in read()), arguments)
    values = _values_of(kind, arguments)
    if values is None:
        return None
    sums = [weigh(values(truth, said, arguments), own) for truth, said, own in read()]
    found = fsum(value for value, _ in sums) / fsum(number for _, number in sums)
    return float(np.sqrt(found)) if kind in ROOTS else found


def _parts(given: Outcome, weights: Array | None) -> Iterator[tuple[Outcome, Array | None]]:
    """The targets that count, as samples, with their weights: some at a time where they are many."""
    done = 0
    for part in parts_of(given) if is_streamed(given) else [given]:
        own = None if weights is None else weights[done : done + len(part.truth)]
        done += len(part.truth)
        if own is not None and part.counted is not None:  # each target that counts is a sample now
            own = np.repeat(own, part.counted.reshape(len(own), -1).sum(axis=-1))
        outcome = part.those_that_count
        if len(outcome.truth):
            yield outcome, own


def _add(parts: Iterable[tuple[Array, ...]]) -> tuple[Array, ...]:
    """The sums of counts."""
    found: tuple[Array, ...] = ()
    for part in parts:
        found = tuple(map(np.add, found, part)) if found else part
    return found


def _values_of(kind: str, arguments: Arguments) -> Values | None:
    """The values whose mean is the metric; None of one that only Keras computes."""
    if kind in MEANS:
        return MEANS[kind] if arguments.get("ignore_class") is None else None
    if kind == "BinaryAccuracy":
        return lambda truth, said, given: (said > number_or(given.get("threshold"), 0.5)) == truth
    if kind in ("SparseCategoricalAccuracy", "CategoricalAccuracy"):
        return lambda truth, said, _: truth.argmax(axis=-1) == said.argmax(axis=-1)
    if kind in ("SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy") and not arguments.get("from_sorted_ids"):
        return _are_among_first
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


def _are_among_first(truth: Array, said: Array, arguments: Arguments) -> Array:
    own = np.take_along_axis(said, truth.argmax(axis=-1)[..., None], axis=-1)
    return np.asarray((said > own).sum(axis=-1) < int(number_or(arguments.get("k"), 5)))


def _overlap(kind: str, arguments: Arguments, parts: Iterable[tuple[Outcome, Array, Array | None]]) -> float:
    """The mean intersection over union of the classes that are asked for and occur."""
    asked = arguments.get("target_class_ids")
    counts: list[tuple[Array, ...]] = []
    for outcome, said, weights in parts:
        truth = outcome.truth.reshape(-1)
        if kind == "BinaryIoU":
            found, classes = said.reshape(-1) >= number_or(arguments.get("threshold"), 0.5), 2
        else:
            found = said.argmax(axis=-1).reshape(-1)
            classes = int(number_or(arguments.get("num_classes"), said.shape[-1]))
        ignored = arguments.get("ignore_class")
        kept = truth != ignored if isinstance(ignored, int) else np.ones(len(truth), bool)
        own = of_rows(weights, len(truth))[:, 0]
        truth, found, own = truth[kept], found[kept], own[kept]
        ids = list(asked) if isinstance(asked, list | tuple) else list(range(classes))
        hits = np.array([np.sum(own[(truth == k) & (found == k)]) for k in ids], dtype=np.float64)
        either = np.array([np.sum(own[(truth == k) | (found == k)]) for k in ids], dtype=np.float64)
        counts.append((hits, either))
    hits, either = _add(counts)
    return float(divide(hits, either)[either > 0].mean())
