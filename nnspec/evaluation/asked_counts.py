"""Metrics that count hits above thresholds, in NumPy, as Keras computes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.evaluation.asked_values import EPSILON, Arguments, divide, number_or, of_rows
from nnspec.training.metrics.outcome import Array

Counts = tuple[Array, Array, Array, Array]  # hits, false alarms, misses, right noes
AT = {
    "PrecisionAtRecall": "recall",
    "RecallAtPrecision": "precision",
    "SensitivityAtSpecificity": "specificity",
    "SpecificityAtSensitivity": "sensitivity",
}
COUNTS = frozenset({"Precision", "Recall", "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"})


def counts_at(
    truth: Array,
    said: Array,
    thresholds: Sequence[float],
    weights: Array | None = None,
    *,
    of_labels: Array | None = None,
    each_label: bool = False,
) -> Counts:
    """Counts at each threshold, in the float32 in which Keras compares: axes `threshold`, or `threshold label`.

    Args:
        weights: what each sample counts.
        of_labels: what a value of each label counts.
    """
    rows = truth.reshape(-1, truth.shape[-1]) > 0.5
    shares = said.reshape(-1, truth.shape[-1]).astype(np.float32)
    weigh = of_rows(weights, len(rows)) * (np.ones(rows.shape[-1]) if of_labels is None else of_labels)
    axes = 0 if each_label else (0, 1)

    def total(values: Array) -> Array:
        return np.asarray((values * weigh).sum(axis=axes), dtype=np.float64)

    both = []
    for threshold in thresholds:  # one at a time: what is above all of them has no room
        yes = shares > np.float32(threshold)
        both.append((total(rows & yes), total(~rows & yes)))
    hits, alarms = (np.stack([each[i] for each in both]) for i in range(2))
    return hits, alarms, total(rows) - hits, total(~rows) - alarms


def tally(kind: str, truth: Array, said: Array, arguments: Arguments, weights: Array | None = None) -> Counts:
    """What a metric of counts is made of; of several parts of the samples, the sums."""
    if kind == "AUC":
        each_label = bool(arguments.get("multi_label"))
        of_labels = None if each_label else _label_weights(arguments)
        thresholds = _of_area(arguments)
        return counts_at(truth, said, thresholds, weights, of_labels=of_labels, each_label=each_label)
    if kind in AT:
        steps = int(number_or(arguments.get("num_thresholds"), 200))
        thresholds = np.linspace(0, 1, steps).tolist() if steps > 1 else [0.5]
        return counts_at(*_of_class(truth, said, arguments), thresholds, weights)
    top = arguments.get("top_k")
    if top is not None:
        least = np.sort(said, axis=-1)[..., -int(number_or(top, 1)), None]
        said = np.where(said >= least, said, -np.inf)
    return counts_at(*_of_class(truth, said, arguments), _of_count(arguments), weights)


def _of_count(arguments: Arguments) -> list[float]:
    given = arguments.get("thresholds")
    default = 0.5 if arguments.get("top_k") is None else float(np.finfo(np.float32).min)
    return [float(t) for t in given] if isinstance(given, list | tuple) else [number_or(given, default)]


def count(kind: str, counts: Counts) -> float | Array:
    """`Precision`, `TruePositives` and the like: a list for several thresholds."""
    hits, alarms, misses, noes = counts
    values = {
        "Precision": divide(hits, hits + alarms),
        "Recall": divide(hits, hits + misses),
        "TruePositives": hits,
        "TrueNegatives": noes,
        "FalsePositives": alarms,
        "FalseNegatives": misses,
    }[kind]
    return values if len(values) > 1 else float(values[0])


def best_at(kind: str, counts: Counts, arguments: Arguments) -> float:
    """The highest value of one metric at the thresholds at which the other is at least what the spec asks for."""
    hits, alarms, misses, noes = counts
    metrics = {
        "precision": divide(hits, hits + alarms),
        "recall": divide(hits, hits + misses),
        "sensitivity": divide(hits, hits + misses),
        "specificity": divide(noes, noes + alarms),
    }
    given = AT[kind]
    wanted = {"precision": "recall", "recall": "precision"}.get(given) or (
        "specificity" if given == "sensitivity" else "sensitivity"
    )
    # float32, in which Keras compares
    fits = metrics[given].astype(np.float32) >= np.float32(number_or(arguments.get(given), 0))
    return float(metrics[wanted][fits].max()) if fits.any() else 0.0


def _of_class(truth: Array, said: Array, arguments: Arguments) -> tuple[Array, Array]:
    which = arguments.get("class_id")
    if not isinstance(which, int):
        return truth, said
    return truth[..., which, None], said[..., which, None]


def _of_area(arguments: Arguments) -> list[float]:
    given, steps = arguments.get("thresholds"), int(number_or(arguments.get("num_thresholds"), 200))
    inner = sorted(map(float, given)) if isinstance(given, list | tuple) else np.linspace(0, 1, steps)[1:-1].tolist()
    return [-EPSILON, *inner, 1 + EPSILON]


def _label_weights(arguments: Arguments) -> Array | None:
    chosen = arguments.get("label_weights")
    return np.asarray(chosen, np.float64) if isinstance(chosen, list | tuple) else None


def area(counts: Counts, arguments: Arguments) -> float:
    """The area under a curve, by the sums or the interpolation of Keras' `AUC`."""
    by_label = _areas(counts, str(arguments.get("curve") or "ROC"), str(arguments.get("summation_method") or ""))
    if not arguments.get("multi_label"):
        return float(by_label)
    return float(np.average(by_label, weights=_label_weights(arguments)))


