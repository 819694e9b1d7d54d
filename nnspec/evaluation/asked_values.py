"""Metrics that are means over values or samples, in NumPy, as Keras computes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import fsum

import numpy as np

from nnspec.training.metrics.outcome import Array

EPSILON = 1e-7  # Keras' own
Arguments = Mapping[str, object]
Values = Callable[[Array, Array, Arguments], Array]
Triple = tuple[Array, Array, "Array | None"]  # targets, predictions, and what each sample counts


def number_or(value: object, default: float) -> float:
    """An argument, or its default."""
    return float(value) if isinstance(value, int | float) else default


def divide(upper: Array, lower: Array) -> Array:
    """A quotient that is 0 where its divisor is."""
    return np.asarray(np.divide(upper, lower, out=np.zeros(np.shape(upper)), where=lower > 0))


def weigh(values: Array, weights: Array | None = None) -> tuple[float, float]:
    """The sum of values, axes `sample *`, and what they count; their mean is the one by the other.

    Args:
        weights: what each sample counts; default: all the same.
    """
    if weights is None:
        return float(np.sum(values)), float(np.size(values))
    each = values.reshape(len(values), -1).mean(axis=-1)
    return float(np.multiply(each, weights).sum()), float(np.sum(weights, dtype=np.float64))


def of_rows(weights: Array | None, rows: int) -> Array:
    """What each row counts, axes `row 1`, where every sample has as many of them."""
    if weights is None:
        return np.ones((rows, 1))
    return np.repeat(weights.astype(np.float64), rows // max(1, len(weights)))[:, None]


def _percentage(truth: Array, said: Array, _: Arguments) -> Array:
    return np.asarray(100 * np.abs(said - truth) / np.maximum(np.abs(truth), EPSILON))


def _logarithmic(truth: Array, said: Array, _: Arguments) -> Array:
    logs = [np.log(np.maximum(values, EPSILON) + 1) for values in (truth, said)]
    return np.asarray((logs[0] - logs[1]) ** 2)


def determination(read: Callable[[], Iterator[Triple]], arguments: Arguments) -> float | Array:
    """`R2Score`: of each column, or a mean of them.

    Args:
        read: targets, predictions and what each sample counts, of some samples at a time; gone through twice.
    """
    sums = [((rows * own).sum(axis=0), own.sum()) for rows, _, own in _each_row(read)]
    mean = _total(each for each, _ in sums) / _total(np.asarray(count) for _, count in sums)
    apart = [
        (((rows - mean) ** 2 * own).sum(axis=0), ((rows - guess) ** 2 * own).sum(axis=0), rows.size)
        for rows, guess, own in _each_row(read)
    ]
    total, error = _total(each for each, _, _ in apart), _total(each for _, each, _ in apart)
    size = sum(count for _, _, count in apart)
    each = np.where(total == 0, 0.0, 1 - error / np.where(total == 0, 1.0, total))
    aggregation = arguments.get("class_aggregation", "uniform_average")
    if aggregation is None:
        return each
    found = float(np.average(each, weights=total if aggregation == "variance_weighted_average" else None))
    regressors = number_or(arguments.get("num_regressors"), 0)
    if not 0 < regressors < size - 1:
        return found
    return 1 - (1 - found) * (size - 1) / (size - regressors - 1)  # Keras counts values, not rows


def _each_row(read: Callable[[], Iterator[Triple]]) -> Iterator[tuple[Array, Array, Array]]:
    for truth, said, weights in read():
        rows, guess = truth.reshape(-1, truth.shape[-1]), said.reshape(-1, truth.shape[-1])
        yield rows, guess, of_rows(weights, len(rows))


def _total(parts: Iterable[Array]) -> Array:
    """The sum of arrays of one shape, compensated."""
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    stacked = np.stack(listed)
    return np.array([fsum(values) for values in stacked.reshape(len(listed), -1).T]).reshape(stacked.shape[1:])


def _log_cosh(truth: Array, said: Array, _: Arguments) -> Array:
    error = said - truth
    return np.asarray(np.logaddexp(error, -error) - np.log(2))


def _poisson(truth: Array, said: Array, _: Arguments) -> Array:
    return np.asarray(said - truth * np.log(said + EPSILON))


def _signs(truth: Array) -> Array:
    return 2 * truth - 1 if np.isin(truth, (0, 1)).all() else truth


def _hinge(truth: Array, said: Array, _: Arguments) -> Array:
    return np.asarray(np.maximum(1 - _signs(truth) * said, 0))


def _squared_hinge(truth: Array, said: Array, _: Arguments) -> Array:
    return np.asarray(np.maximum(1 - _signs(truth) * said, 0) ** 2)


def _categorical_hinge(truth: Array, said: Array, _: Arguments) -> Array:
    own, other = (truth * said).sum(axis=-1), ((1 - truth) * said).max(axis=-1)
    return np.asarray(np.maximum(other - own + 1, 0))


def _binary_crossentropy(truth: Array, said: Array, arguments: Arguments) -> Array:
    smoothing = number_or(arguments.get("label_smoothing"), 0)
    wanted, shares = truth * (1 - smoothing) + smoothing / 2, np.clip(said, EPSILON, 1 - EPSILON)
    return np.asarray(-(wanted * np.log(shares) + (1 - wanted) * np.log(1 - shares)))


def _crossentropy(truth: Array, said: Array, arguments: Arguments) -> Array:
    smoothing = number_or(arguments.get("label_smoothing"), 0)
    wanted = truth * (1 - smoothing) + smoothing / truth.shape[-1]
    shares = np.clip(said / said.sum(axis=-1, keepdims=True), EPSILON, 1 - EPSILON)
    return np.asarray(-((wanted * np.log(shares)).sum(axis=-1)))


def _divergence(truth: Array, said: Array, _: Arguments) -> Array:
    wanted, shares = np.clip(truth, EPSILON, 1), np.clip(said, EPSILON, 1)
    return np.asarray((wanted * np.log(wanted / shares)).sum(axis=-1))


def _cosine(truth: Array, said: Array, _: Arguments) -> Array:
    units = [v / np.sqrt(np.maximum((v**2).sum(axis=-1, keepdims=True), 1e-12)) for v in (truth, said)]
    return np.asarray((units[0] * units[1]).sum(axis=-1))


def _pearson(truth: Array, said: Array, _: Arguments) -> Array:
    units = [(v - v.mean(axis=-1, keepdims=True)) / v.std(axis=-1, keepdims=True) for v in (truth, said)]
    return np.asarray(units[0] * units[1])


def _concordance(truth: Array, said: Array, _: Arguments) -> Array:
    means = [v.mean(axis=-1, keepdims=True) for v in (truth, said)]
    spread = truth.var(axis=-1, keepdims=True) + said.var(axis=-1, keepdims=True) + (means[0] - means[1]) ** 2
    return np.asarray(2 * (truth - means[1]) * (said - means[1]) / spread)


# The values whose mean is the metric; of a root, what it is the root of.
MEANS: Mapping[str, Values] = {
    "MeanSquaredError": lambda truth, said, _: (truth - said) ** 2,
    "RootMeanSquaredError": lambda truth, said, _: (truth - said) ** 2,
    "MeanAbsoluteError": lambda truth, said, _: np.abs(truth - said),
    "MeanAbsolutePercentageError": _percentage,
    "MeanSquaredLogarithmicError": _logarithmic,
    "LogCoshError": _log_cosh,
    "Poisson": _poisson,
    "Hinge": _hinge,
    "SquaredHinge": _squared_hinge,
    "CategoricalHinge": _categorical_hinge,
    "BinaryCrossentropy": _binary_crossentropy,
    "CategoricalCrossentropy": _crossentropy,
    "SparseCategoricalCrossentropy": _crossentropy,
    "KLDivergence": _divergence,
    "CosineSimilarity": _cosine,
    "PearsonCorrelation": _pearson,
    "ConcordanceCorrelation": _concordance,
}
ROOTS = frozenset({"RootMeanSquaredError"})
# Of each sample's values along the last axis together.
ALONG_LAST = frozenset({"CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation"})
