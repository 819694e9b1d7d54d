"""The metrics that a goal can name: those of metrics.json, by the task of their output. Names alone, no NumPy."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.catalogue.losses import measures
from nnspec.ir.graph import Output

# By task: the metrics that every build writes, and whether more is better; None where neither is.
_NUMBERS: Mapping[str, bool | None] = {"rmse": False, "mae": False, "r2": True}
_LABELS: Mapping[str, bool | None] = {"accuracy": True, "f1_macro": True}
KNOWN: Mapping[str, Mapping[str, bool | None]] = {
    "regression": {**_NUMBERS, "median_absolute_error": False, "mean_error": None, "mape": False, "mase": False},
    "quantiles": {"pinball": False, **_NUMBERS, "mase": False},
    "classification": {
        **_LABELS, "precision_macro": True, "recall_macro": True, "balanced_accuracy": True, "f1_weighted": True,
        "log_loss": False, "top_2_accuracy": True, "top_3_accuracy": True, "top_5_accuracy": True,
        "roc_auc_macro": True, "mean_iou": True,
    },
    "binary": {
        **_LABELS, "precision": True, "recall": True, "f1": True, "roc_auc": True, "average_precision": True,
        "log_loss": False, "brier": False,
    },
    "multilabel": {
        **_LABELS, "precision_macro": True, "recall_macro": True, "roc_auc_macro": True,
        "average_precision_macro": True,
    },
    "none": {},
}  # fmt: skip
# Metrics of parts, whose names follow after another dot: `validation.kind.by_class.cat.recall`.
PARTS = ("by_", "coverage", "width", "pinball_by_level")


def known_metrics(output: Output) -> Mapping[str, bool | None] | None:
    """The metrics of an output, and whether more is better; None where its task has some that are not known here."""
    if output.task not in KNOWN:
        return None
    asked = {measure.name: measure.is_higher_better for measure in measures(output)} if output.metrics else {}
    numbered = {f"{name}_1": is_higher_better for name, is_higher_better in asked.items()}
    weighted = {f"weighted.{m.name}": m.is_higher_better for m in measures(output, is_weighted=True)}
    return {**numbered, **asked, **weighted, **KNOWN[output.task]}


def is_of_a_part(metric: str) -> bool:
    """Whether a metric is that of a class, step, column or interval."""
    return "." in metric and metric.startswith(PARTS)


def find_metric(metrics: Mapping[str, object], goal: str) -> float | None:
    """The value of `split.output.metric` in the content of a metrics.json; None where it is not a number there."""
    found: object = metrics
    rest = goal
    while rest:
        if not isinstance(found, Mapping):
            return None
        name = next((key for key in found if rest == key or rest.startswith(f"{key}.")), None)
        if name is None:
            return None
        found, rest = found[name], rest[len(name) + 1 :]
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and found == found else None  # type: ignore[arg-type]
