"""All figures of an outcome: over everything, and of each step, column or other position that it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from nnspec.training.figures.anomalies import score_anomalies
from nnspec.training.figures.classes import score_classes, score_labels, score_yes_or_no
from nnspec.training.figures.numbers import score_numbers, score_quantiles
from nnspec.training.figures.outcome import Outcome
from nnspec.training.figures.streamed import is_streamed, numbers_in_chunks
from nnspec.training.figures.streamed_classes import classes_in_chunks, labels_in_chunks, yes_or_no_in_chunks
from nnspec.training.figures.streamed_levels import quantiles_in_chunks

Figures = dict[str, Any]  # as JSON

# The metric that is shown with the baseline's.
HEADLINE = {
    "regression": "rmse",
    "quantiles": "pinball",
    "classification": "accuracy",
    "binary": "accuracy",
    "multilabel": "accuracy",
    "anomaly": "roc_auc",
}
# Figures that baselines, reports and tests of a build read: no metric takes their names.
KEPT = {
    "regression": ("rmse", "mae", "r2"),
    "quantiles": ("pinball", "rmse", "mae", "r2"),
    "classification": ("accuracy", "f1_macro"),
    "binary": ("accuracy", "f1_macro"),
    "multilabel": ("accuracy", "f1_macro"),
    "anomaly": ("roc_auc",),
}
CHANCE = {"name": "chance", "roc_auc": 0.5}  # the baseline of scores of anomalies
_OF_TASK: Mapping[str, Callable[[Outcome], dict[str, object]]] = {
    "regression": score_numbers,
    "quantiles": score_quantiles,
    "classification": score_classes,
    "binary": score_yes_or_no,
    "multilabel": score_labels,
    "anomaly": score_anomalies,
}
_IN_CHUNKS: Mapping[str, Callable[[Outcome], dict[str, object]]] = {
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


def score_outcome(outcome: Outcome) -> Figures:
    """`{figure: value, …, "by_class": {class: {…}}, "by_step": {step: {…}}}`, by its task."""
    score = _IN_CHUNKS.get(outcome.task) if is_streamed(outcome) else None
    score = score or _OF_TASK[outcome.task]
    found = score(outcome)
    for part in outcome.parts:
        found[f"by_{part.called}"] = {
            name: shortened(outcome.task, score(outcome.at(part, i))) for i, name in enumerate(part.names)
        }
    return found


def beside(figures: Figures, others: Figures) -> Figures:
    """Figures and others; those of the same step stand together."""
    found = dict(figures)
    for name, value in others.items():
        known = found.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            found[name] = {key: {**known.get(key, {}), **value[key]} for key in value}
        else:
            found[name] = value
    return found


def shortened(task: str, figures: Mapping[str, object]) -> Figures:
    """Those that are told of a part of the samples or targets."""
    found: Figures = {}
    for name in _IN_PARTS[task]:
        value = figures.get(name)
        if isinstance(value, dict):  # by the share of an interval
            found |= {f"{name}_{key}": each for key, each in value.items()}
        elif name in figures:
            found[name] = value
    return found


def with_asked(task: str, words: Collection[object], figures: Mapping[str, Any], asked: Mapping[str, Any]) -> Figures:
    """The figures, and after them the metrics that the spec asks for.

    A metric takes the place of a figure of its name, except of those that nnspec itself compares with: such a metric is
    numbered, as `Model.compile` numbers metrics of one name, unless it is that very figure.

    Args:
        words: the metrics as the spec has them.
    """
    kept = {"samples", "targets", "baseline", "threshold", "confusion", *KEPT[task]}
    kept |= {name for name, value in figures.items() if isinstance(value, dict)}
    found = dict(figures)
    for name, value in asked.items():
        if name not in kept:
            found[name] = value
        elif name not in words:  # the words `accuracy` and `mae` are these figures
            found[f"{name}_1"] = value
    return found
