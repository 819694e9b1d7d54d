"""All figures of an outcome: over everything, and of each step, column or other position that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.training.figures.classes import score_classes, score_labels, score_yes_or_no
from nnspec.training.figures.numbers import score_numbers, score_quantiles
from nnspec.training.figures.outcome import Outcome

Figures = dict[str, Any]  # as JSON

_OF_TASK: Mapping[str, Callable[[Outcome], dict[str, object]]] = {
    "regression": score_numbers,
    "quantiles": score_quantiles,
    "classification": score_classes,
    "binary": score_yes_or_no,
    "multilabel": score_labels,
}
# What stands beside each position.
_IN_PARTS = {
    "regression": ("rmse", "mae", "r2", "mape"),
    "quantiles": ("pinball", "coverage", "width", "rmse", "mae"),
    "classification": ("accuracy", "f1_macro", "log_loss"),
    "binary": ("accuracy", "precision", "recall", "f1", "roc_auc"),
    "multilabel": ("accuracy", "f1_macro"),
}


def score_outcome(outcome: Outcome) -> Figures:
    """`{figure: value, …, "by_class": {class: {…}}, "by_step": {step: {…}}}`, by its task."""
    score = _OF_TASK[outcome.task]
    found = score(outcome)
    for part in outcome.parts:
        found[f"by_{part.called}"] = {
            name: _short(outcome.task, score(outcome.at(part, i))) for i, name in enumerate(part.names)
        }
    return found


def _short(task: str, figures: Mapping[str, object]) -> Figures:
    return {name: figures[name] for name in _IN_PARTS[task] if name in figures}
