"""Metrics that are means over values or samples, in NumPy, as Keras computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nnspec.training.metrics.outcome import Array

EPSILON = 1e-7  # Keras' own
Arguments = Mapping[str, object]
Mean = Callable[[Array, Array, Arguments], "float | Array"]


def number_or(value: object, default: float) -> float:
    """An argument, or its default."""
    return float(value) if isinstance(value, int | float) else default


def divide(upper: Array, lower: Array) -> Array:
    """A quotient that is 0 where its divisor is."""
    return np.asarray(np.divide(upper, lower, out=np.zeros(np.shape(upper)), where=lower > 0))


def _percentage(truth: Array, said: Array, _: Arguments) -> float:
    return float(100 * np.mean(np.abs(said - truth) / np.maximum(np.abs(truth), EPSILON)))


def _logarithmic(truth: Array, said: Array, _: Arguments) -> float:
    logs = [np.log(np.maximum(values, EPSILON) + 1) for values in (truth, said)]
    return float(np.mean((logs[0] - logs[1]) ** 2))


def _determination(truth: Array, said: Array, arguments: Arguments) -> float | Array:
    rows, guess = truth.reshape(-1, truth.shape[-1]), said.reshape(-1, truth.shape[-1])
    total = ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    error = ((rows - guess) ** 2).sum(axis=0)
    each = np.where(total == 0, 0.0, 1 - error / np.where(total == 0, 1.0, total))
    aggregation = arguments.get("class_aggregation", "uniform_average")
    if aggregation is None:
        return each
    found = float(np.average(each, weights=total if aggregation == "variance_weighted_average" else None))
    regressors = number_or(arguments.get("num_regressors"), 0)
    if not 0 < regressors < rows.size - 1:
        return found
    return 1 - (1 - found) * (rows.size - 1) / (rows.size - regressors - 1)  # Keras counts values, not rows


def _log_cosh(truth: Array, said: Array, _: Arguments) -> float:
    error = said - truth
    return float(np.mean(np.logaddexp(error, -error) - np.log(2)))


def _poisson(truth: Array, said: Array, _: Arguments) -> float:
    return float(np.mean(said - truth * np.log(said + EPSILON)))


def _signs(truth: Array) -> Array:
    return 2 * truth - 1 if np.isin(truth, (0, 1)).all() else truth


def _hinge(truth: Array, said: Array, _: Arguments) -> float:
    return float(np.mean(np.maximum(1 - _signs(truth) * said, 0)))


def _squared_hinge(truth: Array, said: Array, _: Arguments) -> float:
    return float(np.mean(np.maximum(1 - _signs(truth) * said, 0) ** 2))


def _categorical_hinge(truth: Array, said: Array, _: Arguments) -> float:
    own, other = (truth * said).sum(axis=-1), ((1 - truth) * said).max(axis=-1)
    return float(np.mean(np.maximum(other - own + 1, 0)))


def _binary_crossentropy(truth: Array, said: Array, arguments: Arguments) -> float:
    smoothing = number_or(arguments.get("label_smoothing"), 0)
    wanted, shares = truth * (1 - smoothing) + smoothing / 2, np.clip(said, EPSILON, 1 - EPSILON)
    return float(-np.mean(wanted * np.log(shares) + (1 - wanted) * np.log(1 - shares)))


def _crossentropy(truth: Array, said: Array, arguments: Arguments) -> float:
    smoothing = number_or(arguments.get("label_smoothing"), 0)
    wanted = truth * (1 - smoothing) + smoothing / truth.shape[-1]
    shares = np.clip(said / said.sum(axis=-1, keepdims=True), EPSILON, 1 - EPSILON)
    return float(-np.mean((wanted * np.log(shares)).sum(axis=-1)))


def _divergence(truth: Array, said: Array, _: Arguments) -> float:
    wanted, shares = np.clip(truth, EPSILON, 1), np.clip(said, EPSILON, 1)
    return float(np.mean((wanted * np.log(wanted / shares)).sum(axis=-1)))


def _cosine(truth: Array, said: Array, _: Arguments) -> float:
    units = [v / np.sqrt(np.maximum((v**2).sum(axis=-1, keepdims=True), 1e-12)) for v in (truth, said)]
    return float(np.mean((units[0] * units[1]).sum(axis=-1)))


def _pearson(truth: Array, said: Array, _: Arguments) -> float:
    units = [(v - v.mean(axis=-1, keepdims=True)) / v.std(axis=-1, keepdims=True) for v in (truth, said)]
    return float(np.mean(units[0] * units[1]))


def _concordance(truth: Array, said: Array, _: Arguments) -> float:
    means = [v.mean(axis=-1, keepdims=True) for v in (truth, said)]
    spread = truth.var(axis=-1, keepdims=True) + said.var(axis=-1, keepdims=True) + (means[0] - means[1]) ** 2
    return float(np.mean(2 * (truth - means[1]) * (said - means[1]) / spread))


MEANS: Mapping[str, Mean] = {
    "MeanSquaredError": lambda truth, said, _: float(np.mean((truth - said) ** 2)),
    "RootMeanSquaredError": lambda truth, said, _: float(np.sqrt(np.mean((truth - said) ** 2))),
    "MeanAbsoluteError": lambda truth, said, _: float(np.mean(np.abs(truth - said))),
    "MeanAbsolutePercentageError": _percentage,
    "MeanSquaredLogarithmicError": _logarithmic,
    "R2Score": _determination,
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
# Of each sample's values along the last axis together.
ALONG_LAST = frozenset({"CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation"})
