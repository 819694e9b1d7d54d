"""The metrics that a spec asks for, in NumPy, as Keras computes them: those that are plain sums over samples.

Keras' own objects score the splits of a build; a deployed file is scored without Keras, so that these stand beside
them. `tests/unit/evaluation/test_asked.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.training.figures.outcome import Array, Outcome

EPSILON = 1e-7  # Keras' own
Arguments = Mapping[str, object]


def measure(asked: Sequence[Sequence[object]], outcome: Outcome) -> tuple[dict[str, object], list[str]]:
    """Each metric by its name, and the names of those that only Keras computes.

    Args:
        asked: for each its name, Keras' class, and its arguments.
    """
    found: dict[str, object] = {}
    unknown = []
    for name, kind, arguments in asked:
        assert isinstance(arguments, Mapping)
        value = _value(str(kind), arguments, outcome)
        if value is None:
            unknown.append(str(name))
        else:
            found[str(name)] = value.tolist() if isinstance(value, np.ndarray) else float(value)
    return found, unknown


def _value(kind: str, arguments: Arguments, outcome: Outcome) -> float | Array | None:
    if kind in _OF_VALUES:
        truth, said = _pair(outcome)
        return None if arguments.keys() - {"dtype"} else _OF_VALUES[kind](truth, said)
    if outcome.task == "regression" or outcome.task == "quantiles":
        return None
    truth, said = _pair(outcome)
    if kind == "AUC":
        return _area(truth, said, arguments)
    if kind in _COUNTS:
        return _at_thresholds(kind, truth, said, arguments)
    if kind == "BinaryAccuracy":
        return float(np.mean((said > _number(arguments.get("threshold"), 0.5)) == truth))
    if kind in ("SparseCategoricalAccuracy", "CategoricalAccuracy"):
        return float(np.mean(outcome.truth == outcome.decisions))
    if kind in ("SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy"):
        return _among_first(outcome, int(_number(arguments.get("k"), 5)))
    if kind == "MeanIoU" and outcome.task == "classification" and not arguments.keys() - {"num_classes"}:
        return _mean_overlap(outcome, int(_number(arguments.get("num_classes"), 0)))
    if kind == "F1Score" and outcome.task == "classification" and arguments.get("threshold") is None:
        return _f1(outcome, arguments.get("average"))
    return None


def _pair(outcome: Outcome) -> tuple[Array, Array]:
    """Targets and predictions of the same axes: a classification's one-hot and probabilities, quantiles' medians."""
    if outcome.task == "quantiles":
        from nnspec.ir.levels import middle

        return outcome.truth.astype(np.float64), outcome.predicted[..., middle(outcome.levels)].astype(np.float64)
    if outcome.task == "regression":
        return outcome.truth.astype(np.float64), outcome.predicted.astype(np.float64)
    shares = outcome.probabilities
    said = outcome.predicted.astype(np.float64) if shares is None else shares
    if outcome.task != "classification":
        return outcome.truth.reshape(said.shape).astype(np.float64), said
    return np.eye(said.shape[-1])[outcome.truth.astype(np.int64)], said


def _percentage(truth: Array, said: Array) -> float:
    return float(100 * np.mean(np.abs(said - truth) / np.maximum(np.abs(truth), EPSILON)))


def _logarithmic(truth: Array, said: Array) -> float:
    logs = [np.log(np.maximum(values, EPSILON) + 1) for values in (truth, said)]
    return float(np.mean((logs[0] - logs[1]) ** 2))


def _determination(truth: Array, said: Array) -> float:
    rows, guess = truth.reshape(-1, truth.shape[-1]), said.reshape(-1, truth.shape[-1])
    total = ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    error = ((rows - guess) ** 2).sum(axis=0)
    return float(np.mean(np.where(total == 0, 0.0, 1 - error / np.where(total == 0, 1.0, total))))


_OF_VALUES = {
    "MeanSquaredError": lambda truth, said: float(np.mean((truth - said) ** 2)),
    "RootMeanSquaredError": lambda truth, said: float(np.sqrt(np.mean((truth - said) ** 2))),
    "MeanAbsoluteError": lambda truth, said: float(np.mean(np.abs(truth - said))),
    "MeanAbsolutePercentageError": _percentage,
    "MeanSquaredLogarithmicError": _logarithmic,
    "R2Score": _determination,
}
_COUNTS = {"Precision", "Recall", "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"}


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _counts(truth: Array, said: Array, thresholds: Sequence[float]) -> tuple[Array, Array, Array, Array]:
    """Hits, false alarms, misses and right noes at each threshold, in the float32 in which Keras compares."""
    yes, shares = truth.reshape(-1) > 0.5, said.reshape(-1).astype(np.float32)
    above = [shares > np.float32(t) for t in thresholds]
    hits = np.array([np.sum(yes & each) for each in above], dtype=np.float64)
    alarms = np.array([np.sum(~yes & each) for each in above], dtype=np.float64)
    return hits, alarms, yes.sum() - hits, (~yes).sum() - alarms


def _divided(upper: Array, lower: Array) -> Array:
    return np.asarray(np.divide(upper, lower, out=np.zeros(np.shape(upper)), where=lower > 0))


def _at_thresholds(kind: str, truth: Array, said: Array, arguments: Arguments) -> float | Array | None:
    if arguments.get("top_k") is not None or arguments.get("class_id") is not None:
        return None
    given = arguments.get("thresholds")
    thresholds = [float(t) for t in given] if isinstance(given, list | tuple) else [_number(given, 0.5)]
    hits, alarms, misses, noes = _counts(truth, said, thresholds)
    values = {
        "Precision": _divided(hits, hits + alarms),
        "Recall": _divided(hits, hits + misses),
        "TruePositives": hits,
        "TrueNegatives": noes,
        "FalsePositives": alarms,
        "FalseNegatives": misses,
    }[kind]
    return values if len(thresholds) > 1 else float(values[0])


def _area(truth: Array, said: Array, arguments: Arguments) -> float | None:
    """The area under a curve of evenly spaced thresholds, by the trapezoids or interpolation of Keras' `AUC`."""
    known = {"num_thresholds", "curve"}
    if {key for key, value in arguments.items() if value not in (None, False)} - known:
        return None
    count = int(_number(arguments.get("num_thresholds"), 200))
    thresholds = [-EPSILON, *((i + 1) / (count - 1) for i in range(count - 2)), 1 + EPSILON]
    hits, alarms, misses, noes = _counts(truth, said, thresholds)
    if arguments.get("curve", "ROC") != "PR":
        x, y = _divided(alarms, alarms + noes), _divided(hits, hits + misses)
        return float(np.sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2))
    fewer, positives = hits[:-1] - hits[1:], hits + alarms
    slope = _divided(fewer, np.maximum(positives[:-1] - positives[1:], 0))
    intercept = hits[1:] - slope * positives[1:]
    is_both = (positives[:-1] > 0) & (positives[1:] > 0)
    ratio = np.where(is_both, _divided(positives[:-1], np.maximum(positives[1:], 0)), 1.0)
    steps = slope * (fewer + intercept * np.log(np.where(ratio > 0, ratio, 1)))
    return float(np.sum(_divided(steps, np.maximum(hits[1:] + misses[1:], 0))))


