"""All metrics of an outcome: over everything, and of each step, column or other position that it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nnspec.training.metrics.anomalies import score_anomalies
from nnspec.training.metrics.classes import score_classes, score_labels, score_yes_or_no
from nnspec.training.metrics.numbers import score_numbers, score_quantiles
from nnspec.training.metrics.outcome import MetricValues, Outcome
from nnspec.training.metrics.streamed import is_streamed, numbers_in_chunks
from nnspec.training.metrics.streamed_classes import classes_in_chunks, labels_in_chunks, yes_or_no_in_chunks
from nnspec.training.metrics.streamed_levels import quantiles_in_chunks

# The metric that is shown with the baseline's.
HEADLINE = {
    "regression": "rmse",
    "quantiles": "pinball",
    "classification": "accuracy",
    "binary": "accuracy",
    "multilabel": "accuracy",
    "anomaly": "roc_auc",
}
IN_UNITS = frozenset(("rmse", "mae", "pinball"))  # those that are measured in what the targets are, and low where good
# Metrics that baselines, reports and tests of a build read: no metric takes their names.
KEPT = {
    "regression": ("rmse", "mae", "r2"),
    "quantiles": ("pinball", "rmse", "mae", "r2"),
    "classification": ("accuracy", "f1_macro"),
    "binary": ("accuracy", "f1_macro"),
    "multilabel": ("accuracy", "f1_macro"),
    "anomaly": ("roc_auc",),
}
WEIGHTED = "weighted"  # under which metrics stand that count each sample by its weight
CHANCE = {"name": "chance", "roc_auc": 0.5}  # the baseline of scores of anomalies
_OF_TASK: Mapping[str, Callable[[Outcome], MetricValues]] = {
    "regression": score_numbers,
    "quantiles": score_quantiles,
    "classification": score_classes,
    "binary": score_yes_or_no,
    "multilabel": score_labels,
    "anomaly": score_anomalies,
}
_IN_CHUNKS: Mapping[str, Callable[[Outcome], MetricValues]] = {
    "regression": numbers_in_chunks,
    "quantiles": quantiles_in_chunks,
    "multilabel": labels_in_chunks,
    "classification": classes_in_chunks,
    "binary": yes_or_no_in_chunks,
}
# What stands beside each position.
_IN_PARTS = {
    "regression": ("rmse", "mae", "r2", "mape"),
    "quantiles": ("pinball", "coverage", "width", "rmse", "mae"),
    "classification": ("accuracy", "f1_macro", "log_loss"),
    "binary": ("accuracy", "precision", "recall", "f1", "roc_auc"),
    "multilabel": ("accuracy", "f1_macro"),
    "anomaly": ("roc_auc", "precision", "recall", "f1", "flagged"),
}


def score_outcome(outcome: Outcome) -> MetricValues:
    """`{metric: value, …, "by_class": {class: {…}}, "by_step": {step: {…}}}`, by its task."""
    score = _IN_CHUNKS.get(outcome.task) if is_streamed(outcome) else None
    score = score or _OF_TASK[outcome.task]
    found = score(outcome)
    for part in outcome.parts:
        found[f"by_{part.called}"] = {
            name: select_for_part(outcome.task, score(outcome.at(part, i))) for i, name in enumerate(part.names)
        }
    return found


def merge_metrics(metrics: MetricValues, others: MetricValues) -> MetricValues:
    """Metrics and others; those of the same step stand together."""
    found = dict(metrics)
    for name, value in others.items():
        known = found.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            found[name] = {key: {**known.get(key, {}), **value[key]} for key in value}
        else:
            found[name] = value
    return found


def select_for_part(task: str, metrics: Mapping[str, object]) -> MetricValues:
    """Those that are told of a part of the samples or targets."""
    found: MetricValues = {}
    for name in _IN_PARTS[task]:
        value = metrics.get(name)
        if isinstance(value, dict):  # by the share of an interval
            found |= {f"{name}_{key}": each for key, each in value.items()}
        elif name in metrics:
            found[name] = value
    return found


def add_requested(
    task: str, words: Collection[object], metrics: Mapping[str, object], asked: Mapping[str, object]
) -> MetricValues:
    """The metrics, and after them those that the spec asks for.

    One of the spec takes the place of one of its name, except of those that nnspec itself compares with: such a one is
    numbered, as `Model.compile` numbers metrics of one name, unless it is that very metric.

    Args:
        words: the metrics as the spec has them.
    """
    kept = {"samples", "targets", "baseline", "threshold", "confusion", *KEPT[task]}
    kept |= {name for name, value in metrics.items() if isinstance(value, dict)}
    found = dict(metrics)
    for name, value in asked.items():
        if name not in kept:
            found[name] = value
        elif name not in words:  # the words `accuracy` and `mae` are these metrics
            found[f"{name}_1"] = value
    return found