def _areas(counts: Counts, curve: str, method: str) -> Array:
    hits, alarms, misses, noes = counts
    recall = divide(hits, hits + misses)
    if curve == "PR" and method in ("", "interpolation"):
        return _interpolate(hits, alarms, misses)
    if curve == "ROC":
        x, y = divide(alarms, alarms + noes), recall
    else:
        x, y = recall, divide(hits, hits + alarms)
    heights = {"minoring": np.minimum(y[:-1], y[1:]), "majoring": np.maximum(y[:-1], y[1:])}
    return np.asarray(((x[:-1] - x[1:]) * heights.get(method, (y[:-1] + y[1:]) / 2)).sum(axis=0))


def _interpolate(hits: Array, alarms: Array, misses: Array) -> Array:
    fewer, positives = hits[:-1] - hits[1:], hits + alarms
    slope = divide(fewer, np.maximum(positives[:-1] - positives[1:], 0))
    intercept = hits[1:] - slope * positives[1:]
    is_both = (positives[:-1] > 0) & (positives[1:] > 0)
    ratio = np.where(is_both, divide(positives[:-1], np.maximum(positives[1:], 0)), 1.0)
    steps = slope * (fewer + intercept * np.log(np.where(ratio > 0, ratio, 1)))
    return np.asarray(divide(steps, np.maximum(hits[1:] + misses[1:], 0)).sum(axis=0))


def tally_f_beta(truth: Array, said: Array, arguments: Arguments, weights: Array | None = None) -> tuple[Array, ...]:
    """What `f_beta` is made of: hits, how often each was said, and how often it is true."""
    rows, shares = truth.reshape(-1, truth.shape[-1]), said.reshape(-1, truth.shape[-1])
    threshold = arguments.get("threshold")
    if threshold is None:
        yes = (shares >= shares.max(axis=-1, keepdims=True)) & (np.abs(shares) > 1e-9)
    else:
        yes = shares.astype(np.float32) > np.float32(number_or(threshold, 0.5))
    axis, weigh = None if arguments.get("average") == "micro" else 0, of_rows(weights, len(rows))
    return tuple(np.asarray((v * weigh).sum(axis=axis)) for v in (rows * yes, yes, rows))


def f_beta(counts: tuple[Array, ...], arguments: Arguments) -> float | Array:
    """`F1Score` and `FBetaScore`: of the best class of each row, or of those above a threshold."""
    hits, said_yes, support = counts
    average, squared = arguments.get("average"), number_or(arguments.get("beta"), 1.0) ** 2
    each = divide(np.asarray((1 + squared) * hits, np.float64), np.asarray(squared * support + said_yes, np.float64))
    if average == "micro":
        return float(each)
    if average == "macro":
        return float(each.mean())
    return float(np.average(each, weights=support)) if average == "weighted" else each