def _among_first(outcome: Outcome, k: int) -> float:
    shares = outcome.predicted.reshape(-1, outcome.predicted.shape[-1])
    own = np.take_along_axis(shares, outcome.truth.reshape(-1, 1).astype(np.int64), axis=-1)
    return float(np.mean((shares > own).sum(axis=-1) < k))


def _f1(outcome: Outcome, average: object) -> float | Array:
    count = outcome.predicted.shape[-1]
    truth, said = (np.eye(count)[codes.reshape(-1).astype(np.int64)] for codes in (outcome.truth, outcome.decisions))
    hits, support = (truth * said).sum(axis=0), truth.sum(axis=0)
    if average == "micro":
        return float(2 * hits.sum() / max(2 * hits.sum() + (truth != said).sum(), 1))
    each = _divided(2 * hits, support + said.sum(axis=0))
    if average == "macro":
        return float(each.mean())
    return float(np.average(each, weights=support)) if average == "weighted" else each


def _mean_overlap(outcome: Outcome, count: int) -> float:
    """The mean intersection over union of the classes that occur."""
    truth, said = outcome.truth.reshape(-1), outcome.decisions.reshape(-1)
    hits = np.array([np.sum((truth == k) & (said == k)) for k in range(count)], dtype=np.float64)
    either = np.array([np.sum((truth == k) | (said == k)) for k in range(count)], dtype=np.float64)
    return float(_divided(hits, either)[either > 0].mean())
